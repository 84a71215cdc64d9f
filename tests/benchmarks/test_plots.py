"""The plots of the documents."""

import importlib.util
import xml.etree.ElementTree as ElementTree

import pytest

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def plots(root):
    """benchmarks/plots.py as a module."""
    spec = importlib.util.spec_from_file_location("plots", root / "benchmarks/plots.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_plot_is_a_picture_of_its_own_with_a_line_and_a_name_for_each_series(plots, tmp_path):
    path = tmp_path / "plot.svg"
    plots.draw(path, "BLEU", {"low & flat": [(5, 1), (10, 2)], "high": [(5, 8), (10, 9)]})
    drawn = ElementTree.fromstring(path.read_text())
    assert drawn.tag == f"{SVG}svg"
    assert drawn.find(f"{SVG}text").text == "BLEU"
    ends = [line.get("points").split()[-1] for line in drawn.iter(f"{SVG}polyline")]
    assert ends == ["508.0,162.4", "508.0,30.8"], "in the order given, 2 lower than 9"
    names = drawn.find(f"{SVG}g").findall(f"{SVG}g")
    assert [name.find(f"{SVG}text").text for name in names] == ["high", "low & flat"]


def test_the_same_series_make_the_same_bytes(plots, tmp_path):
    for name in ("one", "other"):
        plots.draw(tmp_path / name, "loss", {"train": [(0, 3), (4, 1)]})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
