"""What the laws named reference share: fixed numbers, modules full of them, and what is equal."""

import torch

from pipeline.models.weights import fill


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def filled(module):
    """With random weights, biases and norms too."""
    fill(module.double(), 1)
    for number, parameter in enumerate(module.parameters()):
        parameter.data += 0.1 * random(*parameter.shape, seed=number)
    return module


def close(ours, theirs, tolerance=1e-9):
    assert ours.shape == theirs.shape
    assert float((ours - theirs).detach().abs().max()) < tolerance
