"""The front end of pixels: a small convolutional network over the columns of an image.

Example: a line of text, 120 columns of 32 grey pixels, becomes 30 vectors, each of what four
columns and their neighbours show.
"""

from typing import ClassVar, Literal

from pydantic import Field
from torch.nn import functional

from pipeline.batches.batch import Ragged
from pipeline.models.convolution import Convolution, halved
from pipeline.models.layout import Layout
from pipeline.models.linear import Linear
from pipeline.models.parts import Examples, FrontEnd, FrontSettings
from pipeline.models.seam import Vectors
from pipeline.models.table import Table


class Pixels(FrontSettings):
    """Sources are images as columns `[positions, height, colours]`, all of one height."""

    reads_ids: ClassVar[bool] = False

    height: int = Field(32, ge=1)
    """Pixels of a column."""
    colours: Literal[1, 3] = 1
    """Numbers of a pixel: grey, or red, green and blue."""
    channels: int = Field(32, ge=1)
    """Channels inside the network."""

    def shape(self) -> tuple[int, ...]:
        """A column of pixels."""
        return (self.height, self.colours)

    def build(self, width: int) -> FrontEnd:
        """The front end with weights that are not yet filled."""
        return PixelsFrontEnd(self, width)


class PixelsFrontEnd(FrontEnd):
    """Convolution, GELU, convolution, GELU; what is left of a column is one vector."""

    def __init__(self, settings: Pixels, width: int) -> None:
        super().__init__()
        channels = settings.channels
        self.first = Convolution(settings.colours, channels, directions=2)
        self.second = Convolution(channels, channels, directions=2)
        self.project = Linear(halved(halved(settings.height)) * channels, width)

    def lengths(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        """A vector for every four columns."""
        return tuple(halved(halved(length)) for length in lengths)

    def forward(self, source: Ragged, table: Table | None, examples: Examples) -> Vectors:
        """Vectors that belong to no ids."""
        values, layout = self.first(source.values, Layout(source.lengths, source.values.device))
        values, layout = self.second(functional.gelu(values), layout)
        columns = functional.gelu(values).flatten(1)  # [positions, rows × channels]
        layout = Layout(layout.lengths, layout.device, source.multiple)
        return Vectors(self.project(columns), layout, None)
