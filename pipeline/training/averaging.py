"""The average of stored weights, which a finished run results in."""

from pathlib import Path

import torch
from torch import Tensor

from pipeline.training.checkpoint import load_weights


def average(folders: list[Path]) -> dict[str, Tensor]:
    """The mean of stored weights, taken in float64 in the order of their steps."""
    total: dict[str, Tensor] = {}
    kinds: dict[str, torch.dtype] = {}
    for folder in sorted(folders):
        for name, tensor in load_weights(folder).items():
            kinds[name] = tensor.dtype
            total[name] = total[name] + tensor.double() if name in total else tensor.double()
    return {name: (tensor / len(folders)).to(kinds[name]) for name, tensor in total.items()}
