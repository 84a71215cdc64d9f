"""What the corpora that are files have in common: where their rows go, and provenance.

A whole corpus has one role, or its rows are spread over the splits by the hash of their group, so
that a document, speaker or image is never torn apart and a row never changes sides when others come
or go. Where rows have no group, those of one source are a group.
"""

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from pipeline.arrow import Array, RecordBatch
from pipeline.arrow import compute as pc
from pipeline.corpora.corpus import Corpus
from pipeline.corpora.lines import LineEnd
from pipeline.fingerprints import fingerprints, shares
from pipeline.records import Split
from pipeline.rows import ROWS
from pipeline.settings import Settings

PARTS = pa.schema(
    [
        ("source", pa.string()),
        ("target", pa.string()),
        ("references", pa.list_(pa.string())),
        ("group", pa.string()),  # null or empty: none is given
    ]
)


class Shares(Settings):
    """Shares of the groups that go to valid and test; the rest is train."""

    valid: float = Field(0.0, ge=0, lt=1)
    """Share of the groups for validation."""
    test: float = Field(0.0, ge=0, lt=1)
    """Share of the groups for the test."""
    seed: int = 1
    """Another seed is another draw."""

    @model_validator(mode="after")
    def _leave_train(self) -> Self:
        if self.valid + self.test >= 1:
            raise ValueError("valid and test together leave nothing for train")
        return self


class FileCorpus(Corpus):
    """A corpus in files: role or shares, line ends. Readers add `parts`."""

    role: Split | None = None
    """Where all rows go; null where `split` says it."""
    split: Shares | None = None
    """Spread the rows over train, valid and test by the hash of their group (or of their source,
    where they have none); null: see role."""
    line_end: LineEnd = "lf"
    """lf: a line ends at LF, a CR before it is text. crlf: every line ends with CR LF."""

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.role is None) == (self.split is None):
            raise ValueError("give either role (train, valid, test) or split ({valid: 0.01, …})")
        return self

    @model_validator(mode="after")
    def _has_references_to_join(self) -> Self:
        if self.join_references and self.role == "train":
            raise ValueError("join_references: a corpus of role train has no row to join")
        return self

    @abstractmethod
    def parts(self, folder: Path) -> Iterator[RecordBatch]:
        """Batches of schema `PARTS`, in the files' order."""

    def batches(self, folder: Path) -> Iterator[RecordBatch]:
        """Rows with id, split and languages."""
        position = 1
        for part in self.parts(folder):
            yield self._rows(part, position)
            position += part.num_rows

    def _rows(self, part: RecordBatch, first: int) -> RecordBatch:
        count = part.num_rows
        places = pa.array(np.arange(first, first + count)).cast(pa.string())
        ids = pc.binary_join_element_wise(self.name, places, ":")
        groups = self._groups(part, ids)
        columns = {
            "id": ids,
            "corpus": pa.repeat(self.name, count),
            "split": self._splits(groups),
            "group": groups,
            "source": part["source"],
            "target": part["target"],
            "references": part["references"],
            "source_language": pa.repeat(self.source_language, count),
            "target_language": pa.repeat(self.target_language, count),
        }
        return pa.record_batch([columns[name] for name in ROWS.names], schema=ROWS)

    def _groups(self, part: RecordBatch, ids: Array) -> Array:
        """What a split keeps together: the group that is given, or else the rows of one source."""
        given = pc.if_else(pc.equal(part["group"], ""), pa.scalar(None, pa.string()), part["group"])
        return pc.coalesce(given, ids if self.split is None else _names(part["source"]))

    def _splits(self, groups: Array) -> Array:
        if self.split is None:
            return pa.repeat(self.role, len(groups))
        drawn = shares(groups, self.split.seed)
        valid, test = self.split.valid, self.split.valid + self.split.test
        names = np.where(drawn < valid, "valid", np.where(drawn < test, "test", "train"))
        return pa.array(names.tolist(), pa.string())


def _names(texts: Array) -> Array:
    """The fingerprint of each text, in 32 digits."""
    digits = fingerprints(texts).astype(">u8").tobytes().hex()
    return pa.array([digits[at : at + 32] for at in range(0, len(digits), 32)], pa.string())


def several_references(columns: list[Array]) -> Array:
    """A list array of each row's references, from one array for each of them."""
    count, width = len(columns[0]), len(columns)
    order = np.arange(count * width).reshape(width, count).T.ravel()  # row by row
    offsets = pa.array(np.arange(count + 1, dtype=np.int32) * np.int32(width))
    return pa.ListArray.from_arrays(offsets, pa.concat_arrays(columns).take(pa.array(order)))
