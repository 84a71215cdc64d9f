"""Too long: a side of more characters than any sentence has.

Example: a whole page that stands in one line because its line ends were lost.
"""

from pydantic import Field

from pipeline.arrow import Array, RecordBatch
from pipeline.arrow import compute as pc
from pipeline.cleaning.rule import RowRule


class TooLong(RowRule):
    """Drop rows with a side above the bound."""

    max_characters: int = Field(1_000, ge=1)
    """Most characters (Unicode code points) that source or target may have."""

    def drop(self, rows: RecordBatch) -> Array:
        """See `RowRule`."""
        lengths = [pc.utf8_length(rows[side]) for side in ("source", "target")]
        return pc.greater(pc.max_element_wise(*lengths), self.max_characters)
