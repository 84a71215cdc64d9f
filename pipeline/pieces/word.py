"""Words as pieces, cut at white space and nowhere else: phones, commands, actions.

Example: "AE B IY" → ▁AE ▁B ▁IY. A word that has no piece is spelt in bytes, or unknown.
"""

from typing import Self

from pydantic import model_validator

from pipeline.pieces.trainer import Trainer


class Word(Trainer):
    """SentencePiece's words, the commonest first; `vocabulary` is the most of them.

    `character_coverage` says nothing here.
    """

    @model_validator(mode="after")
    def _cut_at_white_space_alone(self) -> Self:
        if self.user_symbols:
            raise ValueError("user_symbols cut words; put white space around them in the text")
        return self

    def model_type(self) -> str:
        """See `Trainer`."""
        return "word"

    def is_exact(self) -> bool:
        """See `Trainer`."""
        return False
