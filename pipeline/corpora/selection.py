"""The corpora of a run: one folder, and what is read from it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SerializeAsAny, field_validator

from pipeline.arrow import RecordBatch
from pipeline.choose import chosen
from pipeline.corpora import READERS
from pipeline.corpora.corpus import Corpus
from pipeline.corpora.lines import missing
from pipeline.problems import Problem
from pipeline.settings import Settings

Source = Annotated[SerializeAsAny[Corpus], chosen(READERS, key="format")]


class Corpora(Settings):
    """The section `corpora` of params.yaml."""

    folder: Path
    """Where the files are; one folder a recipe, so that another recipe's corpus reruns nothing."""
    sources: tuple[Source, ...] = Field(min_length=1)
    """The corpora, each with its `format`; rows keep this order."""

    @field_validator("sources")
    @classmethod
    def _names_differ(cls, sources: tuple[Any, ...]) -> tuple[Any, ...]:
        names = [source.name for source in sources]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two corpora are called '{name}'; names must differ")
        return sources

    def check_files(self) -> None:
        """A Problem where a file of a corpus is missing, or lies where no change of it is seen."""
        for source in self.sources:
            for path in source.files(self.folder):
                if not _lies_in(path, self.folder):
                    raise _outside(path, self.folder, source.name)
                if not path.is_file():
                    raise missing(path)

    def batches(self, source: Corpus) -> Iterator[RecordBatch]:
        """The rows of one of the corpora."""
        return source.batches(self.folder)


def _lies_in(path: Path, folder: Path) -> bool:
    """By their names: a link in the folder may lead elsewhere, `..` may not."""
    path, folder = path.absolute(), folder.absolute()
    return path.is_relative_to(folder) and ".." not in path.relative_to(folder).parts


def _outside(path: Path, folder: Path, name: str) -> Problem:
    return Problem(
        f"a file of corpus '{name}' lies outside {folder}, and DVC watches only that folder",
        where="params.yaml, corpora.sources",
        value=str(path),
        remedy="put it into the folder, or a link to it",
    )
