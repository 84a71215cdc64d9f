"""`seqline gate`: the verdict on the version of what is in artifacts/, with its numbers."""

from flows.opened import locked
from flows.release import outside
from flows.talk import heading, table
from pipeline.records import Check


def gate() -> None:
    """Registers first, where that was not done yet."""
    with locked("seqline gate") as machine:
        world = outside(machine)
        version = world.register()
        verdict = world.judge(version)
    table(map(_row, verdict.checks))
    against = f" against version {verdict.champion}" if verdict.champion else ""
    heading(f"version {version.number}{against}: {verdict.outcome}")


def _row(check: Check) -> dict[str, str]:
    return {
        "check": check.name,
        "champion": f"{check.champion:.4g}",
        "challenger": f"{check.challenger:.4g}",
        "difference": f"{check.low:+.4g} … {check.high:+.4g}",
        "allowed": f"{'+' if check.lower_is_better else '-'}{check.margin:g}",
        "verdict": "passed" if check.passed else "failed",
    }
