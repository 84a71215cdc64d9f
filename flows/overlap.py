"""The corpora of a run: their files are there, and none is both trained on and tested on.

Files with sources are compared by their opening, about a megabyte of text, however they are packed;
rows are compared later, by the cleaning rule `leak`.
"""

from itertools import permutations
from pathlib import Path

from pipeline.cleaning.sift import Cleaning
from pipeline.corpora.filed import FileCorpus
from pipeline.corpora.lines import read_lines
from pipeline.corpora.selection import Corpora
from pipeline.files import digest
from pipeline.problems import Problem
from pipeline.settings import Settings, load

PARAMS = Path("params.yaml")


class Sections(Settings):
    """What this looks at in params.yaml."""

    corpora: Corpora
    cleaning: Cleaning


def check_corpora() -> list[str]:
    """A Problem where train and test share a file; notes on what is not looked for."""
    sections = load(Sections, PARAMS)
    sections.corpora.check_files()
    filed = [source for source in sections.corpora.sources if isinstance(source, FileCorpus)]
    openings = {source.name: _opening(source, sections.corpora.folder) for source in filed}
    for train, test in permutations(filed, 2):
        if not _trains(train) or not _tests(test) or (train.split and test.split):
            continue
        if openings[test.name] and openings[train.name] == openings[test.name]:
            raise Problem(
                f"corpus '{test.name}' tests on what corpus '{train.name}' trains on",
                where=str(test.files(sections.corpora.folder)[0]),
                remedy="name another file in params.yaml, corpora.sources",
            )
    if "leak" in sections.cleaning.names():
        return []
    return ["cleaning has no rule 'leak': what occurs in valid or test may be trained on"]


def _trains(source: FileCorpus) -> bool:
    return source.role == "train" or source.split is not None


def _tests(source: FileCorpus) -> bool:
    return source.role == "test" or (source.split is not None and source.split.test > 0)


def _opening(source: FileCorpus, folder: Path) -> str:
    """The digest of how the file of sources, the first, begins; "" for an empty one."""
    lines = next(read_lines(source.files(folder)[0], source.line_end), None)
    return digest(lines.to_pylist()) if lines is not None and len(lines) else ""
