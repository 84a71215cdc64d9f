import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fingerprints import fingerprints, paired, shares

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=20)


def test_the_values_never_change_because_splits_depend_on_them():
    found = fingerprints(pa.array(["", "a", "Ein Hund läuft."]))
    assert found.tolist() == [
        [10552078781534769070, 1426905638601620781],
        [1693686646447999953, 4106627597207544828],
        [11874161748359231309, 4724169282274485769],
    ]


@settings(max_examples=100, deadline=None)
@given(texts=TEXTS, before=TEXTS)
def test_equal_texts_and_only_they_share_a_fingerprint_wherever_they_stand(texts, before):
    array = pa.array([*before, *texts], pa.string())
    found = [tuple(row) for row in fingerprints(array).tolist()]
    assert len(set(found)) == len({*before, *texts})
    assert [tuple(r) for r in fingerprints(array.slice(len(before))).tolist()] == found[
        len(before) :
    ]


def test_nul_bytes_at_the_end_are_part_of_a_text():
    found = fingerprints(pa.array(["abcdefgh", "abcdefgh\0", "abcdefgh\0\0", "", "\0"]))
    assert len(set(map(tuple, found.tolist()))) == 5


def test_long_and_large_strings_are_read_like_others():
    texts = ["x" * 1000 + str(i) for i in range(50)]
    small, large = pa.array(texts), pa.array(texts, pa.large_string())
    assert (fingerprints(small) == fingerprints(large)).all()
    assert len(set(map(tuple, fingerprints(small).tolist()))) == 50


def test_null_counts_as_empty():
    assert (fingerprints(pa.array([None, "a"])) == fingerprints(pa.array(["", "a"]))).all()


def test_a_pair_has_an_order():
    a, b = fingerprints(pa.array(["a", "b"])), fingerprints(pa.array(["b", "a"]))
    first, second = paired(a, b).tolist()
    assert first != second


def test_shares_are_spread_evenly_and_depend_on_the_seed():
    texts = pa.array([f"group {i}" for i in range(20_000)])
    drawn = shares(texts, seed=1)
    assert ((drawn >= 0) & (drawn < 1)).all()
    counts = np.histogram(drawn, bins=10, range=(0, 1))[0]
    assert counts.min() > 1_850 and counts.max() < 2_150  # 2,000 each; 3.5 standard deviations
    assert abs(np.corrcoef(drawn, shares(texts, seed=2))[0, 1]) < 0.03
