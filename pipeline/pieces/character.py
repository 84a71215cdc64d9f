"""Characters as pieces: for words that are spelt out, such as those that are to be pronounced.

Example: "abby" → ▁ a b b y.
"""

from pipeline.pieces.trainer import Trainer


class Character(Trainer):
    """SentencePiece's characters, the commonest first; `vocabulary` is the most of them."""

    def model_type(self) -> str:
        """See `Trainer`."""
        return "char"

    def is_exact(self) -> bool:
        """See `Trainer`."""
        return False
