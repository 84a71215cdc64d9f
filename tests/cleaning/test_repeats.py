import numpy as np
import pyarrow as pa
import pytest

from pipeline.cleaning import repeats
from pipeline.cleaning.judge import KEPT
from pipeline.cleaning.repeats import Verdicts


def judged(verdicts, *keys):
    columns = [
        pa.array([int(k).to_bytes(16, "little") for k in column], pa.binary(16)) for column in keys
    ]
    names = ["verdict", *[f"key_{i}" for i in range(len(keys))]]
    return pa.record_batch([pa.array(verdicts, pa.uint8()), *columns], names)


def settle(folder, batches, indices, rows=10):
    with Verdicts(folder, rows, len(indices)) as verdicts:
        for batch in batches:
            verdicts.add(batch)
    verdicts.settle(indices)
    return verdicts.read().tolist()


def test_the_first_of_equal_keys_stays_over_all_batches(tmp_path):
    batches = [judged([KEPT] * 3, [7, 8, 7]), judged([KEPT] * 2, [8, 9])]
    assert settle(tmp_path, batches, [4]) == [KEPT, KEPT, 4, 4, KEPT]


def test_a_row_that_an_earlier_rule_dropped_is_no_first(tmp_path):
    batches = [judged([2, KEPT, KEPT, 6], [7, 7, 7, 7])]
    assert settle(tmp_path, batches, [4]) == [2, KEPT, 4, 4]


def test_two_rules_are_settled_in_their_order(tmp_path):
    batches = [judged([KEPT] * 4, [1, 1, 2, 3], [5, 6, 6, 5])]
    assert settle(tmp_path, batches, [1, 3]) == [KEPT, 1, KEPT, 3]


def test_keys_that_differ_in_one_half_only_are_different(tmp_path):
    batches = [judged([KEPT] * 3, [1, 1 + (1 << 64), 2])]
    assert settle(tmp_path, batches, [0]) == [KEPT, KEPT, KEPT]


def test_no_rows_are_settled_too(tmp_path):
    assert settle(tmp_path, [], [0]) == []


@pytest.mark.parametrize("part_rows", [10, 100, 100_000])
def test_parts_change_nothing(tmp_path, monkeypatch, part_rows):
    monkeypatch.setattr(repeats, "PART_ROWS", part_rows)
    draw = np.random.default_rng(3)
    keys = [int(k) << 40 for k in draw.integers(0, 300, 1_000)]
    first = {key: keys.index(key) for key in set(keys)}
    batches = [judged([KEPT] * 100, keys[i : i + 100]) for i in range(0, 1_000, 100)]
    expected = [KEPT if first[key] == place else 2 for place, key in enumerate(keys)]
    assert settle(tmp_path, batches, [2], rows=1_000) == expected
