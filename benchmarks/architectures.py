"""The family of models on Multi30k, German to English, with equal budgets and equal tuning.

    python benchmarks/architectures.py --folder FOLDER --corpora MULTI30K [--plot SVG] [--json FILE]

Every member sees the same groups of the same examples, in as many steps (600 of about 2,500 target
pieces), and its peak rate is the one of three that has the lowest loss on valid after 100 steps.
Everything else is as in the recipe; of the steps, the one with the highest BLEU on valid counts.
The test set is decoded once, with beam 5. Recurrent members have two layers on each side, and an
encoder from both ends has half of them: as many weights. FOLDER keeps every run: whoever stops the
script and calls it again goes on, and once all is there it only prints.
"""

from pathlib import Path
from typing import Any

from plots import draw
from runs import Bench, ask, bench
from tables import Row, print_row, write_rows

RECURRENT: dict[str, Any] = {"units": 256, "dropout": 0.2}
FROM_ONE_END = {**RECURRENT, "layers": 2, "bidirectional": False}
FROM_BOTH_ENDS = {**RECURRENT, "layers": 1, "bidirectional": True}
FIXED = {**RECURRENT, "layers": 2, "attention": {"kind": "none"}}
ADDITIVE = {**RECURRENT, "layers": 2, "attention": {"kind": "additive", "attention_units": 256}}
GENERAL = {**RECURRENT, "layers": 2, "attention": {"kind": "general"}, "input_feeding": True}
LAYER: dict[str, Any] = {"kind": "transformer", "heads": 4, "feedforward": 1024, "dropout": 0.1}
MEMBERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "RNN, fixed context": ({"kind": "rnn", **FROM_ONE_END}, {"kind": "rnn", **FIXED}),
    "LSTM, fixed context": ({"kind": "lstm", **FROM_ONE_END}, {"kind": "lstm", **FIXED}),
    "LSTM, fixed context, reversed source": (
        {"kind": "lstm", **FROM_ONE_END, "reversed": True},
        {"kind": "lstm", **FIXED},
    ),
    "GRU, additive attention": ({"kind": "gru", **FROM_BOTH_ENDS}, {"kind": "gru", **ADDITIVE}),
    "LSTM, general attention, input feeding": (
        {"kind": "lstm", **FROM_BOTH_ENDS},
        {"kind": "lstm", **GENERAL},
    ),
    "Transformer, 3 + 3 layers": ({**LAYER, "layers": 3}, {**LAYER, "layers": 3}),
    "Transformer, 6 + 1 layers": ({**LAYER, "layers": 6}, {**LAYER, "layers": 1}),
}


def main() -> int:
    parser = ask(__doc__.splitlines()[0])
    parser.add_argument("--members", nargs="+", choices=MEMBERS, default=list(MEMBERS))
    parser.add_argument("--plot", type=Path, help="draw BLEU by the source's length into this file")
    arguments = parser.parse_args()
    rows: list[Row] = []
    for name in arguments.members:
        rows.append(measure(bench(arguments), name))
        print_row(rows[-1], first=len(rows) == 1)
    write_rows(arguments.json, rows)
    if arguments.plot:
        draw(arguments.plot, "BLEU by length of the source, in words", by_length(rows))
    return 0


def measure(where: Bench, name: str) -> Row:
    """A member's row."""
    changes = {"model": dict(zip(("encoder", "decoder"), MEMBERS[name], strict=True))}
    rate = where.rate(name, changes)
    found = where.run(name, rate, changes)
    return {
        "model": name,
        "peak_rate": rate,
        "parameters": found["parameters"],
        "target_tokens_per_second": round(found["tokens_per_second"]),
        "perplexity": round(found["perplexity"], 2),
        "bleu": round(found["bleu"], 1),
        "bleu_longest_quarter": round(found["bleu_longest_quarter"], 1),
        "sentences_per_second": round(found["sentences_per_second"], 1),
        "words_of_parts": found["words_of_parts"],
        "bleu_of_parts": found["bleu_of_parts"],
    }


def by_length(rows: list[Row]) -> dict[str, list[tuple[float, float]]]:
    """A member's points: the mean length of each part of the test set, and BLEU of that part."""
    return {
        row["model"]: list(zip(row["words_of_parts"], row["bleu_of_parts"], strict=True))
        for row in rows
    }


if __name__ == "__main__":
    raise SystemExit(main())
