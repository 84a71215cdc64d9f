"""The four parts of a model, and their settings: what a new member of a table has to offer.

source ─front─► vectors ─encoder─► memory ─decoder─► steps ─generator─► losses, log-probabilities

A part computes in the type of the vectors that it is given and casts its weights to it; losses and
norms compute in float32 at least. `examples` are the keys of a step's examples (`dropout.py`), None
in evaluation.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn

from pipeline.batches.batch import Batch, Ragged
from pipeline.models.dropout import ExampleKeys
from pipeline.models.layout import Layout
from pipeline.models.rows import Rows
from pipeline.models.seam import Memory, Step, Vectors
from pipeline.models.state import DecoderState
from pipeline.models.table import Table
from pipeline.settings import Settings

Examples = ExampleKeys | None


class FrontEnd(nn.Module, ABC):
    """Sources of any kind → vectors."""

    @abstractmethod
    def lengths(self, lengths: tuple[int, ...]) -> tuple[int, ...]:
        """How many vectors sources of these lengths become; known without looking at them."""

    @abstractmethod
    def forward(self, source: Ragged, table: Table | None, examples: Examples) -> Vectors:
        """One vector for each position that the encoder will see; the table is that of ids."""


class Encoder(nn.Module, ABC):
    """Vectors → memory."""

    @abstractmethod
    def forward(self, vectors: Vectors, examples: Examples) -> Memory:
        """States of all positions, and a summary of each source."""


class Decoder(nn.Module, ABC):
    """Memory and prefixes → outputs; all positions at once, or step by step with a state."""

    @abstractmethod
    def forward(
        self,
        prefixes: Float[Tensor, "positions width"],
        layout: Layout,
        memory: Memory,
        examples: Examples,
        *,
        attention: bool = False,
    ) -> Step:
        """Outputs at all positions of the prefixes (their ids' vectors); equal to so many steps."""

    @abstractmethod
    def start(self, memory: Memory) -> DecoderState:
        """The state before the first step."""

    @abstractmethod
    def step(
        self, vectors: Float[Tensor, "rows width"], state: DecoderState, rows: Rows
    ) -> tuple[Step, DecoderState]:
        """One id (as a vector) for every row; attention where the state asks for it."""


class Generator(nn.Module, ABC):
    """Outputs → a loss in training, log-probabilities in search."""

    @property
    @abstractmethod
    def weights(self) -> Mapping[str, float]:
        """The weight of each term of its loss."""

    @abstractmethod
    def counts(self, batch: Batch) -> Mapping[str, int]:
        """What each term's sum is divided by."""

    @abstractmethod
    def score(
        self, step: Step, targets: Ragged, memory: Memory, table: Table
    ) -> Mapping[str, Float[Tensor, ""]]:
        """The sum of each term over the targets, in nats, in chunks of positions."""

    @abstractmethod
    def log_probs(
        self, step: Step, ids: Int[Tensor, "*places longest"] | None, table: Table
    ) -> Float[Tensor, "*places vocabulary"]:
        """Log-probabilities of the next id at any places, float32 or float64.

        `ids` are the source's, one beside each number of the step's attention, where it copies.
        """


class FrontSettings(Settings, ABC):
    """Settings of a front end."""

    reads_ids: ClassVar[bool]  # sources are ids with a table of vectors; a vector belongs to an id

    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one position of a source: () for an id."""

    @abstractmethod
    def build(self, width: int) -> FrontEnd:
        """The front end with weights that are not yet filled."""


class EncoderSettings(Settings, ABC):
    """Settings of an encoder."""

    @abstractmethod
    def check(self, width: int) -> None:
        """Raise a Problem where the settings do not fit the model's width."""

    @abstractmethod
    def longest(self) -> int | None:
        """The most positions that it can take; None: any number."""

    @abstractmethod
    def build(self, width: int) -> Encoder:
        """The encoder with weights that are not yet filled."""


class DecoderSettings(Settings, ABC):
    """Settings of a decoder."""

    @property
    @abstractmethod
    def attends(self) -> bool:
        """Whether its steps can bring the attention."""

    @abstractmethod
    def check(self, width: int) -> None:
        """Raise a Problem where the settings do not fit the model's width."""

    @abstractmethod
    def longest(self) -> int | None:
        """The most positions that it can take; None: any number."""

    @abstractmethod
    def build(self, width: int) -> Decoder:
        """The decoder with weights that are not yet filled."""


class GeneratorSettings(Settings, ABC):
    """Settings of a generator."""

    needs_attention: ClassVar[bool]  # a step has to bring the attention
    copies: ClassVar[bool]  # it writes ids of the source, which have to mean the same on both sides

    @abstractmethod
    def build(self, width: int, vocabulary: int) -> Generator:
        """The generator with weights that are not yet filled."""
