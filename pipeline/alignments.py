"""Alignments: where a model looked in the source when it wrote each piece of a hypothesis.

Example line of `artifacts/alignments/test_2016_flickr.jsonl`: `{"id": "test_2016_flickr:0",
"source": ["Ein", " Hund", ""], "target": ["A", " dog", ""], "weights": [[0.9, 0.08, 0.02], …]}`. A
row of weights belongs to a piece of the target, a column to one of the source; EOS, last, is "".
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.files import canonical_json, write_text
from pipeline.problems import Problem

DIGITS = 3  # of a weight: more than a picture shows, fewer than rounding changes


@dataclass(frozen=True, slots=True)
class Alignment:
    """The attention of a row's best hypothesis, a number a pair of pieces."""

    id: str  # of the row
    source: tuple[str, ...]
    target: tuple[str, ...]
    weights: tuple[tuple[float, ...], ...]  # [target][source]; each row sums to 1


def write_alignments(path: Path, alignments: Iterable[Alignment]) -> None:
    """Write one test set's file, atomically."""
    write_text(path, "".join(canonical_json(one) + "\n" for one in alignments))


def read_alignments(folder: Path) -> dict[str, list[Alignment]]:
    """Test set → its alignments, in the order of names; none where the folder is not there."""
    return {path.stem: _read(path) for path in sorted(folder.glob("*.jsonl"))}


def _read(path: Path) -> list[Alignment]:
    with path.open(encoding="utf-8", newline="\n") as file:
        return [_parse(line, f"{path}, line {number}") for number, line in enumerate(file, 1)]


def _parse(line: str, where: str) -> Alignment:
    try:
        fields: dict[str, Any] = json.loads(line)
        weights = tuple(tuple(row) for row in fields["weights"])
        return Alignment(fields["id"], tuple(fields["source"]), tuple(fields["target"]), weights)
    except (ValueError, TypeError, KeyError) as error:
        remedy = "restore it: dvc checkout -f decode"
        raise Problem(f"no line of alignments: {error}", where=where, remedy=remedy) from None
