"""The end of a run: what was made, where it is, and what it took; on the screen and in Prefect."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flows.bill import Item, total
from flows.release import ARTIFACTS, Outside
from flows.tables import ledger_rows, metric_rows
from flows.talk import heading, say, table
from pipeline.records import Verdict, Version
from pipeline.registry.addresses import public


@dataclass(frozen=True, slots=True)
class Ending:
    """What a run came to."""

    version: Version
    verdict: Verdict
    promoted: bool
    report: Path
    bill: tuple[Item, ...]


def sentence(ending: Ending) -> str:
    """The run in one line."""
    version, verdict = ending.version, ending.verdict
    what = "registered" if version.created else "was registered before"
    now = "it is the champion now" if ending.promoted else f"gate: {verdict.outcome}"
    return f"{version.name} version {version.number} {what}; {now}"


def places(ending: Ending, world: Outside) -> dict[str, str]:
    """Where to look: name → path or address."""
    from pipeline.registry.links import links

    prefect = world.machine.prefect_api_url
    if prefect is None:
        prefect = f"PREFECT_HOME={world.machine.folder / 'prefect'} prefect server start"
    return {
        "report": str(ending.report.resolve()),
        **links(world.server, ending.version),
        "Prefect": public(prefect),
        "try it": 'seqline predict "…"',
    }


def bill_rows(ending: Ending, world: Outside) -> list[dict[str, str]]:
    """Time and cost of each stage, beside what was expected."""
    items = list(ending.bill)
    return [item.row() for item in [*items, total(items, world.machine)]]


def print_ending(ending: Ending, world: Outside) -> None:
    """The closing lines of a run."""
    say("")
    table(metric_rows(ARTIFACTS))
    say("")
    table(bill_rows(ending, world))
    say("")
    heading(sentence(ending))
    for name, place in places(ending, world).items():
        say(f"  {name + ':':12}{place}")


def publish(ending: Ending, world: Outside) -> None:
    """Prefect's artifacts of the run."""
    from prefect.artifacts import create_markdown_artifact, create_table_artifact

    tables: Mapping[str, list[dict[str, str]]] = {
        "metrics": metric_rows(ARTIFACTS),
        "ledger": ledger_rows(ARTIFACTS),
        "bill": bill_rows(ending, world),
    }
    for key, rows in tables.items():
        create_table_artifact(key=key, table=rows, description=sentence(ending))
    lines = [f"- {name}: {place}" for name, place in places(ending, world).items()]
    create_markdown_artifact(key="links", markdown=f"{sentence(ending)}\n\n" + "\n".join(lines))
