"""How pieces are learned: the settings of every kind, and the SentencePiece training itself.

Nothing is lost between text and pieces: SentencePiece's own normalisation is the identity (ours is
`normalise.py`), white space is kept, and what has no piece is spelt in bytes. The same texts give
the same model bytes, for a fixed number of training threads.
"""

import io
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Self

import sentencepiece
from pydantic import Field, SerializeAsAny, field_validator, model_validator

from pipeline.choose import chosen
from pipeline.pieces.escape import escape
from pipeline.pieces.ids import BOS, EOS, PAD, UNKNOWN
from pipeline.problems import Problem
from pipeline.settings import Settings

LONGEST_TEXT_BYTES = 16_384  # longer texts teach nothing new about pieces and cost much


def _trainers() -> Mapping[str, type[Any]]:
    """The table that this class's own members stand in."""
    from pipeline.pieces import TRAINERS

    return TRAINERS


class Trainer(Settings, ABC):
    """What every kind of pieces has; a kind is a final class."""

    vocabulary: int = Field(ge=8)
    """Pieces in a model: 4 special ones, 256 bytes (byte_fallback), user symbols, learned ones. Of
    characters and words there are at most so many."""
    shared: bool = True
    """One model for source and target, or one for each."""
    target: Annotated[SerializeAsAny["Trainer"], chosen(_trainers)] | None = None
    """How the target's own pieces are learned, where they are others than the source's, for example
    `{kind: word, vocabulary: 100}`; needs `shared: false`. null: as those of the source."""
    byte_fallback: bool = True
    """Spell what has no piece in bytes. Without it such characters are unknown, and lost."""
    user_symbols: tuple[str, ...] = ()
    """Strings that are always a piece of their own, e.g. <sep>."""
    character_coverage: float = Field(0.9995, gt=0.9, le=1)
    """Share of the characters of the sample that get a piece of their own."""
    sample_rows: int = Field(500_000, ge=1)
    """About how many rows of train are read to learn from, drawn by a hash of their place."""
    threads: int = Field(2, ge=1)
    """Training threads. Another number gives other pieces, so it is no matter of the machine."""

    @field_validator("user_symbols")
    @classmethod
    def _are_words(cls, symbols: tuple[str, ...]) -> tuple[str, ...]:
        for symbol in symbols:
            if not symbol or symbol != escape("".join(symbol.split())) or "," in symbol:
                raise ValueError(f"'{symbol}': a symbol has no white space, comma, U+2581, U+E000")
        return symbols

    @model_validator(mode="after")
    def _sides_fit(self) -> Self:
        if self.target is not None and (self.shared or self.target.target is not None):
            raise ValueError("target: a model of its own needs shared: false, and has no target")
        return self

    @model_validator(mode="after")
    def _leave_room(self) -> Self:
        fixed = 4 + 256 * self.byte_fallback + len(self.user_symbols)
        if self.vocabulary <= fixed:
            raise ValueError(f"vocabulary must be above {fixed}: special, byte and user pieces")
        return self

    @abstractmethod
    def model_type(self) -> str:
        """SentencePiece's name of the algorithm."""

    @abstractmethod
    def is_exact(self) -> bool:
        """Does it learn exactly `vocabulary` pieces? Else it is the most of them."""

    def of_target(self) -> "Trainer":
        """What learns the target's pieces."""
        return self if self.target is None else self.target

    def train(self, texts: Iterable[str]) -> bytes:
        """A model learned from normalised texts; a Problem where they are too few for the size."""
        writer = io.BytesIO()
        # Left out where it says nothing new: a model holds whatever was said to its training.
        limit: dict[str, Any] = {} if self.is_exact() else {"hard_vocab_limit": False}
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=_lines(texts),
                model_writer=writer,
                model_type=self.model_type(),
                vocab_size=self.vocabulary,
                character_coverage=self.character_coverage,
                byte_fallback=self.byte_fallback,
                user_defined_symbols=list(self.user_symbols),
                num_threads=self.threads,
                normalization_rule_name="identity",
                remove_extra_whitespaces=False,
                max_sentence_length=LONGEST_TEXT_BYTES,
                pad_id=PAD,
                unk_id=UNKNOWN,
                bos_id=BOS,
                eos_id=EOS,
                minloglevel=2,
                **limit,
            )
        except RuntimeError as error:
            raise _refused(error, self.vocabulary) from None
        return writer.getvalue()


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Escaped texts, a line each: line ends part texts, and SentencePiece reads a tab as a mark."""
    for text in texts:
        for line in escape(text).replace("\t", " ").replace("\0", " ").split("\n"):
            if line:
                yield line


def _refused(error: RuntimeError, vocabulary: int) -> Problem:
    message = str(error).splitlines()[-1] if str(error) else "no reason given"
    reason = message.partition("] ")[2] or message
    return Problem(
        f"SentencePiece cannot learn these pieces: {reason}",
        where="params.yaml, pieces.vocabulary",
        value=vocabulary,
        remedy="a smaller vocabulary or more text; a larger one if characters do not fit",
    )
