"""The ledgers of a run: what became of the rows, stage by stage."""

from pathlib import Path

from pipeline.files import read_json
from pipeline.records import Ledger

STAGES = ("ingest", "clean", "encode")


def read_ledgers(outs: Path) -> list[Ledger]:
    """Those that are there, in the order of the stages."""
    paths = [outs / "ledgers" / f"{stage}.json" for stage in STAGES]
    found = [read_json(path)["ledgers"] for path in paths if path.is_file()]
    return [Ledger(**fields) for ledgers in found for fields in ledgers]
