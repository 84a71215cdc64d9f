"""Collating: rows of shards become a batch."""

from itertools import chain

import numpy as np
import pyarrow as pa
import pytest
import torch

from pipeline.batches.batch import BOS, EOS
from pipeline.batches.collate import batch_of, open_examples
from pipeline.problems import Problem
from pipeline.shards.schema import EXAMPLES
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


IDS = EXAMPLES.field("source").type


def stored(folder, seed, *, rows=90):
    """A folder of random pairs, some of whose targets are empty; the pairs as lists."""
    random = np.random.default_rng(seed)
    draws = [random.integers(4, 90, count).tolist() for count in random.integers(0, 6, 2 * rows)]
    pairs = [([*one, EOS], other) for one, other in zip(draws[::2], draws[1::2], strict=True)]
    columns = [
        pa.array([f"r:{row}" for row in range(rows)]),
        *(pa.array(side, IDS) for side in zip(*pairs, strict=True)),
    ]
    batch = pa.record_batch(columns, schema=EXAMPLES)
    write_shards(folder, [batch], shard_rows=28, block_rows=7, pieces_digest="p")
    return pairs


def laid_out(pairs, index):
    """Values and lengths of a batch of pairs, example by example."""
    sides = (
        [source for source, _ in pairs],
        [[BOS, *target] for _, target in pairs],
        [[*target, EOS] for _, target in pairs],
    )
    flat = [([*chain.from_iterable(side)], tuple(len(ids) for ids in side)) for side in sides]
    return [*flat, (list(index), (1,) * len(pairs))]


def contents(batch):
    """The same of a batch, all of whose tensors hold int64."""
    sides = [(side.values, side.lengths) for side in (batch.source, batch.prefix, batch.target)]
    sides.append((batch.index, (1,) * batch.count))
    assert all(values.dtype == torch.int64 for values, _ in sides)
    return [(values.tolist(), lengths) for values, lengths in sides]


def test_batches_are_those_that_are_laid_out_example_by_example(tmp_path):
    pairs = stored(tmp_path / "train", 1) + stored(tmp_path / "train-variants" / "1", 2)
    examples, random = open_examples(tmp_path / "train"), np.random.default_rng(3)
    for count in (180, 41, 1, 0):
        rows, index = random.permutation(180)[:count], random.permutation(count)
        expected = laid_out([pairs[row] for row in rows], index)
        assert contents(examples.batch(rows, index)) == expected
        some = random.permutation(count)[:17]
        part = examples.pairs(rows)[some].batch(index[some])
        assert contents(part) == laid_out([pairs[rows[place]] for place in some], index[some])
    empty = [row for row, (_, target) in enumerate(pairs) if not target]
    assert len(empty) > 5
    assert contents(examples.batch(np.array(empty), np.array(empty))) == laid_out(
        [pairs[row] for row in empty], empty
    )


@pytest.mark.parametrize("counts", [[3, 1, 4], [8], [0, 8], []])
def test_a_batch_is_split_into_batches_of_the_same_examples(tmp_path, counts):
    pairs = stored(tmp_path / "train", 1)[: sum(counts)]
    rows = np.arange(len(pairs))
    whole = open_examples(tmp_path / "train").batch(rows, rows)
    parts, begin = whole.split(counts), 0
    assert [part.count for part in parts] == counts
    for part in parts:
        end = begin + part.count
        assert contents(part) == laid_out(pairs[begin:end], rows[begin:end])
        begin = end


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
