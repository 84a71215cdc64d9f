"""Tricks of training with and without, on Multi30k, German to English, all with the same budget.

    python benchmarks/lessons.py --folder FOLDER --corpora MULTI30K [--json FILE]

The GRU of architectures.py, which of that family comes nearest, in so few steps, to what it will
learn, with the rate that was found for it there; in the same FOLDER its run is the row without any
trick. R-Drop and subword regularisation are as strong as in their papers, the others as named; none
was tuned. R-Drop takes two passes a step, scheduled sampling one more to predict: steps and target
pieces are equal, and the minutes of the processor say what that costs. The test set is decoded
once, with beam 5; the interval of the difference to the row without is a paired bootstrap's, of
1,000 resamples.
"""

from collections.abc import Mapping
from typing import Any

from architectures import MEMBERS
from runs import Bench, Params, ask, bench
from tables import Row, print_row, write_rows

from pipeline.metrics.bleu import Bleu
from pipeline.metrics.bootstrap import paired
from pipeline.metrics.evaluation import statistics
from pipeline.outputs import read_outputs

MODEL = "GRU, additive attention"
PLAIN = "none"
RESAMPLES, SEED = 1000, 12345


def lessons(steps: int) -> Mapping[str, Mapping[str, Params]]:
    """Each trick as a change of params."""
    falling = {"kind": "linear", "over_steps": 2 * steps}  # every second id is true at the end
    drawn = {"kind": "n_best", "n_best": 64, "alpha": 0.1, "variants": 4}  # as Kudo 2018
    return {
        PLAIN: {},
        "moving average, decay 0.99": {"training": {"moving_average": 0.99}},
        "scheduled sampling, from 1 to 0.5": {
            "training": {"scheduled_sampling": {"decay": falling}}
        },
        "R-Drop, weight 5": {"training": {"r_drop": {"weight": 5.0}}},  # as Liang et al. 2021
        "subword regularisation": {"encoding": {"subword_regularisation": drawn}},
    }


def main() -> int:
    parser = ask(__doc__.splitlines()[0])
    parser.add_argument("--lessons", nargs="+", choices=lessons(1), default=list(lessons(1)))
    arguments = parser.parse_args()
    where = bench(arguments)
    model: dict[str, Params] = {
        "model": dict(zip(("encoder", "decoder"), MEMBERS[MODEL], strict=True))
    }
    rate = where.rate(MODEL, model)
    rows: list[Row] = []
    for name in dict.fromkeys([PLAIN, *arguments.lessons]):
        rows.append(measure(where, name, rate, model))
        print_row(rows[-1], first=len(rows) == 1)
    write_rows(arguments.json, rows)
    return 0


def measure(where: Bench, name: str, rate: float, model: Mapping[str, Params]) -> Row:
    """A trick's row."""
    change = lessons(where.steps)[name]
    found = where.run(run_name(name), rate, {**model, **change})
    return {
        "trick": name,
        "cpu_minutes_of_steps": round(found["training_minutes"], 1),
        "valid_bleu_greedy": round(found["valid_bleu"], 1),
        "perplexity": round(found["perplexity"], 2),
        "bleu": round(found["bleu"], 1),
        "bleu_longest_quarter": round(found["bleu_longest_quarter"], 1),
        "difference": difference(where, name),
    }


def run_name(trick: str) -> str:
    return MODEL if trick == PLAIN else f"{MODEL}, {trick}"


def difference(where: Bench, name: str) -> str:
    """BLEU less that of the row without, and the 95 % interval; "" for that row."""
    if name == PLAIN:
        return ""
    plain, other = (_statistics(where, one) for one in (PLAIN, name))
    found = paired(Bleu(), plain, other, resamples=RESAMPLES, seed=SEED)
    middle = found.challenger - found.champion
    return f"{middle:+.1f} ({found.low:+.1f} to {found.high:+.1f})"


def _statistics(where: Bench, name: str) -> Any:
    """What BLEU is made of, for each row of a run's test set."""
    (outputs,) = read_outputs(where.place(run_name(name)) / "artifacts" / "hypotheses").values()
    return statistics(Bleu(), outputs).values


if __name__ == "__main__":
    raise SystemExit(main())
