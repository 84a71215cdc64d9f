"""Alignments as tables of tinted cells, which the page's template turns into HTML."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.alignments import Alignment
from pipeline.outputs import Output

END = "⏎"  # of a sequence
NOTHING = "·"  # a piece that adds no character, as the first byte of one


@dataclass(frozen=True, slots=True)
class Cell:
    """A pair of pieces: how much ink (0 to 1), and what the pointer is told."""

    ink: float
    weight: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One alignment: pieces of the source above, of the target beside, and a cell for each pair."""

    id: str
    source_language: str
    target_language: str
    source: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def pictures(alignments: Sequence[Alignment], outputs: Sequence[Output]) -> list[Picture]:
    """The alignments in their order, in the languages of their rows."""
    rows = {output.id: output for output in outputs}
    return [_picture(one, rows[one.id]) for one in alignments if one.id in rows]


def _picture(alignment: Alignment, row: Output) -> Picture:
    cells = [tuple(Cell(weight, f"{weight:.2f}") for weight in one) for one in alignment.weights]
    return Picture(
        id=alignment.id,
        source_language=row.source_language,
        target_language=row.target_language,
        source=_named(alignment.source),
        rows=tuple(zip(_named(alignment.target), cells, strict=True)),
    )


def _named(pieces: Sequence[str]) -> tuple[str, ...]:
    """Pieces as they can be seen: a space that begins a word is the gap between two cells."""
    seen = [piece.strip() or NOTHING for piece in pieces]
    return (*seen[:-1], END)
