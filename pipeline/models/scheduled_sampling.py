"""Scheduled sampling: prefixes that hold, here and there, what the model itself would have written.

A model that is taught with true prefixes only never sees its own mistakes (exposure bias; Bengio et
al. 2015, arXiv 1506.03099). The parallel form, for every decoder (Mihaylova & Martins 2019, arXiv
1906.07651; Duckworth et al. 2019, arXiv 1906.04331): a pass over the true prefixes predicts all
positions at once, and the pass that is learned from reads some of these predictions. Example: of
the target a b c d with predictions a x c d, the second pass may read BOS a x c.

Predictions are made as in search: without dropout, the most probable id, no gradient through them.
Which positions hold them is drawn from the example's key. No device is asked for anything.
"""

from dataclasses import replace
from typing import Annotated

import torch
from jaxtyping import Int
from pydantic import PositiveInt, SerializeAsAny
from torch import Tensor

from pipeline.batches.batch import Batch, Ragged
from pipeline.choose import chosen
from pipeline.models import DECAYS
from pipeline.models.decay import Decay
from pipeline.models.dropout import drawn, example_keys, position_keys, salted, site
from pipeline.models.layout import Layout
from pipeline.models.seam import Chance, Memory
from pipeline.models.seq2seq import Model
from pipeline.models.softmax import parts
from pipeline.settings import Settings

SITE = site("scheduled sampling")


class ScheduledSampling(Settings):
    """How often prefixes hold predictions."""

    decay: Annotated[SerializeAsAny[Decay], chosen(DECAYS)]
    """The probability that an id of a prefix is the target's own, by step."""
    passes: PositiveInt = 1
    """Passes that predict, each over the prefixes that the one before gave."""

    def mixed(self, model: Model, batch: Batch, chance: Chance) -> Batch:
        """The batch with the prefixes that this step's second pass reads."""
        share = 1 - self.decay.truth(chance.step)
        if share == 0:
            return batch
        assert batch.prefix is not None
        truth, layout = batch.prefix, Layout(batch.prefix.lengths, batch.prefix.values.device)
        keys = position_keys(example_keys(chance, batch.index), layout)
        assert keys is not None
        predicted = drawn(salted(keys, SITE), share) & (layout.position > 0)  # BOS stays
        with torch.no_grad():
            memory = model.read(batch, None)
            for _ in range(self.passes):
                own = _shifted(predictions(model, batch, memory))
                values = torch.where(predicted, own, truth.values)
                batch = replace(batch, prefix=Ragged(values, truth.lengths))
        return batch


def predictions(model: Model, batch: Batch, memory: Memory) -> Int[Tensor, " positions"]:
    """The most probable next id at every position of the prefixes."""
    step = model.teach(batch, memory, None, attention=model.settings.generator.needs_attention)
    chunks = parts(len(step.output))
    return torch.cat([model.log_probs(batch, memory, step, part).argmax(-1) for part in chunks])


def _shifted(ids: Int[Tensor, " positions"]) -> Int[Tensor, " positions"]:
    """What is predicted at a position, as what is read at the next one."""
    return ids.roll(1)
