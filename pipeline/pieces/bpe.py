"""Byte-pair pieces: the commonest neighbours are merged, again and again (Sennrich et al., 2016).

Example, 4,000 joint pieces: "Ein kleines Mädchen klettert" → ▁Ein ▁kleines ▁Mädchen ▁klettert.
"""

from pipeline.pieces.trainer import Trainer


class Bpe(Trainer):
    """SentencePiece's byte-pair encoding."""

    def model_type(self) -> str:
        """See `Trainer`."""
        return "bpe"

    def is_exact(self) -> bool:
        """See `Trainer`."""
        return True
