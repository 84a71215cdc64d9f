"""Sifting: the rules in their order over the rows of train; the ledger of what went.

Two passes: the first judges every row, the second writes those that stay. Between them only a byte
a row and the keys of the rows are kept, on disk.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Self

import pyarrow as pa
from pydantic import Field, SerializeAsAny, model_validator

from pipeline.arrow import RecordBatch
from pipeline.choose import chosen, nearest
from pipeline.cleaning import RULES
from pipeline.cleaning.judge import KEPT, Judge, normalised
from pipeline.cleaning.repeats import Verdicts
from pipeline.cleaning.rule import HeldOutRule, Judgement, RepeatRule, RowRule, Rule
from pipeline.normalise import Normaliser
from pipeline.problems import Problem
from pipeline.records import Ledger
from pipeline.settings import Settings
from pipeline.tally import Tally


class Cleaning(Settings):
    """The section `cleaning` of params.yaml."""

    rules: tuple[Annotated[SerializeAsAny[Rule], chosen(RULES)], ...] = Field(max_length=KEPT - 1)
    """The rules in order, each with its `kind`; the first that hits a row gives the reason."""
    samples_per_rule: int = Field(5, ge=0)
    """Dropped rows of each corpus and rule that the ledger keeps."""
    limits: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    """Rule → largest share of a corpus that it may drop; above it the stage stops."""

    @model_validator(mode="after")
    def _limits_name_rules(self) -> Self:
        names = self.names()
        for name in self.limits:
            if name not in names:
                raise ValueError(f"limits: no rule '{name}' in rules: {nearest(name, names)}")
        return self

    def names(self) -> list[str]:
        """The rules' names, which are the reasons, in order."""
        kinds = {kind: name for name, kind in RULES.items()}
        return [kinds[type(rule)] for rule in self.rules]


def judge_of(
    cleaning: Cleaning, normaliser: Normaliser, held_out: Callable[[], Iterable[RecordBatch]]
) -> Judge:
    """The judge of these rules; `held_out()` gives the rows of valid and test from their start."""
    judgements: list[tuple[int, Judgement]] = []
    for index, rule in enumerate(cleaning.rules):
        if isinstance(rule, RowRule):
            judgements.append((index, rule.drop))
        elif isinstance(rule, HeldOutRule):
            held = (normalised(rows, normaliser) for rows in held_out())
            judgements.append((index, rule.against(held)))
    repeats = tuple(rule for rule in cleaning.rules if isinstance(rule, RepeatRule))
    return Judge(normaliser, tuple(judgements), repeats)


def record(cleaning: Cleaning, judged: Iterable[RecordBatch], folder: Path, rows: int) -> Verdicts:
    """The final verdicts of all rows, kept in `folder`; `rows` is about how many will come."""
    indices = [i for i, rule in enumerate(cleaning.rules) if isinstance(rule, RepeatRule)]
    with Verdicts(folder, rows, len(indices)) as verdicts:
        for batch in judged:
            verdicts.add(batch)
    verdicts.settle(indices)
    return verdicts


def kept(
    cleaning: Cleaning, batches: Iterable[RecordBatch], verdicts: Verdicts, tally: Tally
) -> Iterator[RecordBatch]:
    """The rows that stay, batch by batch; every row is counted in the tally."""
    names = pa.array([*cleaning.names(), None], pa.string())
    found, first = verdicts.read(), 0
    for rows in batches:
        verdict = found[first : first + rows.num_rows].astype("int64")
        first += rows.num_rows
        stays = verdict == KEPT
        verdict[stays] = len(names) - 1
        tally.add(rows, names.take(pa.array(verdict)))
        yield rows.filter(pa.array(stays))


def check(cleaning: Cleaning, ledgers: list[Ledger]) -> None:
    """A Problem where a rule dropped more than its limit, or where nothing is left."""
    for ledger in ledgers:
        for rule, limit in cleaning.limits.items():
            _check_share(ledger, rule, limit)
    if not sum(ledger.kept for ledger in ledgers):
        dropped = {ledger.corpus: dict(ledger.dropped) for ledger in ledgers}
        raise Problem(
            "cleaning leaves no training row",
            where="params.yaml, cleaning.rules",
            value=dropped,
            remedy="look at the corpus, or take out or relax the rule that drops most",
        )


def _check_share(ledger: Ledger, rule: str, limit: float) -> None:
    dropped = ledger.dropped.get(rule, 0)
    if dropped > limit * ledger.rows_in:
        samples = "".join(f"\n    {text}" for text in ledger.samples.get(rule, ()))
        raise Problem(
            f"rule '{rule}' drops {dropped} of {ledger.rows_in} rows of corpus '{ledger.corpus}'; "
            f"the limit is a share of {limit}",
            where=f"params.yaml, cleaning.limits.{rule}",
            value=f"{dropped / ledger.rows_in:.4f}{samples}",
            remedy="look at the samples: mend the corpus or the rule, or raise the limit",
        )
