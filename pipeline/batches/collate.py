"""Collating: rows of shards become a Batch.

Example: source ids `[11, 12, 3]` (EOS is stored) with target ids `[21, 22]` (bare) become source
`[11, 12, 3]`, prefix `[2, 21, 22]` (BOS first) and target `[21, 22, 3]` (EOS last).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.batches.batch import BOS, EOS, Batch, Ragged
from pipeline.batches.sequences import Ids, Numbers, Sequences, joined, places, sequences
from pipeline.batches.variants import drawn
from pipeline.files import RESTORE, digest
from pipeline.problems import Problem
from pipeline.shards.read import Shards, ids, open_shards
from pipeline.shards.schema import variants_of

Views = tuple[Ids, Ids]  # all ids of a block end to end, and where each example's begin
BLOCKS_KEPT = 512  # views of memory-mapped files: a window's worth costs next to nothing


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Examples as ids: sources (EOS included) and bare targets."""

    source: Sequences
    target: Sequences

    def __getitem__(self, which: slice | Numbers) -> "Pairs":
        """Some of them, in the order asked for; no id is copied."""
        return Pairs(self.source[which], self.target[which])

    def batch(self, index: Numbers) -> Batch:
        """All of them as a batch on the CPU; `index` is each one's place in its group."""
        return _batch(self.source, self.target, index)


def _batch(source: Sequences, bare: Sequences | None, index: Numbers) -> Batch:
    prefix, target = (None, None) if bare is None else _around(bare)
    ids = _ragged(source.end_to_end(), source.lengths)
    return Batch(ids, prefix, target, torch.from_numpy(np.asarray(index, np.int64)))


def _around(bare: Sequences) -> tuple[Ragged, Ragged]:
    """Prefixes, which begin with BOS, and targets, which end with EOS."""
    lengths = bare.lengths + 1
    ends = np.cumsum(lengths)
    target = bare.end_to_end(more=1)
    target[ends - 1] = EOS
    prefix = np.empty_like(target)
    prefix[1:] = target[:-1]
    prefix[ends - lengths] = BOS
    return _ragged(prefix, lengths), _ragged(target, lengths)


def _ragged(values: Numbers, lengths: Numbers) -> Ragged:
    return Ragged(torch.from_numpy(values), tuple(lengths.tolist()))


def batch_of(
    sources: Sequence[Ids], targets: Sequence[Ids] | None, index: NDArray[np.int64]
) -> Batch:
    """A batch of `sources` (EOS included), in training with bare `targets`; on the CPU."""
    return _batch(sequences(sources), None if targets is None else sequences(targets), index)


