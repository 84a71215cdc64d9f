"""Operations of a training step on a batch: those that are needed, and those that are made.

Both are counted by the engine (`pipeline/training/operations.py`), for a model of the same shape. A
system that lays positions side by side without padding still pads inside attention.
"""

from typing import Any

import numpy as np
import torch

from peers.training.ours import model_values
from pipeline.batches.padding import padding
from pipeline.models.seq2seq import build
from pipeline.models.settings import ModelSettings
from pipeline.settings import parse
from pipeline.training.operations import Operations, operations_of

Lengths = list[int]
Batch = tuple[Lengths, Lengths]  # of sources and targets, EOS counted


class Model:
    """A model of a shape, which all systems train."""

    def __init__(self, shape: dict[str, Any], vocabulary: int) -> None:
        settings = parse(ModelSettings, model_values(shape), "benchmark")
        own = build(settings, vocabulary, vocabulary, shared=True, precision="fp32", seed=1)
        self.operations: Operations = operations_of(own, torch.device("cpu"))

    def needed(self, batch: Batch) -> int:
        """Operations on real positions."""
        return self.operations(padding(*map(np.array, batch), [np.arange(len(batch[0]))]).needed)

    def made(self, batch: Batch, *, flat: bool) -> int:
        """Operations of the batch as it lies in memory; `flat`: padded inside attention alone."""
        sides = [np.array(side) if flat else np.full(len(side), max(side)) for side in batch]
        return self.operations(padding(*sides, [np.arange(len(batch[0]))]).made)
