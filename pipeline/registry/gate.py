"""The gate: is the challenger not worse than the champion, on the same test rows?

For every test set, and every slice of it that is large enough, the paired bootstrap gives the 95 %
interval of the difference; the challenger passes where all of the interval lies above minus the
margin (non-inferiority), or below the margin where lower is better, as of error rates: that it is
not worse has to be shown, not merely not refuted. A refusal whose interval also reaches beyond zero
says that the test set is too small to tell.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import Field, field_validator

from pipeline.choose import nearest
from pipeline.cleaning import RULES
from pipeline.files import digest, read_json
from pipeline.metrics import MetricSettings, as_metric, kind
from pipeline.metrics.bleu import Bleu
from pipeline.metrics.bootstrap import paired
from pipeline.metrics.evaluation import statistics
from pipeline.metrics.metric import Metric
from pipeline.metrics.slices import slices
from pipeline.outputs import Output, read_outputs, rows_digest
from pipeline.records import Check, Verdict, Version
from pipeline.registry.answers import answered
from pipeline.registry.decisions import refuse
from pipeline.registry.drift import drift
from pipeline.registry.former import former_outputs
from pipeline.registry.server import Server
from pipeline.registry.verdicts import find_verdict, store_verdict, verdict_name
from pipeline.registry.versions import CHAMPION, at
from pipeline.settings import Settings


class Gate(Settings):
    """The section `gate` of params.yaml."""

    metric: MetricSettings = Bleu()
    """What decides: a metric's name, or `{kind: NAME, …}` with its fields."""
    margin: float = Field(1.0, ge=0)
    """How much worse, in the metric's unit, a test set may be: the whole 95 % interval of the
    difference must lie at or above minus this; at or below this where lower is better."""
    slice_margin: float = Field(4.0, ge=0)
    """The same for slices, which are smaller and so have wider intervals."""
    min_rows: int = Field(200, ge=1)
    """Slices of fewer rows are not compared."""
    resamples: int = Field(1000, ge=100)
    """Samples of the paired bootstrap."""
    seed: int = 12345
    """Seed of the paired bootstrap; 12345 is sacreBLEU's."""
    drift: dict[str, float] = Field(default_factory=dict[str, float])
    """Cleaning rule → by how much (a share of a corpus' rows) it may drop more than it did for the
    champion."""

    @field_validator("drift")
    @classmethod
    def _rules_exist(cls, drift: dict[str, float]) -> dict[str, float]:
        for name in drift:
            if name not in RULES:
                raise ValueError(f"no rule is called '{name}': {nearest(name, RULES)}")
        return drift


@answered
def judge(server: Server, settings: Gate, challenger: Version, outs: Path) -> Verdict:
    """The verdict on a challenger whose hypotheses and ledgers are in `outs`.

    It is decided once for each challenger, champion, test rows and settings, and stored; asking
    again returns what is stored.
    """
    test_sets, bounds = _rows(outs)
    champion = at(server, CHAMPION)
    empty = _about(settings, challenger, champion, test_sets, bounds)
    if champion is None:
        return store_verdict(server, challenger, empty)
    if champion.number == challenger.number:
        return empty
    known = find_verdict(server, challenger, verdict_name(empty))
    if known is not None:
        return known
    checks = [
        check
        for name, former in former_outputs(server, champion, test_sets).items()
        for check in compare(settings, name, former, test_sets[name], bounds)
    ]
    checks += drift(server, settings.drift, champion, outs / "ledgers")
    outcome = "passed" if all(check.passed for check in checks) else "refused"
    verdict = replace(empty, outcome=outcome, checks=tuple(checks))
    if outcome == "refused":
        refuse(server, verdict)  # before it is stored: then nobody asks again
    return store_verdict(server, challenger, verdict)


@answered
def judged(server: Server, settings: Gate, challenger: Version, outs: Path) -> Verdict | None:
    """What is stored about a version that `outs` do not hold, against today's champion.

    Only what was decided by these settings and on the test rows of `outs` counts.
    """
    about = _about(settings, challenger, at(server, CHAMPION), *_rows(outs))
    return find_verdict(server, challenger, verdict_name(about))


def _rows(outs: Path) -> tuple[dict[str, list[Output]], tuple[int, ...]]:
    """The test sets with what was said to them, and the bounds of the slices by length."""
    bounds = tuple(read_json(outs / "scores" / "scores.json")["length_bounds"])
    return read_outputs(outs / "hypotheses"), bounds


def _about(
    settings: Gate,
    challenger: Version,
    champion: Version | None,
    test_sets: Mapping[str, list[Output]],
    bounds: tuple[int, ...],
) -> Verdict:
    """What a verdict is about, with nothing compared yet."""
    return Verdict(
        outcome="first" if champion is None else "same",
        challenger=challenger.number,
        champion="" if champion is None else champion.number,
        test_digest=digest({name: rows_digest(rows) for name, rows in test_sets.items()}),
        settings_digest=digest([settings.model_dump(mode="json"), bounds]),
    )


@answered
def judge_data(server: Server, settings: Gate, ledgers: Path) -> tuple[Check, ...]:
    """The drift limits alone, which the flow asks about after `clean`, before it trains."""
    if not settings.drift:
        return ()
    return tuple(drift(server, settings.drift, at(server, CHAMPION), ledgers))


def compare(
    settings: Gate,
    test_set: str,
    champion: list[Output],
    challenger: list[Output],
    length_bounds: tuple[int, ...],
) -> list[Check]:
    """The whole test set, then each slice of at least `min_rows` rows; both have the same rows."""
    metric = as_metric(settings.metric)
    name = kind(metric)
    before = statistics(metric, champion).values
    after = statistics(metric, challenger).values
    everything = list(range(len(challenger)))
    checks = [
        _check(settings, metric, f"{test_set} {name}", settings.margin, before, after, everything)
    ]
    for part, rows in slices(challenger, length_bounds).items():
        if len(rows) >= settings.min_rows:
            label = f"{test_set} {part} {name}"
            margin = settings.slice_margin
            checks.append(_check(settings, metric, label, margin, before, after, rows))
    return checks


def _check(
    settings: Gate,
    metric: Metric,
    name: str,
    margin: float,
    champion: np.ndarray,
    challenger: np.ndarray,
    rows: list[int],
) -> Check:
    found = paired(
        metric,
        champion[rows],
        challenger[rows],
        resamples=settings.resamples,
        seed=settings.seed,
    )
    return Check(
        name=name,
        champion=found.champion,
        challenger=found.challenger,
        margin=margin,
        low=found.low,
        high=found.high,
        passed=found.low >= -margin if metric.higher_is_better else found.high <= margin,
        lower_is_better=not metric.higher_is_better,
    )
