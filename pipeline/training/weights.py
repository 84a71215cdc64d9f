"""Weights by name: out of a model, and into a model."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import Parameter

from pipeline.models.seam import Trainable
from pipeline.problems import Problem


class Learner(Trainable, Protocol):
    """What the engine needs of a model: the seam, and its parameters by name."""

    def named_parameters(self) -> Iterable[tuple[str, Parameter]]:
        """Every trained tensor, once."""
        ...


def weights_of(model: Learner) -> dict[str, Tensor]:
    """Every trained tensor by name; not a copy."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def digest_of(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) of every weight's name and bits."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
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
