"""The front end of ids: a vector for each piece of a text.

Example: source ids `[11, 12, 3]` become three rows of the source table.
"""

from typing import ClassVar

from pipeline.batches.batch import Ragged
from pipeline.models.layout import Layout
from pipeline.models.parts import Examples, FrontEnd, FrontSettings
from pipeline.models.seam import Vectors
from pipeline.models.table import Table


class Ids(FrontSettings):
    """Sources are ids; how their vectors are shared and scaled is set for the whole model."""

    reads_ids: ClassVar[bool] = True

    def shape(self) -> tuple[int, ...]:
        """An id is a number."""
        return ()

    def build(self, width: int) -> FrontEnd:
        """It has no weights but the table, which belongs to the model."""
        return IdsFrontEnd()


class IdsFrontEnd(FrontEnd):
    """Looks up the source table."""

    def lengths(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        """One vector for each id."""
        return lengths

    def forward(self, source: Ragged, table: Table | None, examples: Examples) -> Vectors:
        """One vector for each id."""
        assert table is not None
        layout = Layout(source.lengths, source.values.device, source.multiple)
        return Vectors(table(source.values), layout, source.values)
