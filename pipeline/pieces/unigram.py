"""Unigram pieces: the vocabulary under which the texts are likeliest (Kudo, 2018).

Example, 4,000 joint pieces: "Ein kleines Mädchen klettert" → ▁Ein ▁kleines ▁Mädchen ▁klettert.
"""

from pipeline.pieces.trainer import Trainer


class Unigram(Trainer):
    """SentencePiece's unigram language model."""

    def model_type(self) -> str:
        """See `Trainer`."""
        return "unigram"

    def is_exact(self) -> bool:
        """See `Trainer`."""
        return True
