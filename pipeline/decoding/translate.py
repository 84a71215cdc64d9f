"""Texts in, hypotheses as texts out. The pieces between text and ids come from the caller."""

from collections.abc import Sequence
from typing import Protocol

import torch

from pipeline.decoding.decode import Decoding, decode
from pipeline.decoding.found import Found
from pipeline.models.seam import Searchable
from pipeline.records import Hypothesis


class Pieces(Protocol):
    """What is needed of a piece model."""

    def encode_source(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each source, EOS at the end."""
        ...

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Texts of target ids."""
        ...


def translate(
    model: Searchable,
    pieces: Pieces,
    texts: Sequence[str],
    decoding: Decoding,
    *,
    batch_sentences: int = 64,
    device: torch.device | str = "cpu",
) -> list[tuple[Hypothesis, ...]]:
    """The hypotheses of each text, best first, in the order given."""
    found = decode(
        model,
        pieces.encode_source(texts),
        decoding.search,
        n_best=decoding.n_best,
        batch_sentences=batch_sentences,
        device=device,
    )
    return hypotheses(pieces, found)


def hypotheses(pieces: Pieces, found: Sequence[Sequence[Found]]) -> list[tuple[Hypothesis, ...]]:
    """Found ids as texts. Several spellings of one text are one hypothesis: the best of them stays,
    so that the texts of an n-best are distinct, and may be fewer than asked for.
    """
    texts = iter(pieces.decode([one.ids for n_best in found for one in n_best]))
    return [_distinct([(next(texts), one) for one in n_best]) for n_best in found]


def _distinct(n_best: Sequence[tuple[str, Found]]) -> tuple[Hypothesis, ...]:
    kept: dict[str, Hypothesis] = {}
    for text, one in n_best:
        kept.setdefault(text, Hypothesis(text, one.score, one.log_probability, one.length))
    return tuple(kept.values())
