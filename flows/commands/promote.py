"""`seqline promote [VERSION]`: make a version the champion."""

from flows.opened import locked
from flows.release import outside, who
from flows.talk import say
from pipeline.problems import Problem
from pipeline.registry.champion import promote as decide
from pipeline.registry.versions import CHALLENGER, CHAMPION, aliases, at, version


def promote(number: str | None, why: str, against_verdict: bool) -> None:
    """Without a number, the challenger. What the gate did not pass needs --against-verdict."""
    with locked("seqline promote") as machine:
        world = outside(machine)
        server = world.server
        chosen = version(server, number) if number else at(server, CHALLENGER)
        if chosen is None:
            raise Problem(
                "there is no challenger",
                where=f"registry of {server.model}",
                remedy="seqline register, or name a version: seqline promote NUMBER",
            )
        champion = aliases(server).get(CHAMPION, "")
        verdict = world.verdict_on(chosen)
        if champion not in ("", chosen.number) and verdict is None and not against_verdict:
            raise Problem(
                f"version {chosen.number} was not held against the champion, version {champion}, "
                "on today's test rows and by today's gate",
                where=f"registry of {server.model}",
                remedy="bring its results back, then: seqline gate; or add --against-verdict",
            )
        made = decide(
            server,
            chosen,
            who=who(),
            why=why or "by hand",
            verdict=verdict,
            expected=champion,
            against_verdict=against_verdict,
        )
    now = "is the champion now" if made else "is the champion already"
    say(f"version {chosen.number} of {chosen.name} {now}")
