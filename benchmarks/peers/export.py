"""Our Transformer's weights under the names of the peers, so that all compute the same function.

M2M100 of `transformers` is the same mathematics: norms before sublayers and a last one, scaled tied
embeddings, ReLU. Its sinusoids are another formula, so ours go along as a table. CTranslate2 reads
the same file (`ctranslate2_peer.py`).

```
folder/
  config.json          arguments of M2M100Config
  weights.safetensors  the parameters of M2M100ForConditionalGeneration, and `positions`
```
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from peers.turns import BOS, EOS, PAD
from pipeline.models.positions import sinusoids
from pipeline.models.seq2seq import Model
from pipeline.models.transformer import TransformerSettings
from pipeline.tensors import write_tensors

Arrays = dict[str, np.ndarray[Any, Any]]
POSITIONS = 1024
WANTED = {"activation": "relu", "norm": "layer", "norm_first": True, "positions": "sinusoidal"}
PARTS = {"query": "q_proj", "key": "k_proj", "value": "v_proj"}
NORMS = {
    "attention_norm": "self_attn_layer_norm",
    "cross_norm": "encoder_attn_layer_norm",
    "network_norm": "final_layer_norm",
}
MAPS = {
    "attention.output": "self_attn.out_proj",
    "cross.output": "encoder_attn.out_proj",
    "network.widen": "fc1",
    "network.narrow": "fc2",
}


class NoLikeError(ValueError):
    """The peers have no model with the same mathematics."""


def export(model: Model, folder: Path) -> None:
    """Write both files."""
    facts = config(model)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().numpy() for name, value in model.named_parameters()}
    write_tensors(folder / "weights.safetensors", renamed(weights, model.settings.width))
    (folder / "config.json").write_text(json.dumps(facts, indent=2) + "\n")


def config(model: Model) -> dict[str, Any]:
    """M2M100Config's arguments; a NoLikeError where the peers have no such model."""
    sides: dict[str, Any] = {}
    for side in ("encoder", "decoder"):
        part = getattr(model.settings, side)
        if not isinstance(part, TransformerSettings):
            raise NoLikeError(f"the peers have no {side} that is no transformer")
        different = {name for name, value in WANTED.items() if getattr(part, name) != value}
        if different or part.key_value_heads not in (None, part.heads):
            raise NoLikeError(f"the peers have no {side} with such {sorted(different)}")
        sides |= {
            f"{side}_layers": part.layers,
            f"{side}_ffn_dim": part.feedforward,
            f"{side}_attention_heads": part.heads,
        }
    if model.settings.embeddings != "tied" or not model.settings.scaled_embeddings:
        raise NoLikeError("the peers' model has tied and scaled embeddings")
    return {
        "vocab_size": model.vocabulary,
        "d_model": model.settings.width,
        **sides,
        "max_position_embeddings": POSITIONS,
        "activation_function": "relu",
        "scale_embedding": True,
        "tie_word_embeddings": True,
        "pad_token_id": PAD,
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "decoder_start_token_id": BOS,
    }


def renamed(weights: Mapping[str, np.ndarray[Any, Any]], width: int) -> Arrays:
    """Every parameter under its peer's name; maps that lie in one matrix are cut apart."""
    position = torch.arange(POSITIONS)
    found: Arrays = {"positions": sinusoids(position, POSITIONS, width, torch.float32).numpy()}
    for name, value in weights.items():
        found |= _renamed(name, value)
    return found


def _renamed(name: str, value: np.ndarray[Any, Any]) -> Arrays:
    """`decoder.layers.0.cross.memory.weight` is k_proj and v_proj of `encoder_attn`."""
    if name == "tables.shared.weight":
        return {"model.shared.weight": value}
    side, *path, kind = name.split(".")
    if path == ["norm"]:
        return {f"model.{side}.layer_norm.{kind}": value}
    number, place = path[1], ".".join(path[2:])
    block = f"model.{side}.layers.{number}"
    if place in NORMS:
        return {f"{block}.{NORMS[place]}.{kind}": value}
    if place in MAPS:
        return {f"{block}.{MAPS[place]}.{kind}": value}
    attention, maps = {
        "attention.project": ("self_attn", ("query", "key", "value")),
        "cross.query": ("encoder_attn", ("query",)),
        "cross.memory": ("encoder_attn", ("key", "value")),
    }[place]
    parts = np.split(value, len(maps))
    return {
        f"{block}.{attention}.{PARTS[map]}.{kind}": part
        for map, part in zip(maps, parts, strict=True)
    }
