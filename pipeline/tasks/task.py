"""A task: what a row becomes before it becomes ids."""

from abc import ABC, abstractmethod

from pipeline.arrow import RecordBatch
from pipeline.settings import Settings


class Task(Settings, ABC):
    """What every task has; a task is a final class that adds its own fields."""

    @abstractmethod
    def examples(self, rows: RecordBatch) -> RecordBatch:
        """Columns `source` and `target` (texts), a row for each row of schema `rows.ROWS`."""
