import pyarrow as pa
import pytest

from pipeline.records import Ledger, Row
from pipeline.rows import row_batch
from pipeline.tally import Tally


def rows(*corpora):
    return row_batch(
        [
            Row(f"{c}:{i}", c, "train", "g", f"s{i}", f"t{i}", (f"t{i}",), "de", "en")
            for i, c in enumerate(corpora)
        ]
    )


def test_rows_are_counted_by_corpus_and_reason_and_the_first_ones_are_kept():
    tally = Tally("clean", samples_per_rule=2)
    tally.add(rows("a", "b", "a", "a"), pa.array([None, "same", "same", "empty"], pa.string()))
    tally.add(rows("a", "a", "b"), pa.array(["same", "same", None], pa.string()))
    tally.change(rows("a", "b"), pa.array([None, "source_cut"], pa.string()))
    assert tally.ledgers(read=7, held=2) == [
        Ledger(
            "clean", "a", 5, 1, {"empty": 1, "same": 3}, {},
            {"empty": ("a:3\ts3\tt3",), "same": ("a:2\ts2\tt2", "a:0\ts0\tt0")},
        ),
        Ledger("clean", "b", 2, 1, {"same": 1}, {"source_cut": 1}, {"same": ("b:1\ts1\tt1",)}),
    ]  # fmt: skip


def test_no_rows_are_no_ledger():
    tally = Tally("clean", samples_per_rule=2)
    tally.add(rows(), pa.array([], pa.string()))
    assert tally.ledgers(read=0, held=0) == []


@pytest.mark.parametrize(("read", "held"), [(4, 2), (3, 1), (2, 3)])
def test_a_row_that_was_lost_before_or_after_it_was_counted_is_found(read, held):
    tally = Tally("clean")
    tally.add(rows("a", "a", "b"), pa.array([None, "same", None], pa.string()))
    with pytest.raises(AssertionError, match="clean"):
        tally.ledgers(read=read, held=held)
