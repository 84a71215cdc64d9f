"""Word error rate: edits of what white space separates; of phones it is the phone error rate.

Example: "AE B S" against "AE B Z" has 1 error in 3 words.
"""

from typing import ClassVar

from pipeline.metrics.edits import Units
from pipeline.metrics.error_rate import ErrorRate


class WordErrorRate(ErrorRate):
    """Errors for 100 words of the closest reference."""

    unit: ClassVar[str] = "word"

    def units(self, text: str) -> Units:
        """What white space separates."""
        return text.split()
