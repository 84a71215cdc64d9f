"""The seam of all models: the contracts that training, search and the parts agree on.

N sources, K hypotheses of each (K = 1 in training and greedy search), width D, vocabulary V.
Training knows only `weights`, `counts` and `losses`; search knows only `encode` and `advance`.
A model is made of four parts (`parts.py`); vectors are kept for real positions only, flat.
One mask convention: True = real, may be attended, counts in the loss.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

from pipeline.batches.batch import Batch
from pipeline.models.layout import Layout


@dataclass(frozen=True, slots=True)
class Chance:
    """The key of a step's random numbers. None in its place means evaluation: nothing is drawn."""

    seed: int
    step: int
    turn: int = 0  # 1: the second pass over the same batch, which draws its own


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """What a front end makes of sources: vectors, where they lie, and ids where they align."""

    values: Float[Tensor, "positions width"]
    layout: Layout
    ids: Int[Tensor, " positions"] | None


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """What an encoder makes of sources: per source, never repeated for its hypotheses."""

    states: Float[Tensor, "positions width"]
    layout: Layout
    summary: Float[Tensor, "sources width"]  # where a decoder may start from
    ids: Int[Tensor, " positions"] | None  # copying needs them; None after subsampling


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A decoder's output: flat positions in training, rows of hypotheses in search.

    `attention` (padded to the longest source, in evaluation sums to 1) is there when asked for.
    """

    output: Float[Tensor, "*places width"]
    attention: Float[Tensor, "*places longest"] | None


class State(Protocol):
    """What a search carries from step to step: `fixed` per source, `moving` per hypothesis."""

    def select(
        self, sources: Int[Tensor, " kept"] | None, beams: Int[Tensor, "kept beams"]
    ) -> "State":
        """Keep these sources (None: all, and nothing fixed moves) and these beams of each."""
        ...


class Trainable(Protocol):
    """What training knows of a model."""

    @property
    def weights(self) -> Mapping[str, float]:
        """The weight of each term of the loss."""
        ...

    def counts(self, batch: Batch) -> Mapping[str, int]:
        """What each term's sum is divided by, from the batch alone."""
        ...

    def losses(self, batch: Batch, chance: Chance | None) -> Mapping[str, Float[Tensor, ""]]:
        """The sum of each term over the batch, in nats."""
        ...


@runtime_checkable
class Searchable(Protocol):
    """What search knows of a model; an ensemble is one too."""

    @property
    def vocabulary(self) -> int:
        """How many target ids there are."""
        ...

    def encode(self, batch: Batch, *, attention: bool = False, steady: bool = False) -> State:
        """The state before the first id, one hypothesis a source.

        `attention`: `advance` gives it. `steady`: shapes of what is computed depend on the batch's
        lengths, the steps and the numbers of hypotheses alone, and not on what these say.
        """
        ...

    def advance(
        self, ids: Int[Tensor, "sources beams"], state: Any
    ) -> tuple[
        Float[Tensor, "sources beams vocabulary"],
        Float[Tensor, "sources beams longest"] | None,
        State,
    ]:
        """Feed one id to every hypothesis: log-probabilities of the next, attention if asked.

        Nothing follows EOS: what comes back where it is fed is finite, and means nothing.
        `state` is what this model's own `encode`, `advance` or `select` gave, so of its own type.
        """
        ...
