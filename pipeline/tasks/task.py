"""A task: what a row becomes before it becomes ids."""

from abc import ABC, abstractmethod

from pipeline.arrow import RecordBatch
from pipeline.rows import ROWS
from pipeline.settings import Settings

COLUMNS = [name for name in ROWS.names if name != "references"]  # those are for the metrics


class Task(Settings, ABC):
    """What every task has; a task is a final class that adds its own fields."""

    @abstractmethod
    def examples(self, rows: RecordBatch) -> RecordBatch:
        """Texts `source` and `target` for rows that have `COLUMNS`."""
