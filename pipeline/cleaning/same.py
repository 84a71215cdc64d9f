"""Same: the target is the source. Example: "Copyright 2004" on both sides."""

from pipeline.arrow import Array, RecordBatch
from pipeline.arrow import compute as pc
from pipeline.cleaning.rule import RowRule


class Same(RowRule):
    """Drop rows whose two sides are equal after normalisation."""

    def drop(self, rows: RecordBatch) -> Array:
        """See `RowRule`."""
        return pc.equal(rows["source"], rows["target"])
