"""What every search is: settings that find the best hypotheses of a batch's sources."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from pydantic import Field

from pipeline.batches.batch import Batch
from pipeline.decoding.constraints import Constraints, constrain
from pipeline.decoding.found import Found
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

    @abstractmethod
    def most(self) -> int:
        """How many hypotheses of one source the search can give."""

    @abstractmethod
    def find(
        self,
        model: Searchable,
        batch: Batch,
        *,
        n_best: int = 1,
        prefixes: Sequence[Sequence[int]] | None = None,
    ) -> list[list[Found]]:
        """The n-best of each source of a batch on the model's device: distinct, best first.

        `prefixes` are ids with which each source's hypotheses must begin.
        """

    def constraints(
        self, model: Searchable, batch: Batch, prefixes: Sequence[Sequence[int]] | None
    ) -> Constraints:
        """Limits from these settings, and prefixes, of a batch's sources."""
        return constrain(
            batch, model.vocabulary, self.max_length_ratio, self.max_length_extra, prefixes
        )
