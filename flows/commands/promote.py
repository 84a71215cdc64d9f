"""`seqline promote [VERSION]`: make a version the champion."""

from flows.opened import opened
from flows.release import outside, who
from flows.talk import say
from pipeline.problems import Problem
from pipeline.registry.decisions import promote as decide
from pipeline.registry.gate import verdicts
from pipeline.registry.versions import CHALLENGER, at, version


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
    known = verdicts(server, chosen)
    made = decide(
        server,
        chosen,
        who=who(),
        why=why or "by hand",
        verdict=known[-1] if known else None,
        against_verdict=against_verdict,
    )
    now = "is the champion now" if made else "is the champion already"
    say(f"version {chosen.number} of {chosen.name} {now}")
