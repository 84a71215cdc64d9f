"""The front end of patches: an image is cut into squares, each of which becomes a vector.

Example: 120 columns of 32 pixels with patches of 8 become 15 times 4 vectors, column by column
from the left, each from the top. As in ViT (Dosovitskiy et al. 2020, arXiv 2010.11929), for images
of any width.
"""

from collections.abc import Callable
from typing import ClassVar, Literal, Self

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from pipeline.batches.batch import Ragged
from pipeline.models.layout import Layout
from pipeline.models.linear import Linear
from pipeline.models.parts import Examples, FrontEnd, FrontSettings
from pipeline.models.seam import Vectors
from pipeline.models.table import Table
from pipeline.models.weights import Weighted


class Patches(FrontSettings):
    """Sources are images as columns `[positions, height, colours]`, all of one height."""

    reads_ids: ClassVar[bool] = False

    height: int = Field(32, ge=1)
    """Pixels of a column."""
    colours: Literal[1, 3] = 1
    """Numbers of a pixel: grey, or red, green and blue."""
    patch: int = Field(8, ge=1)
    """Pixels of a patch's side; it divides the height."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.height % self.patch:
            raise ValueError(
                f"patch: patches of {self.patch} pixels do not divide the height {self.height}; "
                "choose a divisor of front.height"
            )
        return self

    def shape(self) -> tuple[int, ...]:
        """A column of pixels."""
        return (self.height, self.colours)

    def build(self, width: int) -> FrontEnd:
        """The front end with weights that are not yet filled."""
        return PatchesFrontEnd(self, width)


class PatchesFrontEnd(FrontEnd):
    """A linear map of each patch, and a vector for the row of the image where it lies."""

    def __init__(self, settings: Patches, width: int) -> None:
        super().__init__()
        self.patch = settings.patch
        self.rows = settings.height // settings.patch
        self.project = Linear(settings.patch**2 * settings.colours, width)
        self.row = Row(self.rows, width)

    def lengths(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        """So many patches; what an image lacks to whole ones is black."""
        return tuple(-(-length // self.patch) * self.rows for length in lengths)

    def forward(self, source: Ragged, table: Table | None, examples: Examples) -> Vectors:
        """Vectors that belong to no ids."""
        padded = Layout(source.lengths, source.values.device).pad(source.values)
        layout = Layout(self.lengths(source.lengths), source.values.device, source.multiple)
        patches = layout.unpad(self._cut(padded))
        return Vectors(self.row(self.project(patches), layout), layout, None)

    def _cut(
        self, images: Float[Tensor, "images longest height colours"]
    ) -> Float[Tensor, "images patches pixels"]:
        """All patches of padded images, column by column."""
        rest = -images.shape[1] % self.patch
        whole = functional.pad(images, (0, 0, 0, 0, 0, rest))
        side = self.patch  # [N, T / side, side, rows, side, colours]
        squares = whole.unflatten(2, (self.rows, side)).unflatten(1, (-1, side))
        return squares.transpose(2, 3).flatten(3).flatten(1, 2)


class Row(Weighted):
    """Adds a vector that tells the row of a position: a sequence alone cannot."""

    def __init__(self, rows: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(rows, width))

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """As small as in ViT: standard deviation 0.02."""
        self.weight.normal_(0, 0.02, generator=draw("weight"))

    def forward(
        self, vectors: Float[Tensor, "positions width"], layout: Layout
    ) -> Float[Tensor, "positions width"]:
        """Rows follow one another in every column."""
        return vectors + self.weight.to(vectors.dtype)[layout.position % len(self.weight)]
