"""What every search is: settings that find the best hypotheses of a batch's sources."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

from pydantic import Field, PositiveInt, model_validator

from pipeline.batches.batch import Batch
from pipeline.decoding.automata import Automaton
from pipeline.decoding.constraints import Constraints, Lengths, constrain
from pipeline.decoding.found import Found
from pipeline.decoding.normalisation import Formula
from pipeline.models.seam import Searchable
from pipeline.settings import Settings


class Search(Settings, ABC):
    """A search over any `Searchable`. A hypothesis' limit of ids, EOS counted, is its source's own:
    floor(max_length_ratio × source ids, EOS counted) + max_length_extra.
    """

    max_length_ratio: float = Field(default=2.0, ge=0)
    """Ids of a hypothesis for each id of its source."""
    max_length_extra: int = Field(default=10, ge=0)
    """Ids on top of that."""
    min_length_ratio: float = Field(default=0.0, ge=0)
    """Ids that a hypothesis has at least for each id of its source, EOS counted on both sides."""
    min_length_extra: int = Field(default=0, ge=0)
    """Ids on top of that. EOS comes earlier only where nothing else is allowed."""
    no_repeat_ngram: PositiveInt | None = None
    """No n ids in a row come twice in a hypothesis, where anything else is allowed; null: any."""

    @model_validator(mode="after")
    def _lengths_fit(self) -> Self:
        lengths = self._lengths()
        grows = self.min_length_ratio > self.max_length_ratio
        if grows or lengths.shortest(1) > lengths.longest(1):
            raise ValueError(
                "the shortest length (min_length_ratio, min_length_extra) is above the longest: "
                "lower it, or raise max_length_ratio or max_length_extra"
            )
        return self

    @abstractmethod
    def most(self) -> int:
        """How many hypotheses of one source the search can give."""

    @abstractmethod
    def formula(self) -> Formula:
        """How a hypothesis is scored."""

    @abstractmethod
    def walk(
        self, model: Searchable, batch: Batch, constraints: Constraints, n_best: int
    ) -> list[list[Found]]:
        """The n-best of each source, of what the constraints allow."""

    def find(
        self,
        model: Searchable,
        batch: Batch,
        *,
        n_best: int = 1,
        prefixes: Sequence[Sequence[int]] | None = None,
        allowed: Automaton | None = None,
    ) -> list[list[Found]]:
        """The n-best of each source of a batch on the model's device: distinct, best first.

        `prefixes` are ids with which each source's hypotheses must begin; `allowed` accepts what
        they may be at all.
        """
        constraints = self.constraints(model, batch, prefixes, allowed)
        return self.walk(model, batch, constraints, n_best)

    def constraints(
        self,
        model: Searchable,
        batch: Batch,
        prefixes: Sequence[Sequence[int]] | None,
        allowed: Automaton | None,
    ) -> Constraints:
        """What these settings, prefixes and an automaton allow each source of a batch."""
        return constrain(
            batch,
            model.vocabulary,
            self._lengths(),
            no_repeat_ngram=self.no_repeat_ngram,
            prefixes=prefixes,
            allowed=allowed,
        )

    def _lengths(self) -> Lengths:
        return Lengths(
            self.max_length_ratio,
            self.max_length_extra,
            self.min_length_ratio,
            self.min_length_extra,
        )
