"""The section `model` of params.yaml: which parts, how wide, and whether they go together."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from pipeline.choose import chosen
from pipeline.models import DECODERS, ENCODERS, FRONTS, GENERATORS
from pipeline.models.ctc import CTC
from pipeline.models.misfits import check_lengths, check_parts, check_vocabularies
from pipeline.models.parts import DecoderSettings, EncoderSettings, FrontSettings, GeneratorSettings
from pipeline.models.table import Embeddings
from pipeline.settings import Settings


class ModelSettings(Settings):
    """The section `model` of params.yaml."""

    width: int = Field(256, ge=2)
    """Channels of a vector at every position."""
    front: Annotated[FrontSettings, chosen(FRONTS)]
    """What turns sources into vectors."""
    encoder: Annotated[EncoderSettings, chosen(ENCODERS)]
    """What turns vectors into a memory."""
    decoder: Annotated[DecoderSettings, chosen(DECODERS)]
    """What writes the target."""
    generator: Annotated[GeneratorSettings, chosen(GENERATORS)]
    """What turns the decoder's outputs into probabilities and a loss."""
    embeddings: Embeddings = "tied"
    """Tables of vectors: three; one for target and output; one for all (needs shared pieces)."""
    scaled_embeddings: bool = True
    """Multiply embeddings by the square root of the width: channels start with variance 1."""
    source_word_dropout: float = Field(0.0, ge=0, lt=1)
    """Share of the source's positions whose whole vector is zeroed in training (word dropout;
    Sennrich et al. 2016, arXiv 1606.02891)."""
    target_word_dropout: float = Field(0.0, ge=0, lt=1)
    """The same in the prefixes that the decoder reads."""
    ctc: CTC | None = None
    """A second loss, on the encoder; null: none."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        self.encoder.check(self.width)
        self.decoder.check(self.width)
        check_parts(self.front, self.decoder, self.generator, self.embeddings)
        return self

    @property
    def repeats(self) -> bool:
        """Whether a GPU has kernels for all of it that compute the same bits again: neither CTC's
        backward nor the sums of a copying model's coverage have one."""
        return self.ctc is None and not self.generator.copies

    def check_lengths(self, *, source: int, target: int, told: str) -> None:
        """A Problem where a source or target (bare) is longer than a part can take.

        `told` begins its sentence: "artifacts/shards/train has".
        """
        parts = (self.front, self.encoder, self.decoder)
        check_lengths(self.width, *parts, source=source, target=target, told=told)

    def check_pieces(self, *, shared: bool) -> None:
        """A Problem where pieces that are not shared do not do."""
        if not shared:
            check_vocabularies(self.generator, self.embeddings)
