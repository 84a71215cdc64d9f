"""Collating: rows of shards become a Batch.

Example: source ids `[11, 12, 3]` (EOS is stored) with target ids `[21, 22]` (bare) become source
`[11, 12, 3]`, prefix `[2, 21, 22]` (BOS first) and target `[21, 22, 3]` (EOS last).
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.batches.batch import BOS, EOS, Batch, Ragged
from pipeline.batches.variants import drawn
from pipeline.files import RESTORE, digest
from pipeline.problems import Problem
from pipeline.shards.read import Shards, ids, open_shards
from pipeline.shards.schema import variants_of

Ids = NDArray[np.int32]
Views = tuple[Ids, Ids]  # all ids of a block end to end, and where each example's begin
BLOCKS_KEPT = 512  # views of memory-mapped files: a window's worth costs next to nothing
_EMPTY: Ids = np.zeros(0, np.int32)


def ragged(sequences: Sequence[Ids]) -> Ragged:
    """Sequences laid end to end as int64 ids."""
    lengths = tuple(len(sequence) for sequence in sequences)
    flat = np.concatenate([np.asarray(s, np.int64) for s in sequences] or [np.zeros(0, np.int64)])
    return Ragged(torch.from_numpy(flat), lengths)


def batch_of(
    sources: Sequence[Ids], targets: Sequence[Ids] | None, index: NDArray[np.int64]
) -> Batch:
    """A batch of `sources` (EOS included), in training with bare `targets`; on the CPU."""
    prefix = target = None
    if targets is not None:
        bos, eos = np.array([BOS], np.int32), np.array([EOS], np.int32)
        prefix = ragged([np.concatenate([bos, ids]) for ids in targets])
        target = ragged([np.concatenate([ids, eos]) for ids in targets])
    return Batch(ragged(sources), prefix, target, torch.from_numpy(np.asarray(index, np.int64)))


class Examples:
    """A folder of shards as examples by row number; blocks are read by range, ids not copied.

    Its variants' rows follow its own: row r of variant v is row v · count + r.
    """

    def __init__(self, shards: Shards, variants: Sequence[Shards] = ()) -> None:
        self.shards = shards
        self.folders = (shards, *variants)
        lengths = [each.lengths() for each in self.folders]
        self.source_lengths = np.concatenate([source for source, _ in lengths])
        self.target_lengths = np.concatenate([target for _, target in lengths])
        blocks = [rows for each in self.folders for rows in each.blocks]
        self.starts = np.concatenate([[0], np.cumsum(blocks)]).astype(np.int64)
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

    def ids(self, rows: NDArray[np.int64]) -> tuple[list[Ids], list[Ids]]:
        """Source (EOS included) and bare target ids of each row, in the order of `rows`."""
        sources: list[Ids] = [_EMPTY] * len(rows)
        targets: list[Ids] = [_EMPTY] * len(rows)
        blocks = np.searchsorted(self.starts, rows, side="right") - 1
        for block in np.unique(blocks):
            (source, source_ends), (target, target_ends) = self._block(int(block))
            for place in np.flatnonzero(blocks == block):
                row = int(rows[place] - self.starts[block])
                sources[place] = source[source_ends[row] : source_ends[row + 1]]
                targets[place] = target[target_ends[row] : target_ends[row + 1]]
        return sources, targets

    def _views(self, block: int) -> tuple[Views, Views]:
        folder, place = divmod(block, len(self.shards.blocks))
        batch = self.folders[folder].block(place)
        return ids(batch, "source"), ids(batch, "target")

    def batch(self, rows: NDArray[np.int64], index: NDArray[np.int64]) -> Batch:
        """The rows as a batch with targets."""
        sources, targets = self.ids(rows)
        return batch_of(sources, targets, index)


def open_examples(folder: Path, *, verify: bool = True) -> Examples:
    """The examples of a shard folder; a Problem where there are none, or a file is cut or altered.

    Without `verify` checksums are not compared: for workers, whose driver did.
    """
    shards = open_shards(folder, verify=verify)
    paths = sorted(variants_of(folder).glob("[0-9]*"), key=lambda path: int(path.name))
    variants = [open_shards(path, verify=verify) for path in paths]
    if odd := [each for each in variants if each.blocks != shards.blocks]:
        raise Problem(
            f"variants of other examples than those of {folder}",
            where=str(odd[0].folder),
            value=f"{odd[0].rows} examples, not {shards.rows}",
            remedy=RESTORE,
        )
    if shards.rows == 0:
        raise Problem(
            f"no {folder.name} examples",
            where=str(folder),
            remedy="give a corpus of params.yaml this role, or a split; see the ledgers of clean",
        )
    return Examples(shards, variants)
