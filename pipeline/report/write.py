"""Write the report: artifacts, verdict and the champion's outputs → one HTML file.

The page opens offline: styles and drawings are inside, nothing is fetched. All texts are escaped.
"""

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pipeline.alignments import read_alignments
from pipeline.files import read_json, write_text
from pipeline.metrics import higher_is_better
from pipeline.outputs import Output, read_outputs
from pipeline.records import Verdict, Version
from pipeline.report.charts import HEIGHT, LEFT, RIGHT, TOP, WIDTH, Chart, curves, interval
from pipeline.report.examples import contrasts, extremes
from pipeline.report.ledgers import read_ledgers
from pipeline.report.tints import pictures

EXAMPLES = 5
COLOURS = (  # of a chart's lines, from the first on and again
    "#2457a6", "#c2691c", "#1d7a46", "#8e3b9e", "#b3261e", "#0e8a93",
    "#8a7400", "#d14d8b", "#6673e0", "#5f7a1d", "#8a4b2a", "#3b3f46",
)  # fmt: skip
HEADLINES = {
    "first": "First version: there was no champion to compare it with.",
    "passed": "Passed: on every test set and slice it was shown to be not worse than the champion.",
    "refused": "Refused: at least one check did not show that it is not worse than the champion.",
    "same": "This version is the champion itself.",
}


def write_report(
    path: Path,
    *,
    outs: Path,
    verdict: Verdict | None,
    version: Version | None,
    champion_hypotheses: Mapping[str, Sequence[Output]] | None,
    bill: Sequence[Mapping[str, str]] = (),
) -> None:
    """Write the page to `path`.

    `champion_hypotheses` are the champion's outputs on the same test rows, by test set; `bill` has
    a line a stage: stage, outcome, time, forecast, cost. What is None or empty is left out.
    """
    import jinja2

    page = resources.files("pipeline.report").joinpath("page.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = number
    template = environment.from_string(page)
    facts = gather(outs, verdict, champion_hypotheses or {})
    text = template.render(verdict=verdict, version=version, bill=list(bill), **facts)
    write_text(path, text)


def number(value: float, metric: str = "") -> str:
    """A score for people: shares with four digits, points with two."""
    share = metric.endswith("exact_match") or metric.startswith("drift ")
    return f"{value:.4f}" if share else f"{value:.2f}"


def gather(
    outs: Path, verdict: Verdict | None, champion: Mapping[str, Sequence[Output]]
) -> dict[str, Any]:
    """Everything that the template names, from the outs."""
    scores: dict[str, Any] = read_json(outs / "scores" / "scores.json")
    test_sets = read_outputs(outs / "hypotheses")
    return {
        "headline": "" if verdict is None else HEADLINES[verdict.outcome],
        "checks": [] if verdict is None else [(one, interval(one)) for one in verdict.checks],
        "scores": scores["test_sets"],
        "alignments": {
            name: pictures(lines, test_sets[name])
            for name, lines in read_alignments(outs / "alignments").items()
            if lines and name in test_sets
        },
        "charts": _charts(outs),
        "colours": COLOURS,
        "frame": {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP},
        "ledgers": read_ledgers(outs),
        "examples": {name: _examples(outs, name, rows) for name, rows in test_sets.items()},
        "contrasts": {
            name: contrasts(champion[name], rows, EXAMPLES)
            for name, rows in test_sets.items()
            if name in champion
        },
    }


def _charts(outs: Path) -> list[Chart]:
    """The curves, where there are some: a clone may hold what is registered without them."""
    path = outs / "curves.csv"
    if not path.is_file():
        return []
    valid: dict[str, float] = read_json(outs / "model" / "run.json")["valid"]
    return curves(path, next(name for name in valid if name != "loss"))


def _examples(outs: Path, test_set: str, rows: list[Output]) -> dict[str, Any]:
    """Worst and best by sentence chrF, or by the first metric where chrF was not asked for."""
    path = outs / "scores" / "sentences" / f"{test_set}.jsonl"
    with path.open(encoding="utf-8", newline="\n") as file:
        values: list[dict[str, Any]] = [json.loads(line) for line in file]
    names = [name for name in values[0] if name != "id"]
    metric = "chrf" if "chrf" in names else names[0]
    given = [line[metric] for line in values]
    worst, best = extremes(rows, given, EXAMPLES, falling=not higher_is_better(metric))
    return {"metric": metric, "worst": worst, "best": best}
