"""Length ratio: sides so unlike in length that one is no translation of the other.

Example: source "Ja.", target "Yes, and then she told me all about the house that they had bought."
"""

from pydantic import Field

from pipeline.arrow import Array, RecordBatch
from pipeline.arrow import compute as pc
from pipeline.cleaning.rule import RowRule


class LengthRatio(RowRule):
    """Drop rows whose longer side is more than `max_ratio` times as long as the shorter."""

    max_ratio: float = Field(5.0, ge=1)
    """Largest ratio of characters, longer over shorter side."""
    min_characters: int = Field(20, ge=0)
    """Rows whose longer side has fewer characters are left alone: "Ja." and "Yes, it is."."""

    def drop(self, rows: RecordBatch) -> Array:
        """See `RowRule`."""
        lengths = [pc.utf8_length(rows[side]) for side in ("source", "target")]
        longer, shorter = pc.max_element_wise(*lengths), pc.min_element_wise(*lengths)
        unlike = pc.greater(pc.cast(longer, "float64"), pc.multiply(shorter, self.max_ratio))
        return pc.and_(unlike, pc.greater_equal(longer, self.min_characters))
