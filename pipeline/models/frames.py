"""The front end of frames: two convolutions that leave a quarter of the positions.

Example: 3 seconds of speech, 300 frames of 80 log-mel features, become 75 vectors. As in Whisper
(Radford et al. 2022, arXiv 2212.04356), but both convolutions halve.
"""

from typing import ClassVar

from pydantic import Field
from torch.nn import functional

from pipeline.batches.batch import Ragged
from pipeline.models.convolution import Convolution, halved
from pipeline.models.layout import Layout
from pipeline.models.parts import Examples, FrontEnd, FrontSettings
from pipeline.models.seam import Vectors
from pipeline.models.table import Table


class Frames(FrontSettings):
    """Sources are frames `[positions, features]`, of sound for example."""

    reads_ids: ClassVar[bool] = False

    features: int = Field(80, ge=1)
    """Numbers of a frame."""

    def shape(self) -> tuple[int, ...]:
        """A frame's features."""
        return (self.features,)

    def build(self, width: int) -> FrontEnd:
        """The front end with weights that are not yet filled."""
        return FramesFrontEnd(self, width)


class FramesFrontEnd(FrontEnd):
    """Convolution, GELU, convolution, GELU."""

    def __init__(self, settings: Frames, width: int) -> None:
        super().__init__()
        self.first = Convolution(settings.features, width, directions=1)
        self.second = Convolution(width, width, directions=1)

    def lengths(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        """A vector for every four frames."""
        return tuple(halved(halved(length)) for length in lengths)

    def forward(self, source: Ragged, table: Table | None, examples: Examples) -> Vectors:
        """Vectors that belong to no ids."""
        values, layout = self.first(source.values, Layout(source.lengths, source.values.device))
        values, layout = self.second(functional.gelu(values), layout)
        layout = Layout(layout.lengths, layout.device, source.multiple)
        return Vectors(functional.gelu(values), layout, None)
