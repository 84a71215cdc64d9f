"""Charts and intervals are drawn at the right places."""

from pathlib import Path

import pytest

from pipeline.records import Check
from pipeline.report.charts import chart, curves, interval


def test_a_chart_has_round_marks_and_lines_from_corner_to_corner():
    drawn = chart("Loss", {"train": [(0, 4.0), (100, 1.0)], "validation": []})
    assert drawn is not None
    assert [label for _, label in drawn.x_ticks] == ["0", "25", "50", "75", "100"]
    assert [label for _, label in drawn.y_ticks] == ["1", "2", "3", "4"]
    (line,) = drawn.lines
    assert (line.name, line.points, line.last) == (
        "train",
        "48.0,12.0 508.0,200.0",
        (508, 200, "1"),
    )


def test_a_flat_line_and_a_single_point_can_be_drawn():
    assert chart("Loss", {"train": [(10, 2.0)]}) is not None
    assert chart("BLEU", {"valid": [(10, 0.0), (20, 0.0)]}) is not None
    assert chart("Loss", {"train": []}) is None


def test_curves_leave_out_what_was_not_measured(tmp_path: Path):
    path = tmp_path / "curves.csv"
    path.write_text(
        "step,train_loss,valid_loss,valid_score,rate\n10,3.5,3.75,,0.1\n20,3.0,3.25,,0.1\n"
    )
    (loss,) = curves(path, "bleu")
    assert loss.title == "Loss (nats per target token)"
    assert [line.name for line in loss.lines] == ["train", "validation"]


def test_norms_of_gradients_are_drawn_by_layer_and_by_distance_on_powers_of_ten(tmp_path: Path):
    path = tmp_path / "curves.csv"
    path.write_text(
        "step,train_loss,valid_loss,valid_score,rate,gradient_of_decoder.blocks.0,"
        "gradient_of_encoder.blocks.0,gradient_prefix_back_0,gradient_source_back_0,"
        "gradient_source_back_16\n"
        "10,3.5,3.75,,0.1,10,0.5,0.3,0.2,0.0\n20,3.0,3.25,,0.1,1,0.4,0.3,0.2,0.002\n"
    )
    _, layers, source, prefix = curves(path, "bleu")
    assert layers.title == "Gradient norm by layer"
    assert [line.name for line in layers.lines] == ["decoder.blocks.0", "encoder.blocks.0"]
    assert [label for _, label in layers.y_ticks] == ["0.1", "1", "10"]
    assert layers.lines[0].points == "278.0,12.0 508.0,106.0"
    assert source.title == "Gradient norm in the source, by positions before its end"
    assert [line.name for line in source.lines] == ["0", "16"]
    assert source.lines[1].points.count(",") == 1  # of 0 there is no logarithm
    assert [line.name for line in prefix.lines] == ["0"]


def test_powers_of_ten_stay_few():
    drawn = chart("Norm", {"a": [(1, 1e-30), (2, 1.0)]}, logarithmic=True)
    assert drawn is not None
    assert [label for _, label in drawn.y_ticks] == [
        "1e-30", "1e-25", "1e-20", "1e-15", "1e-10", "1e-05", "1",
    ]  # fmt: skip


def test_an_interval_is_drawn_beside_zero_and_its_margin():
    drawn = interval(Check("t bleu", 30.0, 31.0, 1.0, low=0.0, high=2.0, passed=True))
    assert drawn.zero == drawn.start == pytest.approx(100 * 1.24 / 3.48, abs=0.01)
    assert drawn.edge == pytest.approx(100 * 0.24 / 3.48, abs=0.01)
    assert drawn.middle == pytest.approx(100 * 2.24 / 3.48, abs=0.01)
    drift = Check("drift clean t same", 0.1, 0.2, 0.05, 0.1, 0.1, False, lower_is_better=True)
    assert interval(drift).zero < interval(drift).edge < interval(drift).start


def test_validation_is_drawn_by_whatever_metric_was_taken(tmp_path: Path):
    path = tmp_path / "curves.csv"
    path.write_text(
        "step,train_loss,valid_loss,valid_score,rate\n10,3.5,3.75,40.0,0.1\n20,3.0,3.25,30.0,0.1\n"
    )
    assert [chart.title for chart in curves(path, "row_error_rate")] == [
        "Loss (nats per target token)",
        "Validation row error rate (greedy)",
    ]
