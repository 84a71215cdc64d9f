"""Character error rate: edits of single characters, white space among them.

Example: "Tee" against "See" has 1 error in 3 characters.
"""

from typing import ClassVar

from pipeline.metrics.edits import Units
from pipeline.metrics.error_rate import ErrorRate


class CharacterErrorRate(ErrorRate):
    """Errors for 100 characters of the closest reference."""

    unit: ClassVar[str] = "character"

    def units(self, text: str) -> Units:
        """The characters."""
        return text
