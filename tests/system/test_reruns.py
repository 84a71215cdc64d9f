"""What reruns when what changes: the table of docs/reruns.md is made here."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from flows.graph import read_graph
from flows.memory import known_files
from flows.plan import make_plan


def params(change):
    def edit(folder):
        path = folder / "params.yaml"
        content = yaml.safe_load(path.read_text())
        change(content)
        path.write_text(yaml.safe_dump(content))

    return edit


def append(name, text):
    def edit(folder):
        with (folder / name).open("a") as file:
            file.write(text)

    return edit


def version(name):
    def edit(folder):
        path = folder / "versions.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {name: "99.0"}))

    return edit


def limit(content):
    next(rule for rule in content["cleaning"]["rules"] if rule["kind"] == "too_long")[
        "max_characters"
    ] = 999


CHANGES = {
    "decoding.search.beam_size": params(lambda p: p["decoding"]["search"].update(beam_size=1)),
    "a cleaning limit": params(limit),
    "a byte of a corpus file": append("data/corpora/signs/train.de", "x"),
    "a module that a stage imports": append("pipeline/decoding/beam.py", "X = 1\n"),
    "a module that no stage imports": append("flows/talk.py", "X = 1\n"),
    "a comment in machine.yaml": append("machine.yaml", "# faster\n"),
    "the version of torch": version("torch"),
    "the version of rich": version("rich"),
}


@pytest.fixture(scope="module")
def workspace(made, call, tmp_path_factory):
    """The small workspace, nothing stale."""
    folder = tmp_path_factory.mktemp("reruns") / "workspace"
    shutil.copytree(made, folder, symlinks=True)
    call(folder, "seqline", "plan")  # which remembers the modules' names
    return folder


def table(folder, monkeypatch):
    """Rows of change, stages that run, stages that may, causes."""
    rows = []
    names = ("params.yaml", "versions.yaml", "machine.yaml")
    monkeypatch.chdir(folder)
    for change, edit in CHANGES.items():
        kept = {path: path.read_bytes() for path in [*map(folder.joinpath, names)]}
        for name in ("data/corpora/signs/train.de", "pipeline/decoding/beam.py", "flows/talk.py"):
            kept[folder / name] = (folder / name).read_bytes()
        edit(folder)
        graph = read_graph(folder)
        plan = make_plan(graph, known_files(folder / "state", graph))
        runs = [one for one in plan if one.action == "run"]
        may = [one.stage for one in plan if one.action == "run if"]
        causes = dict.fromkeys(cause for one in runs for cause in one.causes)
        rows.append((change, [one.stage for one in runs], may, list(causes)))
        assert own_causes(folder) == [one.stage for one in runs], change
        for path, content in kept.items():
            path.write_bytes(content)
    return rows


def own_causes(folder):
    """The stages that `dvc status` calls changed for what no other stage makes."""
    graph = read_graph(folder)
    made = {out.path for node in graph.nodes for out in node.outputs}
    status = subprocess.run(
        ["dvc", "status", "--json"], cwd=folder, capture_output=True, text=True, check=True,
        env={**os.environ, "PATH": f"{Path(os.sys.executable).parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    import json

    changed = json.loads(status.stdout)
    return [
        node.name
        for node in graph.nodes
        if any(
            path not in made
            for entry in changed.get(node.name, [])
            for path in entry.get("changed deps", {})
        )
    ]


HEAD = """\
# What reruns when what changes

Made by `tests/system/test_reruns.py`, which fails when this page is wrong. *Runs if* means: if the
results of the stages before it differ. `seqline plan` prints the causes.

| what changes | runs | runs if earlier results differ | cause that the plan names |
|---|---|---|---|
"""


def page(rows):
    lines = [
        f"| {change} | {', '.join(runs) or 'nothing'} | {', '.join(may) or '–'} "
        f"| {'; '.join(causes) or '–'} |\n"
        for change, runs, may, causes in rows
    ]
    return HEAD + "".join(lines)


@pytest.mark.system
def test_the_table_of_reruns_is_what_the_plan_says(workspace, root, monkeypatch):
    rows = table(workspace, monkeypatch)
    made = page(rows)
    runs = {change: (stages, causes) for change, stages, _, causes in rows}
    assert runs["decoding.search.beam_size"] == (
        ["decode", "package"],
        ["parameter decoding.search.beam_size: 2 → 1"],
    )
    assert runs["a cleaning limit"] == (
        ["clean"],
        ["parameter cleaning.rules.too_long.max_characters: 1000 → 999"],
    )
    assert runs["a byte of a corpus file"] == (["ingest"], ["data/corpora/signs/train.de changed"])
    assert runs["a module that a stage imports"][1] == ["module pipeline/decoding/beam.py changed"]
    assert runs["a module that no stage imports"] == ([], [])
    assert runs["a comment in machine.yaml"] == ([], [])
    assert runs["the version of rich"] == ([], [])
    assert (root / "docs/reruns.md").read_text() == made, f"docs/reruns.md should be:\n{made}"
