"""Subword regularisation: other segmentations of a text than the best one, drawn from a key.

A model that sees a text cut now so, now otherwise learns what its pieces have in common (Kudo 2018,
arXiv 1804.10959). SentencePiece's own sampling differs from process to process; here a
segmentation is a pure function of the pieces and a key. Training shows a variant of each example in
an epoch, the best segmentation being one of them; search and validation see the best one only.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from pydantic import Field, PositiveInt

from pipeline.settings import Settings

Segmenter = Callable[[str, Random], list[int]]  # an escaped text, a source of draws → its ids


class Sampler(Settings, ABC):
    """What every way to draw segmentations has; a way is a final class."""

    variants: PositiveInt = 4
    """Drawn segmentations of each training example, kept beside the best one."""
    seed: int = Field(1, ge=0)
    """With an example's id and a variant's number: what a segmentation is drawn from."""

    @abstractmethod
    def segmenter(self, processor: Any) -> Segmenter:
        """What draws with the pieces of a SentencePiece processor; a Problem where it cannot."""


@dataclass(frozen=True, slots=True)
class Draw:
    """One variant of every example: the `number`th of a sampler, from 1."""

    sampler: Sampler
    number: int

    def random(self, row: str, side: str) -> Random:
        """What one side of an example is drawn from."""
        return Random(f"{self.sampler.seed} {self.number} {side} {row}")  # noqa: S311


def has_n_best(processor: Any) -> bool:
    """Are these pieces of a language model, which knows the probability of a segmentation?"""
    try:
        processor.nbest_encode("a", nbest_size=2, out_type=int)
    except RuntimeError:
        return False
    return True
