"""The champion: promoted and rolled back, by decisions that are written before the alias moves.

Of two decisions at once each is written before its author looks, so at least one sees the other and
stops. What was left open, by a crash or by a server that went away, is settled by where the alias
stands: at once by the process that left it, after a minute by any other.
"""

from dataclasses import replace

from pipeline.problems import Problem
from pipeline.records import Verdict, Version
from pipeline.registry.answers import answered
from pipeline.registry.decisions import PATIENCE_SECONDS, Decision, Kind, decisions, write
from pipeline.registry.server import Server
from pipeline.registry.verdicts import find_verdict
from pipeline.registry.versions import CHALLENGER, CHAMPION, aliases, every


@answered
def promote(
    server: Server,
    version: Version,
    *,
    who: str,
    why: str,
    verdict: Verdict | None,
    expected: str | None = None,
    against_verdict: bool = False,
) -> Decision | None:
    """Make a version the champion; None where it is already.

    `expected` is the champion's number ("" for none) as the caller read it: where the alias has
    moved since, nothing happens but a Problem. A refused verdict needs `against_verdict`.
    """
    if verdict is not None and verdict.outcome == "refused" and not against_verdict:
        raise Problem(
            f"the gate refused version {version.number}",
            where=f"registry of {server.model}",
            remedy="read report/report.html; to promote it all the same: --against-verdict",
        )
    arrived = _arrived(server, "promote", version.number)
    if arrived is not None:
        return arrived
    before = aliases(server).get(CHAMPION, "")
    if before == version.number:
        return None
    if expected is not None and before != expected:
        raise _moved(server, expected, before)
    return _decide(server, "promote", before, version.number, who=who, why=why, verdict=verdict)


@answered
def rollback(server: Server, *, who: str, why: str) -> Decision:
    """Bring back the champion before this one, along the history of decisions."""
    before = aliases(server).get(CHAMPION, "")
    arrived = _arrived(server, "rollback", before)
    if arrived is not None:
        return arrived
    stack = _stack(decisions(server))
    if before and (not stack or stack[-1] != before):
        stack.append(before)  # moved by other means
    if len(stack) < 2:
        raise Problem(
            "no earlier champion to go back to",
            where=f"registry of {server.model}",
            value=before or "no champion",
            remedy="see: seqline history",
        )
    if stack[-2] not in {one.number for one in every(server)}:
        raise Problem(
            "the earlier champion was deleted",
            where=f"registry of {server.model}",
            value=f"version {stack[-2]}",
            remedy="name a version: seqline promote NUMBER",
        )
    return _decide(server, "rollback", before, stack[-2], who=who, why=why, verdict=None)


@answered
def promoted_on(server: Server, version: Version) -> Verdict | None:
    """The verdict on which a version became champion the last time, if there was one."""
    for one in reversed(decisions(server)):
        promotion = one.state == "closed" and one.kind == "promote"
        if promotion and one.to_version == version.number:
            return find_verdict(server, version, one.about) if one.about else None
    return None


def _stack(found: list[Decision]) -> list[str]:
    """Champions, the present one last: a promotion puts one on top, a rollback takes it off."""
    stack: list[str] = []
    for decision in found:
        if decision.state != "closed" or decision.kind == "refuse":
            continue
        if decision.from_version and (not stack or stack[-1] != decision.from_version):
            stack.append(decision.from_version)  # moved by other means before
        if decision.kind == "promote":
            stack.append(decision.to_version)
        else:
            stack.pop()
    return stack


def _moved(server: Server, expected: str, found: str) -> Problem:
    """Somebody else moved the champion meanwhile."""
    return Problem(
        f"the champion is no longer version {expected or '(none)'}",
        where=f"registry of {server.model}",
        value=f"version {found or '(none)'}",
        remedy="see: seqline history; then ask the gate again: seqline gate",
    )


def _decide(
    server: Server,
    kind: Kind,
    before: str,
    after: str,
    *,
    who: str,
    why: str,
    verdict: Verdict | None,
) -> Decision:
    """Write, look whether we are alone and the alias is where it was, move, close."""
    settle(server)
    mine = write(server, kind, before, after, who=who, why=why, verdict=verdict)
    rivals = [one for one in decisions(server) if one.state == "open" and one.id != mine]
    found = aliases(server).get(CHAMPION, "")
    if rivals or found != before:
        server.client.set_terminated(mine, "FAILED")
        raise _busy(server, rivals[0]) if rivals else _moved(server, before, found)
    _move(server, after)
    server.client.set_terminated(mine, "FINISHED")
    return next(one for one in decisions(server) if one.id == mine)


def _move(server: Server, after: str) -> None:
    server.client.set_registered_model_alias(server.model, CHAMPION, after)
    if aliases(server).get(CHALLENGER) == after:
        server.client.delete_registered_model_alias(server.model, CHALLENGER)


def settle(server: Server) -> None:
    """Close what was left open, as far as the alias got."""
    for one in decisions(server):
        if one.state == "open":
            if not one.abandoned:
                raise _busy(server, one)
            arrived = aliases(server).get(CHAMPION, "") == one.to_version
            server.client.set_terminated(one.id, "FINISHED" if arrived else "FAILED")


def _arrived(server: Server, kind: Kind, to: str) -> Decision | None:
    """An earlier try of the same that moved the alias and could not close; closed now."""
    if aliases(server).get(CHAMPION, "") != to:
        return None
    for one in decisions(server):
        if one.abandoned and (one.kind, one.to_version) == (kind, to):
            _move(server, to)  # the rest of it
            server.client.set_terminated(one.id, "FINISHED")
            return replace(one, state="closed")
    return None


def _busy(server: Server, rival: Decision) -> Problem:
    return Problem(
        "another decision about the champion is under way",
        where=f"registry of {server.model}",
        value=f"{rival.kind} by {rival.who}: {rival.from_version} → {rival.to_version}",
        remedy=f"wait {PATIENCE_SECONDS:.0f} seconds, then try again",
        retry=True,
    )
