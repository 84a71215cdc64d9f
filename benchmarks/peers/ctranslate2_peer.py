"""CTranslate2: a TransformerSpec filled with our weights and positions, and `translate_batch`.

    python -m peers.ctranslate2_peer FOLDER WORKERS    (tasks: `turns.py`; files: `export.py`)

Ids are tokens whose names are their numbers. Its translators, of one thread each, share a process.
"""

import json
import sys
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from ctranslate2.specs import TransformerSpec
from safetensors.numpy import load_file

from peers.turns import BOS, EOS, UNKNOWN, Ids, limit, serve

TYPES = {"fp32": "float32", "int8": "int8"}
Arrays = dict[str, np.ndarray]


def main() -> None:
    folder, workers = Path(sys.argv[1]), int(sys.argv[2])
    converted = folder / "ctranslate2"
    if not converted.exists():
        convert(folder, converted)
    translators: dict[str, ctranslate2.Translator] = {}

    def decode(task: dict[str, Any]) -> list[Ids]:
        precision = task["precision"]
        if precision not in translators:
            translators[precision] = ctranslate2.Translator(
                str(converted),
                compute_type=TYPES[precision],
                inter_threads=workers,
                intra_threads=1,
            )
        return run(translators[precision], task)

    serve(decode)


def run(translator: ctranslate2.Translator, task: dict[str, Any]) -> list[Ids]:
    """Hypotheses in the order of the sources; it sorts them by length itself."""
    sources = [list(map(str, source)) for source in task["sources"]]
    most = limit(task, max(map(len, sources)))
    results = translator.translate_batch(
        sources,
        max_batch_size=task["batch"],
        beam_size=task["beam_size"],
        length_penalty=1.0,
        max_decoding_length=most,
        min_decoding_length=most if task["length"] else 1,
        max_input_length=0,
    )
    return [list(map(int, one.hypotheses[0])) for one in results]


def convert(folder: Path, target: Path) -> None:
    """Write its model folder."""
    config = json.loads((folder / "config.json").read_text())
    weights = load_file(folder / "weights.safetensors")
    spec = TransformerSpec.from_config(
        (config["encoder_layers"], config["decoder_layers"]), config["encoder_attention_heads"]
    )
    for side in ("encoder", "decoder"):
        fill(getattr(spec, side), side, weights)
    spec.decoder.projection.weight = weights["model.shared.weight"]
    tokens = [str(number) for number in range(config["vocab_size"])]
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.config.bos_token = spec.config.decoder_start_token = str(BOS)
    spec.config.eos_token, spec.config.unk_token = str(EOS), str(UNKNOWN)
    spec.config.layer_norm_epsilon = 1e-5
    spec.validate()
    spec.optimize()
    target.mkdir()
    spec.save(str(target))


def fill(part: Any, side: str, weights: Arrays) -> None:
    """An encoder or decoder."""
    embeddings = part.embeddings[0] if side == "encoder" else part.embeddings
    embeddings.weight = weights["model.shared.weight"]
    part.scale_embeddings = True
    part.position_encodings.encodings = weights["positions"]
    norm(part.layer_norm, f"model.{side}.layer_norm", weights)
    for number, layer in enumerate(part.layer):
        block = f"model.{side}.layers.{number}"
        own = layer.self_attention
        norm(own.layer_norm, f"{block}.self_attn_layer_norm", weights)
        maps(own.linear[0], f"{block}.self_attn", "qkv", weights)
        maps(own.linear[1], f"{block}.self_attn", "", weights)
        if side == "decoder":
            cross = layer.attention
            norm(cross.layer_norm, f"{block}.encoder_attn_layer_norm", weights)
            for own, which in zip(cross.linear, ("q", "kv", ""), strict=True):
                maps(own, f"{block}.encoder_attn", which, weights)
        norm(layer.ffn.layer_norm, f"{block}.final_layer_norm", weights)
        linear(layer.ffn.linear_0, weights, f"{block}.fc1")
        linear(layer.ffn.linear_1, weights, f"{block}.fc2")


def norm(spec: Any, name: str, weights: Arrays) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]


def maps(spec: Any, attention: str, which: str, weights: Arrays) -> None:
    """The maps of an attention that lie in one matrix; none named: the output's."""
    linear(spec, weights, *(f"{attention}.{one}_proj" for one in which or ["out"]))


def linear(spec: Any, weights: Arrays, *names: str) -> None:
    spec.weight = np.concatenate([weights[f"{name}.weight"] for name in names])
    spec.bias = np.concatenate([weights[f"{name}.bias"] for name in names])


if __name__ == "__main__":
    main()
