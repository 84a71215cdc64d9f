"""Alignments are drawn in the languages of their rows, a cell a pair of pieces."""

from pipeline.alignments import Alignment
from pipeline.outputs import Output
from pipeline.records import Hypothesis
from pipeline.report.tints import Cell, Picture, pictures

ROW = Output("t:0", "t", "t:0", "犬 と", ("כלב",), "ja", "he", (Hypothesis("כלב", -0.5, -2.0, 2),))
WEIGHTS = ((0.7, 0.2, 0.1, 0.0), (0.0, 0.0, 0.25, 0.75))
ONE = Alignment("t:0", ("犬", "", " と", ""), (" כלב", ""), WEIGHTS)


def test_a_picture_names_pieces_and_languages():
    first = (Cell(0.7, "0.70"), Cell(0.2, "0.20"), Cell(0.1, "0.10"), Cell(0.0, "0.00"))
    last = (Cell(0.0, "0.00"), Cell(0.0, "0.00"), Cell(0.25, "0.25"), Cell(0.75, "0.75"))
    source = ("犬", "·", "と", "⏎")
    assert pictures([ONE], [ROW]) == [
        Picture("t:0", "ja", "he", source, (("כלב", first), ("⏎", last)))
    ]


def test_rows_of_another_test_set_are_left_out():
    assert pictures([ONE], []) == []
