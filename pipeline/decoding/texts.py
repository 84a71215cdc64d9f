"""What was found as texts. The pieces between ids and text come from the caller."""

from collections.abc import Sequence
from typing import Protocol

from pipeline.decoding.found import Found
from pipeline.records import Hypothesis


class Pieces(Protocol):
    """What is needed of a piece model."""

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Texts of target ids."""
        ...


def hypotheses(
    pieces: Pieces, found: Sequence[Sequence[Found]], formula: str
) -> list[tuple[Hypothesis, ...]]:
    """Each source's n-best as texts, best first; `formula` says what their scores are.

    Several spellings of one text are one hypothesis: the best of them stays, so that the texts of
    an n-best are distinct, and may be fewer than asked for.
    """
    texts = iter(pieces.decode([one.ids for n_best in found for one in n_best]))
    return [_distinct([(next(texts), one) for one in n_best], formula) for n_best in found]


def _distinct(n_best: Sequence[tuple[str, Found]], formula: str) -> tuple[Hypothesis, ...]:
    kept: dict[str, Hypothesis] = {}
    for text, one in n_best:
        kept.setdefault(text, hypothesis(text, one, formula))
    return tuple(kept.values())


def hypothesis(text: str, found: Found, formula: str) -> Hypothesis:
    """What was found as a record."""
    return Hypothesis(text, found.score, found.log_probability, found.length, formula)
