"""Translation: the source is read, the target is written, nothing is added.

Example: source "Ein kleines Mädchen klettert.", target "A little girl is climbing."
"""

from pipeline.arrow import RecordBatch
from pipeline.tasks.task import Task


class Translation(Task):
    """A row's own source and target."""

    def examples(self, rows: RecordBatch) -> RecordBatch:
        """See `Task`."""
        return rows.select(["source", "target"])
