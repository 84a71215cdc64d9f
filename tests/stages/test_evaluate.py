"""The stage evaluate: run in an empty folder, it writes exactly these files."""

import json
from pathlib import Path

from pipeline.machine import Machine
from pipeline.outputs import Output, write_outputs
from pipeline.records import Hypothesis
from pipeline.stages import evaluate


def output(number: int, text: str, references: tuple[str, ...]) -> Output:
    hypotheses = (Hypothesis(text, -0.5, -2.0, 4),)
    return Output(
        f"t:{number}", "t", f"t:{number}", "ein Satz " * number, references, "de", "en", hypotheses
    )


def test_every_test_set_is_scored(tmp_path: Path):
    rows = [
        output(1, "A dog runs over the field.", ("A dog runs over the field.",)),
        output(9, "a cat sits on a mat", ("The cat sat on the mat.", "A cat sits on a mat.")),
    ]
    write_outputs(tmp_path / "hypotheses" / "t.jsonl", rows)
    write_outputs(tmp_path / "hypotheses" / "u.jsonl", rows[:1])
    given = {"metrics": ["bleu", "exact_match"], "length_bounds": [4]}
    settings = evaluate.Settings(evaluation=given)  # pyright: ignore[reportArgumentType]
    evaluate.run(settings, Machine(), tmp_path, tmp_path / "out")
    written = sorted(p.relative_to(tmp_path / "out").as_posix() for p in _files(tmp_path / "out"))
    assert written == [
        "metrics.json",
        "scores/scores.json",
        "scores/sentences/t.jsonl",
        "scores/sentences/u.jsonl",
    ]
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["t"]["exact_match"] == 0.5
    assert round(metrics["t"]["bleu"], 1) == 82.8
    assert {name: round(value, 9) for name, value in metrics["u"].items()} == {
        "bleu": 100.0,
        "exact_match": 1.0,
    }
    facts = json.loads((tmp_path / "out" / "scores" / "scores.json").read_text())
    assert facts["length_bounds"] == [4]
    assert facts["test_sets"]["t"]["slices"]["length 5+"]["exact_match"] == {
        "metric": "exact_match",
        "rows": 1,
        "signature": "nrefs:var|case:mixed|space:yes",
        "value": 0.0,
    }
    lines = (tmp_path / "out" / "scores" / "sentences" / "t.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["t:1", "t:9"]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
