"""Several models as one: a search sees their combined distribution of the next id."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.batches.batch import Batch
from pipeline.models.seam import Searchable, State
from pipeline.problems import Problem

Combination = Literal["arithmetic", "geometric"]


@dataclass(frozen=True, slots=True, eq=False)
class EnsembleState:
    """The members' states, which move together."""

    members: tuple[State, ...]

    def select(
        self, sources: Int[Tensor, " kept"] | None, beams: Int[Tensor, "kept beams"]
    ) -> "EnsembleState":
        """See the seam."""
        return EnsembleState(tuple(member.select(sources, beams) for member in self.members))


class Ensemble:
    """A `Searchable` of models that share a target vocabulary and read the same sources.

    arithmetic: the mean of their probabilities. geometric: the mean of their log-probabilities,
    renormalised, so that it is a distribution too. Attention is the members' mean.
    """

    def __init__(
        self, members: Sequence[Searchable], combination: Combination = "arithmetic"
    ) -> None:
        sizes = [member.vocabulary for member in members]
        if len(set(sizes)) != 1:
            raise Problem(
                "the models of an ensemble need one and the same target vocabulary",
                where="ensemble",
                value=f"vocabularies of {sizes} ids",
                remedy="train them with the same pieces",
            )
        self.members = tuple(members)
        self.combination: Combination = combination

    @property
    def vocabulary(self) -> int:
        """The members' common number of target ids."""
        return self.members[0].vocabulary

    def encode(
        self, batch: Batch, *, attention: bool = False, steady: bool = False
    ) -> EnsembleState:
        """The state before the first id."""
        states = (
            member.encode(batch, attention=attention, steady=steady) for member in self.members
        )
        return EnsembleState(tuple(states))

    def advance(
        self, ids: Int[Tensor, "sources beams"], state: EnsembleState
    ) -> tuple[
        Float[Tensor, "sources beams vocabulary"],
        Float[Tensor, "sources beams width"] | None,
        EnsembleState,
    ]:
        """Combined log-probabilities, mean attention where all give one, and the new state."""
        steps = [
            member.advance(ids, part)
            for member, part in zip(self.members, state.members, strict=True)
        ]
        log_probs = torch.stack([step[0] for step in steps])
        attentions = [step[1] for step in steps if step[1] is not None]
        attention = _mean(attentions) if len(attentions) == len(steps) else None
        return self._combine(log_probs), attention, EnsembleState(tuple(step[2] for step in steps))

    def _combine(
        self, log_probs: Float[Tensor, "members sources beams vocabulary"]
    ) -> Float[Tensor, "sources beams vocabulary"]:
        if self.combination == "arithmetic":
            return log_probs.logsumexp(0) - math.log(len(self.members))
        return log_probs.mean(0).log_softmax(-1)


def _mean(attentions: Sequence[Tensor]) -> Tensor:
    widths = {attention.shape[2] for attention in attentions}
    if len(widths) != 1:
        raise Problem(
            "the models of an ensemble attend to different numbers of source positions",
            where="ensemble",
            value=sorted(widths),
            remedy="set coverage_penalty to 0",
        )
    return torch.stack(list(attentions)).mean(0)
