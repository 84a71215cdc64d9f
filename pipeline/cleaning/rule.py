"""Cleaning rules: which rows of train go, and why. The rule's name is the reason.

A rule sees rows in the form in which the model will see them, normalised: columns source, target,
source_language, target_language. It is pure and total, and never changes a row.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable

from pipeline.arrow import Array, RecordBatch
from pipeline.fingerprints import Fingerprints
from pipeline.settings import Settings

Judgement = Callable[[RecordBatch], Array]
"""Rows → a boolean array: drop this one? Picklable."""


class Rule(Settings, ABC):
    """What all rules are: a name in `RULES` and settings. A rule is of one of three kinds."""


class RowRule(Rule):
    """A rule that looks at one row at a time."""

    @abstractmethod
    def drop(self, rows: RecordBatch) -> Array:
        """True for each row that goes."""


class HeldOutRule(Rule):
    """A rule that compares train with the rows of valid and test."""

    @abstractmethod
    def against(self, held_out: Iterable[RecordBatch]) -> Judgement:
        """The judgement over train, learned from all rows that are held out."""


class RepeatRule(Rule):
    """A rule that keeps the first of all rows with the same key, in the order of the rows."""

    @abstractmethod
    def keys(self, rows: RecordBatch) -> Fingerprints:
        """The key of each row; only rows that no earlier rule dropped are compared."""
