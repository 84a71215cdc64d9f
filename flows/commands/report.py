"""`seqline report`: write report/report.html again."""

from flows.opened import locked
from flows.release import outside
from flows.talk import say
from pipeline.problems import Problem
from pipeline.registry.gate import verdicts


def report() -> None:
    """Of the version that artifacts/ holds, with its last verdict."""
    with locked("seqline report") as machine:
        world = outside(machine)
        version = world.registered()
        if version is None:
            raise Problem("these results are not registered", remedy="seqline register")
        known = verdicts(world.server, version)
        path = world.report(version, known[-1] if known else None)
    say(str(path.resolve()))
