"""Drift: does a cleaning rule drop much more of a corpus than it did for the champion?

The flow asks after `clean`, so that a broken delivery stops the run before anything is trained.
"""

from collections.abc import Mapping
from pathlib import Path

from pipeline.files import read_json
from pipeline.records import Check, Ledger, Version
from pipeline.registry.answers import answered
from pipeline.registry.server import Server
from pipeline.registry.storage import fetch, names

ALL = "all corpora"


@answered
def drift(
    server: Server, limits: Mapping[str, float], champion: Version | None, ledgers: Path
) -> list[Check]:
    """A check for every rule of `limits`, of all corpora together and of each that both know.

    Values are shares of the rows that came in. Without a champion, or limits, there is no check.
    """
    if champion is None or not limits:
        return []
    place = f"{champion.tags['place']}/ledgers"
    if "clean.json" not in names(server, champion.run_id, place):
        return []
    with fetch(server, champion.run_id, place) as folder:
        before = _shares(folder / "clean.json", limits)
    after = _shares(ledgers / "clean.json", limits)
    return [
        _check(rule, corpus, before[corpus][rule], after[corpus][rule], limit)
        for rule, limit in limits.items()
        for corpus in after
        if corpus in before
    ]


def _check(rule: str, corpus: str, before: float, after: float, limit: float) -> Check:
    rise = after - before
    name = f"drift clean {corpus} {rule}"
    passed = rise <= limit
    return Check(name, before, after, limit, rise, rise, passed, lower_is_better=True)


def _shares(path: Path, rules: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Corpus → rule → share of the rows that it dropped; all corpora together come first."""
    found = [Ledger(**fields) for fields in read_json(path)["ledgers"]]
    rows = {ALL: sum(one.rows_in for one in found)} | {one.corpus: one.rows_in for one in found}
    dropped = {
        rule: {ALL: sum(one.dropped.get(rule, 0) for one in found)}
        | {one.corpus: one.dropped.get(rule, 0) for one in found}
        for rule in rules
    }
    return {
        corpus: {rule: dropped[rule][corpus] / max(1, count) for rule in rules}
        for corpus, count in rows.items()
    }