class Examples:
    """A folder of shards as examples by row number; blocks are read by range.

    Its variants' rows follow its own: row r of variant v is row v · count + r.
    """

    def __init__(self, shards: Shards, variants: Sequence[Shards] = ()) -> None:
        self.shards = shards
        self.folders = (shards, *variants)
        blocks = np.concatenate([each.blocks for each in self.folders])
        self._starts = np.cumsum(blocks) - blocks  # the first row of each block
        self._block = lru_cache(BLOCKS_KEPT * len(self.folders))(self._views)

    @property
    def count(self) -> int:
        """How many examples; a variant is no other example."""
        return self.shards.rows

    @property
    def digest(self) -> str:
        """Of everything that is read here."""
        own, *variants = [each.digest for each in self.folders]
        return digest([own, *variants]) if variants else own

    def shown(self, rows: NDArray[np.int64], *, seed: int, epoch: int) -> NDArray[np.int64]:
        """The rows of the variants that an epoch shows: each is drawn from (seed, epoch, row)."""
        if len(self.folders) == 1:
            return rows
        return rows + self.count * drawn(rows, len(self.folders), seed=seed, epoch=epoch)

    @cached_property
    def source_lengths(self) -> Ids:
        """Of every row, EOS counted: for sets that are read as a whole; training reads windows."""
        return np.concatenate([each.lengths()[0] for each in self.folders])

    @cached_property
    def target_lengths(self) -> Ids:
        """Of every row, without EOS: for sets that are read as a whole."""
        return np.concatenate([each.lengths()[1] for each in self.folders])

    def pairs(self, rows: NDArray[np.int64]) -> Pairs:
        """The ids of these rows, in their order: read block by block, and copied once."""
        blocks = np.searchsorted(self._starts, rows, side="right") - 1
        order = np.argsort(blocks)
        found, begins = np.unique(blocks[order], return_index=True)
        self._fetch(found)
        edges = pairwise([*begins.tolist(), len(rows)])
        parts = [
            (self._block(block), rows[order[begin:end]] - self._starts[block])
            for block, (begin, end) in zip(found.tolist(), edges, strict=True)
        ]
        source = _gathered([(views[0], some) for views, some in parts], order)
        target = _gathered([(views[1], some) for views, some in parts], order)
        return Pairs(source, target)

    def ids(self, rows: NDArray[np.int64]) -> tuple[list[Ids], list[Ids]]:
        """Source (EOS included) and bare target ids of each row, in the order of `rows`."""
        pairs = self.pairs(rows)
        return pairs.source.apart(), pairs.target.apart()

    def _fetch(self, blocks: Numbers) -> None:
        """See to it that these are on this host, before they are read one by one."""
        count = len(self.shards.blocks)
        for number, folder in enumerate(self.folders):
            folder.fetch((blocks[blocks // count == number] % count).tolist())

    def _views(self, block: int) -> tuple[Views, Views]:
        folder, place = divmod(block, len(self.shards.blocks))
        batch = self.folders[folder].block(place)
        return ids(batch, "source"), ids(batch, "target")

    def batch(self, rows: NDArray[np.int64], index: NDArray[np.int64]) -> Batch:
        """The rows as a batch with targets."""
        return self.pairs(rows).batch(index)


def _gathered(parts: list[tuple[Views, Numbers]], order: Numbers) -> Sequences:
    """Rows of blocks as sequences; `order` says which comes to lie after which."""
    values: list[Ids] = []
    lengths = np.empty(len(order), np.int64)
    done = 0
    for (block, offsets), rows in parts:
        starts = offsets[rows].astype(np.int64)
        some = offsets[rows + 1] - starts
        values.append(block[places(starts, some)])
        lengths[done : done + len(rows)] = some
        done += len(rows)
    starts, apart = np.empty_like(lengths), np.empty_like(lengths)
    starts[order], apart[order] = np.cumsum(lengths) - lengths, lengths
    return joined(values, starts, apart)


def open_examples(folder: Path, *, verify: bool = True) -> Examples:
    """The examples of a shard folder; a Problem where there are none, or a file is cut or altered.

    Without `verify` checksums are not compared: for workers, whose driver did.
    """
    own, *variants = [open_shards(path, verify=verify) for path in with_variants(folder)]
    return examples_of(own, variants)


def with_variants(folder: Path) -> list[Path]:
    """A folder of shards, and those of its variants by their numbers."""
    variants = variants_of(folder).glob("[0-9]*")
    return [folder, *sorted(variants, key=lambda path: int(path.name))]


def examples_of(shards: Shards, variants: Sequence[Shards] = ()) -> Examples:
    """Shards and their variants as examples; a Problem where there are none."""
    if odd := [each for each in variants if not np.array_equal(each.blocks, shards.blocks)]:
        raise Problem(
            f"variants of other examples than those of {shards.folder}",
            where=str(odd[0].folder),
            value=f"{odd[0].rows} examples, not {shards.rows}",
            remedy=RESTORE,
        )
    if shards.rows == 0:
        raise Problem(
            f"no {Path(str(shards.folder)).name} examples",
            where=str(shards.folder),
            remedy="give a corpus of params.yaml this role, or a split; see the ledgers of clean",
        )
    return Examples(shards, variants)
