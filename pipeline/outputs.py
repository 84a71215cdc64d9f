"""Outputs: the test rows with what the model made of them. One file a test set, one line a row.

Example line of `artifacts/hypotheses/test_2016_flickr.jsonl`:
`{"corpus": "test_2016_flickr", "group": "test_2016_flickr:7", "hypotheses": [{"log_probability":
-1.5, "pieces": 9, "score": -0.17, "text": "A man sleeps."}], "id": "test_2016_flickr:7",
"references": ["A man is sleeping."], "source": "Ein Mann schläft.", "source_language": "de",
"target_language": "en"}`
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.files import canonical_json, digest, write_text
from pipeline.problems import Problem
from pipeline.records import Hypothesis


@dataclass(frozen=True, slots=True)
class Output:
    """A test row and its hypotheses, best first."""

    id: str
    corpus: str
    group: str
    source: str
    references: tuple[str, ...]
    source_language: str
    target_language: str
    hypotheses: tuple[Hypothesis, ...]

    @property
    def text(self) -> str:
        """The best hypothesis."""
        return self.hypotheses[0].text


def write_outputs(path: Path, outputs: Iterable[Output]) -> None:
    """Write one test set's file, atomically."""
    write_text(path, "".join(canonical_json(output) + "\n" for output in outputs))


def read_outputs(folder: Path) -> dict[str, list[Output]]:
    """Test set → its outputs, for every file of the folder, in the order of names."""
    paths = sorted(folder.glob("*.jsonl"))
    if not paths:
        raise Problem("no hypotheses", where=str(folder), remedy="run: seqline run")
    return {path.stem: _read(path) for path in paths}


def _read(path: Path) -> list[Output]:
    with path.open(encoding="utf-8", newline="\n") as file:
        return [_parse(line, f"{path}, line {number}") for number, line in enumerate(file, 1)]


def _parse(line: str, where: str) -> Output:
    try:
        fields: dict[str, Any] = json.loads(line)
        hypotheses = tuple(Hypothesis(**one) for one in fields.pop("hypotheses"))
        references = tuple(fields.pop("references"))
        return Output(**fields, references=references, hypotheses=hypotheses)
    except (ValueError, TypeError, KeyError) as error:
        remedy = "restore it: dvc checkout -f decode"
        raise Problem(f"no line of outputs: {error}", where=where, remedy=remedy) from None


def rows_digest(outputs: Sequence[Output]) -> str:
    """What a test set is: the digest of its rows' ids, sources and references, in order."""
    return digest([(row.id, row.source, row.references) for row in outputs])
