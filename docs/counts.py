"""Count the parameters of named combinations for docs/models.md: `make docs` (by generate.py).

The models are built without memory for their weights, so that the page says what the code makes.
"""

import json
from pathlib import Path
from typing import Any

import torch
import yaml

from pipeline.models.seq2seq import Model
from pipeline.models.settings import ModelSettings
from pipeline.settings import parse, read_yaml

ROOT = Path(__file__).resolve().parents[1]
HEAD = ("| model | settings beside the defaults | parts | tables | all |", "|---|---|--:|--:|--:|")
BEGIN = "<!-- Written by `make docs` from docs/counts.py, up to the next such mark. -->\n"
END = "<!-- The rest is written by hand. -->\n"
WIDTH, PIECES = 256, 8000
SOFTMAX = {"kind": "softmax"}
TRANSFORMER = {"kind": "transformer"}
MODERN = {
    "kind": "transformer", "norm": "rms", "activation": "swiglu", "feedforward": 683,
    "positions": "rotary", "key_value_heads": 1,
}  # fmt: skip
FIXED = {"layers": 2, "attention": {"kind": "none"}}
ONE_WAY = {"layers": 2, "bidirectional": False, "reversed": True}

# Name → encoder, decoder, and what else differs from the defaults.
COMBINATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "plain RNN, fixed context": ({"kind": "rnn", **ONE_WAY}, {"kind": "rnn", **FIXED}, {}),
    "LSTM, fixed context": ({"kind": "lstm", **ONE_WAY}, {"kind": "lstm", **FIXED}, {}),
    "GRU": ({"kind": "gru"}, {"kind": "gru"}, {}),
    "GRU, copying": ({"kind": "gru"}, {"kind": "gru"}, {"generator": {"kind": "pointer"}}),
    "LSTM, input feeding": (
        {"kind": "lstm"},
        {"kind": "lstm", "attention": {"kind": "general"}, "input_feeding": True},
        {},
    ),
    "GRU to Transformer": ({"kind": "gru"}, TRANSFORMER, {}),
    "Transformer to GRU": (TRANSFORMER, {"kind": "gru"}, {}),
    "Transformer": (TRANSFORMER, TRANSFORMER, {}),
    "Transformer, three tables": (TRANSFORMER, TRANSFORMER, {"embeddings": "separate"}),
    "Transformer, CTC": (TRANSFORMER, TRANSFORMER, {"ctc": {}}),
    "Transformer, modern": (MODERN, MODERN, {}),
    "deep encoder, shallow decoder": (
        {**TRANSFORMER, "layers": 12}, {**TRANSFORMER, "layers": 1}, {}
    ),
}  # fmt: skip
RECIPES = ("sample-de-en", "multi30k-de-en", "multi30k-de-en-gru", "transformer-base-en-de")


def written(page: str) -> str:
    """The page with the table as it has to be."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return "".join([before, BEGIN, "\n".join(table()), "\n\n", END, after])


def table() -> list[str]:
    """A line a combination."""
    rows = [row(name, *parts) for name, parts in COMBINATIONS.items()]
    return [*HEAD, *rows, *map(recipe, RECIPES)]


def row(name: str, encoder: dict[str, Any], decoder: dict[str, Any], more: dict[str, Any]) -> str:
    """The line of a combination of this page."""
    section = {
        "width": WIDTH,
        "front": {"kind": "ids"},
        "generator": SOFTMAX,
        "encoder": encoder,
        "decoder": decoder,
        **more,
    }
    told = {"encoder": encoder, "decoder": decoder, **more}
    return line(name, f"`{spelled(told)}`", *counts(section, PIECES))


def recipe(name: str) -> str:
    """The line of a recipe."""
    params = read_yaml(ROOT / "recipes" / f"{name}.yaml")
    pieces = params["pieces"]["vocabulary"]
    told = f"the recipe, with {pieces:,} pieces"
    return line(f"`{name}`", told, *counts(params["model"], pieces))


def counts(section: dict[str, Any], pieces: int) -> tuple[int, int]:
    """How many parameters the parts have, and the tables of vectors, with so many shared pieces."""
    settings = parse(ModelSettings, section, "docs/counts.py")
    with torch.device("meta"):
        model = Model(settings, pieces, pieces, shared=True, precision="fp32")
    tables = sum(parameter.numel() for parameter in model.tables.parameters())
    return sum(parameter.numel() for parameter in model.parameters()) - tables, tables


def line(name: str, told: str, parts: int, tables: int) -> str:
    """Counts with all their digits."""
    return f"| {name} | {told} | {parts:,} | {tables:,} | {parts + tables:,} |"


def spelled(settings: dict[str, Any]) -> str:
    """Settings as YAML on one line."""
    plain = json.loads(json.dumps(settings))  # no part is an alias of another
    text = yaml.safe_dump(plain, default_flow_style=True, sort_keys=False, width=999)
    return text.strip().removeprefix("{").removesuffix("}")
