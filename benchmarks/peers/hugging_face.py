"""`transformers`: M2M100 with our weights and our table of positions, and its `generate`.

python -m peers.hugging_face FOLDER        (tasks: `turns.py`; files: `export.py`)
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import M2M100Config, M2M100ForConditionalGeneration

from peers.turns import EOS, PAD, Ids, batches, limit, serve, until_eos

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    models: dict[str, M2M100ForConditionalGeneration] = {}

    def decode(task: dict[str, Any]) -> list[Ids]:
        precision = task["precision"]
        if precision not in models:
            models[precision] = load(folder, TYPES[precision])
        return run(models[precision], task)

    serve(decode)


def load(folder: Path, dtype: torch.dtype) -> M2M100ForConditionalGeneration:
    """The model; position p of a sequence is row PAD + 1 + p of its table."""
    config = M2M100Config(**json.loads((folder / "config.json").read_text()))
    config._attn_implementation = "sdpa"
    model = M2M100ForConditionalGeneration(config)
    weights = load_file(folder / "weights.safetensors")
    positions = weights.pop("positions")
    result = model.load_state_dict(weights, strict=False)
    tied = {"model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight"}
    assert not result.unexpected_keys, result.unexpected_keys
    assert set(result.missing_keys) <= {*tied, "lm_head.weight"}, result.missing_keys
    model.tie_weights()
    for part in (model.model.encoder, model.model.decoder):
        part.embed_positions.weights[PAD + 1 : PAD + 1 + len(positions)] = positions
    return model.eval().to(dtype)


def run(model: M2M100ForConditionalGeneration, task: dict[str, Any]) -> list[Ids]:
    """Hypotheses in the order of the sources."""
    found: list[Ids] = [[] for _ in task["sources"]]
    for rows in batches(task["sources"], task["batch"]):
        sources = [torch.tensor(task["sources"][row]) for row in rows]
        ids = torch.nn.utils.rnn.pad_sequence(sources, batch_first=True, padding_value=PAD)
        with torch.inference_mode():
            outputs = model.generate(
                input_ids=ids, attention_mask=(ids != PAD).long(), **options(task, ids.shape[1])
            )
        for row, output in zip(rows, outputs.tolist(), strict=True):
            found[row] = until_eos(output[1:])  # BOS first
    return found


def options(task: dict[str, Any], longest: int) -> dict[str, Any]:
    """The mean log-probability orders hypotheses; a source is done when enough have ended."""
    most = limit(task, longest)
    return {
        "do_sample": False,
        "num_beams": task["beam_size"],
        "early_stopping": task["beam_size"] > 1,
        "length_penalty": 1.0,
        "max_new_tokens": most,
        "min_new_tokens": most - 1 if task["length"] else None,
        "eos_token_id": EOS,
    }


if __name__ == "__main__":
    main()
