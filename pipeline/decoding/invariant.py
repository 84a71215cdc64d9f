"""A model whose results do not depend on the batch at all, not even in the last bit.

Floating-point sums depend on the shapes of what is computed: other products for other numbers of
rows, other sums for other padding. Here every shape depends on a source's own length alone. A batch
holds sources of one length, filled up to ROWS with copies, and of each as many hypotheses as the
search has places; nothing leaves it. What search keeps is read out of it, what it drops goes on
unseen. So a source costs the same whatever ends early: this is the price.

Measured for products whose widths are multiples of 16, as layers and vocabularies have them: each
of ROWS rows gets the same bits at any place. Kernels for odd widths below that promise nothing; and
those of processors with AVX2 sum otherwise where a row does not begin at a whole vector in memory.
So the views in which attention computes, which are as wide as sources and steps are long, are
padded to whole ones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.batches.batch import EOS, Batch, Ragged
from pipeline.models.cache import WHOLE
from pipeline.models.seam import Searchable, State

ROWS = 16  # sources side by side; products of 7 rows and more give a row the same bits anywhere


@dataclass(frozen=True, slots=True, eq=False)
class InvariantState:
    """The whole batch, and where in it the sources are that search still knows."""

    whole: State
    beams: int  # hypotheses of a source in the whole
    most: int  # those of any later step
    rows: Int[Tensor, " sources"]

    def select(
        self, sources: Int[Tensor, " kept"] | None, beams: Int[Tensor, "kept beams"]
    ) -> "InvariantState":
        """See the seam; in the whole only beams move."""
        rows = self.rows if sources is None else self.rows[sources]
        every = torch.zeros(ROWS, self.most, dtype=beams.dtype, device=beams.device)
        every[rows, : beams.shape[1]] = beams
        return InvariantState(self.whole.select(None, every), self.most, self.most, rows)


class Invariant:
    """A `Searchable` around another one, for batches of at most ROWS sources of one length."""

    def __init__(self, model: Searchable, most: int) -> None:
        self.model = model
        self.most = most  # hypotheses of a source

    @property
    def vocabulary(self) -> int:
        """How many target ids there are."""
        return self.model.vocabulary

    def encode(
        self, batch: Batch, *, attention: bool = False, steady: bool = True
    ) -> InvariantState:
        """The state before the first id, which is steady whoever asks."""
        assert batch.count <= ROWS and len(set(batch.source.lengths)) == 1, batch.source.lengths
        whole = self.model.encode(_filled(batch), attention=attention, steady=True)
        rows = torch.arange(batch.count, device=batch.index.device)
        return InvariantState(whole, 1, self.most, rows)

    def advance(
        self, ids: Int[Tensor, "sources beams"], state: InvariantState
    ) -> tuple[
        Float[Tensor, "sources beams vocabulary"],
        Float[Tensor, "sources beams longest"] | None,
        InvariantState,
    ]:
        """One step of the whole, of which search sees its own part."""
        every = torch.full((ROWS, state.beams), EOS, dtype=ids.dtype, device=ids.device)
        every[state.rows, : ids.shape[1]] = ids
        log_probs, attention, whole = self.model.advance(every, state.whole)
        after = InvariantState(whole, state.beams, state.most, state.rows)
        mine = state.rows, slice(ids.shape[1])
        return log_probs[mine], None if attention is None else attention[mine], after


def _filled(batch: Batch) -> Batch:
    """ROWS sources: those of the batch, and the first one again and again."""
    missing = ROWS - batch.count
    length = batch.source.lengths[0]
    copies = batch.source.values[:length]
    values = torch.cat([batch.source.values, *[copies] * missing])
    index = torch.cat([batch.index, batch.index[:1].expand(missing)])
    return Batch(Ragged(values, (length,) * ROWS, WHOLE), None, None, index)


def level_batches(lengths: Sequence[int], sentences: int) -> Iterator[list[int]]:
    """Rows in batches of equal lengths, longest first, of at most ROWS and `sentences`."""
    at_most = min(sentences, ROWS)
    for length in sorted(set(lengths), reverse=True):
        rows = [row for row, one in enumerate(lengths) if one == length]
        for start in range(0, len(rows), at_most):
            yield rows[start : start + at_most]
