"""What a run reads, where its workers find it: folders of the driver's host, or of a store.

`artifacts/` and the package to start from are folders that only the driver need have: where the
state is in a store they are put there, once for each content, and every host reads what its windows
need through its cache.
"""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.batches.collate import Examples, examples_of, open_examples, with_variants
from pipeline.cache import Cache
from pipeline.shards.read import open_shards
from pipeline.shared import Shared, put
from pipeline.store import Store

INPUTS = "inputs"  # below the store's address


@dataclass(frozen=True, slots=True)
class Here:
    """Folders that every worker sees."""

    shards: Path
    pieces: Path
    start: Path

    def examples(self, split: str) -> Examples:
        """The examples of a split; their checksums were compared by the driver."""
        return open_examples(self.shards / split, verify=False)

    @contextmanager
    def folders(self) -> Generator[tuple[Path, Path]]:
        """The folders of the pieces, and of the package to start from."""
        yield self.pieces, self.start


@dataclass(frozen=True, slots=True)
class InStore:
    """The same by their digests, below the inputs of a store."""

    store: Store
    shards: dict[str, tuple[str, ...]]  # of a split, and of its variants
    pieces: str
    start: str
    cache: Cache

    def examples(self, split: str) -> Examples:
        """The examples of a split, of which a block is read when its window comes."""
        own, *variants = [open_shards(self._shared(digest)) for digest in self.shards[split]]
        return examples_of(own, variants)

    @contextmanager
    def folders(self) -> Generator[tuple[Path, Path]]:
        """Copies of the pieces, and of the package to start from, while the block runs."""
        with tempfile.TemporaryDirectory() as scratch:
            pieces, start = Path(scratch) / "pieces", Path(scratch) / "start"
            for folder, digest in ((pieces, self.pieces), (start, self.start)):
                folder.mkdir()
                self._shared(digest).copy(folder)
            yield pieces, start

    def _shared(self, digest: str) -> Shared:
        cache = Cache(self.cache.folder.expanduser(), self.cache.most)  # of the host that reads
        return Shared(self.store, digest, cache)


Inputs = Here | InStore


def put_inputs(here: Here, store: Store, cache: Cache, splits: tuple[str, ...]) -> InStore:
    """Put what is not there yet into a store."""
    inputs = store.below(INPUTS)
    shards = {
        split: tuple(put(folder, inputs) for folder in with_variants(here.shards / split))
        for split in splits
    }
    return InStore(inputs, shards, put(here.pieces, inputs), put(here.start, inputs), cache)
