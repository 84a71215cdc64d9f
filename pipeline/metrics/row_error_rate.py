"""Row error rate: rows that equal none of their references.

Example: "AE B S" against ("AE B Z", "EY B IY EH S") is wrong. Of words that are to be pronounced it
is called the word error rate.
"""

from typing import ClassVar

from pipeline.metrics.edits import Units
from pipeline.metrics.error_rate import ErrorRate


class RowErrorRate(ErrorRate):
    """Wrong rows of 100: 100 minus the exact matches."""

    unit: ClassVar[str] = "row"

    def units(self, text: str) -> Units:
        """The whole text, as one."""
        return (text,)
