"""Empty: a side without text. Example: source "Ein Hund.", target ""."""

from pipeline.arrow import Array, RecordBatch
from pipeline.arrow import compute as pc
from pipeline.cleaning.rule import RowRule


class Empty(RowRule):
    """Drop rows whose source or target holds nothing after normalisation."""

    def drop(self, rows: RecordBatch) -> Array:
        """See `RowRule`."""
        return pc.or_(pc.equal(rows["source"], ""), pc.equal(rows["target"], ""))
