"""`seqline data`: what became of the rows of each corpus, with samples of what was dropped."""

from flows.opened import opened
from flows.release import ARTIFACTS
from flows.tables import ledger_rows
from flows.talk import heading, say, table
from pipeline.problems import Problem
from pipeline.report.ledgers import read_ledgers


def data(samples: bool) -> None:
    """The ledgers as a table."""
    opened()
    rows = ledger_rows(ARTIFACTS)
    if not rows:
        raise Problem("no ledger yet", where=str(ARTIFACTS / "ledgers"), remedy="seqline run")
    table(rows)
    for one in read_ledgers(ARTIFACTS) if samples else ():
        for rule, texts in one.samples.items():
            heading(f"\n{one.stage}, {one.corpus}: {rule}")
            for text in texts:
                say(f"  {text}")
