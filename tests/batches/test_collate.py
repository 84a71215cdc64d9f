"""Collating: rows of shards become a batch."""

import numpy as np
import pytest

from pipeline.batches.batch import EOS
from pipeline.batches.collate import batch_of, open_examples
from pipeline.problems import Problem
from pipeline.shards.write import write_shards


def array(*ids):
    return np.array(ids, np.int32)


def test_targets_get_their_first_and_last_ids():
    sources, targets = [array(11, 12, 3), array(3)], [array(21, 22), array()]
    batch = batch_of(sources, targets, np.array([5, 2]))
    assert batch.source.values.tolist() == [11, 12, 3, 3]
    assert batch.source.lengths == (3, 1)
    assert batch.prefix.values.tolist() == [2, 21, 22, 2]
    assert batch.prefix.lengths == (3, 1)
    assert batch.target.values.tolist() == [21, 22, 3, 3]
    assert batch.target.lengths == (3, 1)
    assert batch.index.tolist() == [5, 2]


def test_without_targets_there_is_neither():
    batch = batch_of([array(11, 3)], None, np.array([0]))
    assert (batch.prefix, batch.target, batch.count) == (None, None, 1)


def test_rows_come_in_the_order_asked_for_over_blocks_and_files(engine, tmp_path):
    examples = engine.write_examples(tmp_path, rows=60, block_rows=4)  # three files of 20
    everything = examples.ids(np.arange(60))
    rows = np.array([59, 0, 21, 3, 4, 19, 20, 58])
    for side, whole in zip(examples.ids(rows), everything, strict=True):
        assert [ids.tolist() for ids in side] == [whole[row].tolist() for row in rows]
    for source, target in zip(*everything, strict=True):
        assert source.tolist() == [*target[::-1].tolist(), EOS]
    assert [len(s) for s in everything[0]] == examples.source_lengths.tolist()
    assert [len(t) for t in everything[1]] == examples.target_lengths.tolist()


def test_variants_are_rows_behind_those_of_the_examples(engine, tmp_path):
    plain = engine.write_examples(tmp_path / "plain", rows=30)
    examples = engine.write_examples(tmp_path / "train", rows=30, variants=2)
    assert (examples.count, len(examples.folders)) == (30, 3)
    assert len({plain.digest, examples.digest}) == 2
    rows = np.array([3, 33, 63, 29, 89])
    sources, targets = examples.ids(rows)
    for row, source, target in zip(rows, sources, targets, strict=True):
        (own,), _ = plain.ids(np.array([row % 30]))
        body = own[:-1].tolist()
        assert source.tolist() == [*body, *body[-1:] * (row // 30), EOS]
        assert target.tolist() == source[:-1].tolist()[::-1]
        assert examples.source_lengths[row] == len(source)
        assert examples.target_lengths[row] == len(target)


def test_variants_of_other_examples_are_a_problem(engine, tmp_path):
    engine.write_examples(tmp_path / "train", rows=30, variants=1)
    engine.write_shards_of(tmp_path / "train-variants" / "2", 29, 7, 4, 1, again=1)
    with pytest.raises(Problem, match="variants of other examples") as caught:
        open_examples(tmp_path / "train")
    assert caught.value.where == str(tmp_path / "train-variants" / "2")


def test_a_folder_without_examples_is_a_problem(tmp_path):
    write_shards(tmp_path / "valid", [], shard_rows=4, block_rows=4, pieces_digest="p")
    with pytest.raises(Problem, match="no valid examples"):
        open_examples(tmp_path / "valid")
