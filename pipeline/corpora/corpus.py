"""A corpus: a name, two languages, and a stream of rows.

Example row: `Row("train:3", "train", "train", "train:3", "Ein kleines Mädchen klettert…", "A little
girl…", ("A little girl…",), "de", "en")`: corpus and position, so that a row can be found again.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from pipeline.arrow import RecordBatch
from pipeline.settings import Settings


class Corpus(Settings, ABC):
    """What every reader has; a reader is a final class that adds its own fields."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Names the corpus in ids, ledgers and, where it has test rows, the test set."""
    source_language: str = Field(min_length=2)
    """Code of the language that is read, e.g. de."""
    target_language: str = Field(min_length=2)
    """Code of the language that is written, e.g. en."""
    join_references: bool = False
    """Make rows of valid and test that have the same source one row with all their targets as its
    references (several pronunciations of a word, several captions of a picture). Memory grows with
    the corpus' rows of valid and test. In train each row stays an example of its own."""

    @abstractmethod
    def batches(self, folder: Path) -> Iterator[RecordBatch]:
        """All rows as batches of schema `rows.ROWS`, in a fixed order, without holding the corpus.

        `folder` is `corpora.folder`. Ids are `name:position`; a mistake in a file is a Problem with
        file and line.
        """

    @abstractmethod
    def files(self, folder: Path) -> tuple[Path, ...]:
        """The files that `batches` will open, so that a missing one is found early."""
