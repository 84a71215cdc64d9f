"""Stored models: a folder with model.json (how to build it) and weights.safetensors.

```
folder/
  model.json           settings, vocabularies, precision
  weights.safetensors  every parameter by name
```
Nothing that is loaded can execute code.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.files import read_json, write_json
from pipeline.models.seq2seq import Model, Precision
from pipeline.models.settings import ModelSettings
from pipeline.models.weights import settle
from pipeline.problems import Problem
from pipeline.settings import parse
from pipeline.tensors import read_tensors, write_tensors

FACTS = "model.json"
WEIGHTS = "weights.safetensors"


def write_model(folder: Path, model: Model) -> None:
    """Write both files; the same model is the same bytes."""
    tensors = {name: value.detach().cpu().numpy() for name, value in model.named_parameters()}
    write_tensors(folder / WEIGHTS, tensors)
    facts = {
        "settings": model.settings.model_dump(),
        "source_vocabulary": model.source_vocabulary,
        "target_vocabulary": model.target_vocabulary,
        "shared": model.shared,
        "precision": model.precision,
    }
    write_json(folder / FACTS, facts)


def read_model(folder: Path, *, precision: Precision | None = None) -> Model:
    """The model of a folder, on the CPU, for search. `precision`: None computes as in training."""
    facts: dict[str, Any] = read_json(folder / FACTS)
    model = Model(
        parse(ModelSettings, facts["settings"], str(folder / FACTS)),
        facts["source_vocabulary"],
        facts["target_vocabulary"],
        shared=facts["shared"],
        precision=precision or facts["precision"],
    )
    _load(model, read_tensors(folder / WEIGHTS), str(folder / WEIGHTS))
    settle(model)
    return model.eval()


def _load(model: Model, tensors: dict[str, np.ndarray[Any, Any]], where: str) -> None:
    """Every parameter from the tensor of its name."""
    parameters = dict(model.named_parameters())
    if different := sorted(parameters.keys() ^ tensors.keys()):
        raise Problem("weights do not belong to model.json", where=where, value=different[0])
    for name, parameter in parameters.items():
        if parameter.shape != tensors[name].shape:
            raise Problem(f"'{name}' has another shape than model.json says", where=where)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(tensors[name]))
