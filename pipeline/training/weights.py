"""Weights by name: out of a model, into a model, and the average of stored ones."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from pipeline.problems import Problem
from pipeline.training.checkpoint import load_weights
from pipeline.training.step import Learner


def weights_of(model: Learner) -> dict[str, Tensor]:
    """Every trained tensor by name; not a copy."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def digest_of(model: Learner) -> str:
    """SHA-256 (hex) of every weight's name and bits."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights_of(model).items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def set_weights(
    model: Learner, weights: Mapping[str, Tensor], *, where: str = "", remedy: str = ""
) -> None:
    """Copy `weights` into the model's parameters, by name; a Problem where they do not fit."""
    parameters = dict(model.named_parameters())
    odd = set(parameters) ^ set(weights) or {
        name for name, p in parameters.items() if p.shape != weights[name].shape
    }
    if odd:
        raise Problem(
            "weights do not fit the model", where=where, value=sorted(odd)[0], remedy=remedy
        )
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])


def average(folders: list[Path]) -> dict[str, Tensor]:
    """The mean of stored weights, taken in float64 in the order of their steps."""
    total: dict[str, Tensor] = {}
    kinds: dict[str, torch.dtype] = {}
    for folder in sorted(folders):
        for name, tensor in load_weights(folder).items():
            kinds[name] = tensor.dtype
            total[name] = total[name] + tensor.double() if name in total else tensor.double()
    return {name: (tensor / len(folders)).to(kinds[name]) for name, tensor in total.items()}
