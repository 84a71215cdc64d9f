"""Joining equals a dictionary from source to references, whatever comes in which batches."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpora.joined import Waiting
from pipeline.records import Row
from pipeline.rows import row_batch, to_rows

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["train", "valid", "test"]),
        st.sampled_from(["a", "b", ""]),
        st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=3),
    ),
    max_size=12,
)


def made(rows):
    return [
        Row(f"c:{number}", "c", split, "g", source, said[0], tuple(said), "de", "en")
        for number, (split, source, said) in enumerate(rows, 1)
    ]


@settings(deadline=None)
@given(rows=ROWS, cut=st.integers(0, 12))
def test_each_source_of_a_split_is_a_row_with_all_that_was_said_of_it(rows, cut):
    given_rows, waiting = made(rows), Waiting()
    train = [
        row
        for part in (given_rows[:cut], given_rows[cut:])
        for row in to_rows(waiting.hold(row_batch(part)))
    ]
    found = waiting.joined()
    assert train == [row for row in given_rows if row.split == "train"]
    first: dict[tuple[str, str], Row] = {}
    said: dict[tuple[str, str], list[str]] = {}
    joined = repeated = 0
    for row in given_rows:
        if row.split == "train":
            continue
        key = (row.split, row.source)
        known = said.setdefault(key, [])
        new = [one for one in dict.fromkeys(row.references) if one not in known]
        if key in first:
            joined, repeated = joined + bool(new), repeated + (not new)
        first.setdefault(key, row)
        known += new
    left = to_rows(found.rows)
    assert [(row.id, row.target) for row in left] == [(r.id, r.target) for r in first.values()]
    assert [row.references for row in left] == [tuple(texts) for texts in said.values()]
    assert (found.joined, found.repeated) == (joined, repeated)
    assert len(given_rows) == len(train) + len(left) + joined + repeated


def test_the_same_source_in_valid_and_test_stays_two_rows():
    waiting = Waiting()
    waiting.hold(row_batch(made([("valid", "a", ["x"]), ("test", "a", ["y"])])))
    assert [row.references for row in to_rows(waiting.joined().rows)] == [("x",), ("y",)]
