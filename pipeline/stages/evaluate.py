"""Evaluate: hypotheses → scores.

artifacts/hypotheses/TESTSET.jsonl
└─ evaluate
   ├─ artifacts/metrics.json                      {test set: {metric: value}}
   └─ artifacts/scores/
      ├─ scores.json                              rows, signatures, slices
      └─ sentences/TESTSET.jsonl                  a line a row: its id and its value by metric
"""

from pathlib import Path

import pipeline.settings
from pipeline.files import canonical_json, empty_folder, write_json, write_text
from pipeline.machine import Machine
from pipeline.metrics.evaluation import Evaluated, Evaluation, evaluate, language_of
from pipeline.outputs import Output, read_outputs, rows_digest


class Settings(pipeline.settings.Settings):
    """What this stage reads of params.yaml."""

    evaluation: Evaluation


def run(settings: Settings, machine: Machine, inputs: Path, outputs: Path) -> None:
    """Score every test set, as a whole, by slice and by sentence."""
    test_sets = read_outputs(inputs / "hypotheses")
    found = {name: evaluate(settings.evaluation, rows) for name, rows in test_sets.items()}
    folder = empty_folder(outputs / "scores")
    for name, rows in test_sets.items():
        lines = zip(rows, found[name].sentences, strict=True)
        text = "".join(canonical_json({"id": row.id, **values}) + "\n" for row, values in lines)
        write_text(folder / "sentences" / f"{name}.jsonl", text)
    facts = {name: _facts(rows, found[name]) for name, rows in test_sets.items()}
    bounds = settings.evaluation.length_bounds
    write_json(folder / "scores.json", {"length_bounds": bounds, "test_sets": facts})
    values = {
        name: {metric: score.value for metric, score in one.scores.items()}
        for name, one in found.items()
    }
    write_json(outputs / "metrics.json", values)


def _facts(rows: list[Output], found: Evaluated) -> dict[str, object]:
    return {
        "rows": len(rows),
        "rows_digest": rows_digest(rows),
        "target_language": language_of(rows),
        "scores": found.scores,
        "slices": found.slices,
    }
