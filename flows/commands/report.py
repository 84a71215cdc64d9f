"""`seqline report`: write report/report.html again."""

from flows.opened import locked
from flows.release import outside
from flows.talk import say
from pipeline.problems import Problem


def report() -> None:
    """Of the version that artifacts/ holds, with the verdict against today's champion.

    Where it is the champion itself: with the verdict on which it was promoted.
    """
    with locked("seqline report") as machine:
        world = outside(machine)
        version = world.registered()
        if version is None:
            raise Problem("these results are not registered", remedy="seqline register")
        path = world.report(version, world.judge(version))
    say(str(path.resolve()))
