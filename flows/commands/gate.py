"""`seqline gate`: the verdict on the version of what is in artifacts/, with its numbers."""

from flows.opened import locked
from flows.release import outside
from flows.talk import heading, table


def gate() -> None:
    """Registers first, where that was not done yet."""
    with locked("seqline gate") as machine:
        world = outside(machine)
        version = world.register()
        verdict = world.judge(version)
    table(
        {
            "check": check.name,
            "champion": f"{check.champion:.4g}",
            "challenger": f"{check.challenger:.4g}",
            "difference": f"{check.low:+.2f} … {check.high:+.2f}",
            "allowed": f"-{check.margin:g}",
            "verdict": "passed" if check.passed else "failed",
        }
        for check in verdict.checks
    )
    against = f" against version {verdict.champion}" if verdict.champion else ""
    heading(f"version {version.number}{against}: {verdict.outcome}")
