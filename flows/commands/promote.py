"""`seqline promote [VERSION]`: make a version the champion."""

from flows.opened import opened
from flows.release import outside, who
from flows.talk import say
from pipeline.problems import Problem
from pipeline.registry.champion import promote as decide
from pipeline.registry.verdicts import verdicts
from pipeline.registry.versions import CHALLENGER, CHAMPION, at, version


def promote(number: str | None, why: str, against_verdict: bool) -> None:
    """Without a number, the challenger. What the gate refused needs --against-verdict."""
    server = outside(opened()).server
    chosen = version(server, number) if number else at(server, CHALLENGER)
    if chosen is None:
        raise Problem(
            "there is no challenger",
            where=f"registry of {server.model}",
            remedy="seqline register, or name a version: seqline promote NUMBER",
        )
    before = at(server, CHAMPION)
    against = "" if before is None else before.number
    known = [one for one in verdicts(server, chosen) if one.champion == against]
    made = decide(
        server,
        chosen,
        who=who(),
        why=why or "by hand",
        verdict=known[-1] if known else None,
        expected=against,
        against_verdict=against_verdict,
    )
    now = "is the champion now" if made else "is the champion already"
    say(f"version {chosen.number} of {chosen.name} {now}")
