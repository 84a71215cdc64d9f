"""Bounds and sizes of the shards: what `encode` obeys, and serving with it."""

from typing import Annotated, Self

from pydantic import Field, SerializeAsAny, model_validator

from pipeline.choose import chosen
from pipeline.pieces import SAMPLERS
from pipeline.pieces.sampler import Sampler
from pipeline.settings import Settings


class Encoding(Settings):
    """The section `encoding` of params.yaml."""

    max_source_pieces: int = Field(256, ge=2)
    """Longest source, EOS counted. Longer ones are dropped from train; elsewhere they are cut."""
    max_target_pieces: int = Field(256, ge=1)
    """Longest target, without BOS and EOS. Longer: as for sources; references stay whole."""
    shard_rows: int = Field(65_536, ge=1)
    """Examples in a shard; a multiple of block_rows."""
    block_rows: int = Field(1_024, ge=1)
    """Consecutive examples that are read at once; what training shuffles are blocks."""

    subword_regularisation: Annotated[SerializeAsAny[Sampler], chosen(SAMPLERS)] | None = None
    """Segmentations of the training examples beside the best one, which epochs take turns to show;
    null: the best one alone."""

    @model_validator(mode="after")
    def _whole_blocks(self) -> Self:
        if self.shard_rows % self.block_rows:
            raise ValueError(f"shard_rows must be a multiple of block_rows ({self.block_rows})")
        return self
