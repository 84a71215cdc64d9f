"""A model that remembers nothing between steps: each runs `forward` over whole prefixes.

What a search costs without a cache: the same ids, at the price of the square of their number.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.batches.batch import Batch
from pipeline.models.layout import Layout
from pipeline.models.seam import Memory, Step
from pipeline.models.seq2seq import Model


@dataclass(frozen=True, slots=True, eq=False)
class Prefixes:
    """The memory, and what each hypothesis said."""

    memory: Memory
    ids: Tensor  # [sources, beams, steps]

    def select(self, sources: Tensor | None, beams: Tensor) -> "Prefixes":
        """See the seam."""
        ids, memory = self.ids, self.memory
        if sources is not None:
            ids, memory = ids[sources], rows(memory, sources)
        return Prefixes(memory, ids.take_along_dim(beams[:, :, None], 1))


class Uncached:
    """A `Searchable` over `Model.forward`."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.vocabulary = model.vocabulary

    def encode(self, batch: Batch, *, attention: bool = False, steady: bool = False) -> Prefixes:
        """Sources are read once, as in any search."""
        nothing = batch.source.values.new_empty(batch.count, 1, 0)
        return Prefixes(self.model.read(batch, None), nothing)

    def advance(self, ids: Tensor, state: Prefixes) -> tuple[Tensor, None, Prefixes]:
        """The last position of a pass over everything."""
        prefixes = torch.cat([state.ids, ids[:, :, None]], dim=2)
        sources, beams, steps = prefixes.shape
        layout = Layout((steps,) * (sources * beams), ids.device)
        own = torch.arange(sources, device=ids.device).repeat_interleave(beams)
        vectors = self.model.table("target")(prefixes.flatten())
        step = self.model.decoder(vectors, layout, rows(state.memory, own), None)
        last = Step(step.output.view(sources, beams, steps, -1)[:, :, -1], None)
        log_probs = self.model.generator.log_probs(last, None, self.model.table("output"))
        return log_probs, None, Prefixes(state.memory, prefixes)


def rows(memory: Memory, index: Tensor) -> Memory:
    """The memory of these sources, some of them several times."""
    lengths = tuple(memory.layout.lengths[row] for row in index.tolist())
    layout = Layout(lengths, index.device)
    first = memory.layout.starts[index] - layout.starts
    flat = torch.arange(layout.positions, device=index.device) + first[layout.sequence]
    return Memory(memory.states[flat], layout, memory.summary[index], None)
