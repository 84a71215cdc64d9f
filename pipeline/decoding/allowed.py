"""What a model may say at all: a list of texts, or a regular grammar; spelled in ids by the pieces.

A search then finds the best of the allowed outputs; its score is the model's own, as ever.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol

from pydantic import Field, SerializeAsAny, field_validator

from pipeline.batches.batch import UNKNOWN
from pipeline.choose import chosen
from pipeline.decoding import spelling
from pipeline.decoding.automata import FAR, START, Automaton, trie
from pipeline.decoding.expressions import NEVER
from pipeline.decoding.grammar import expression
from pipeline.decoding.texts import Pieces
from pipeline.problems import Problem
from pipeline.settings import Settings


class Speller(Pieces, Protocol):
    """What is needed of a piece model to spell what is allowed."""

    @property
    def target_vocabulary(self) -> int:
        """How many target ids there are."""
        ...

    def encode_target(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of target texts, without EOS."""
        ...


class Allowed(Settings, ABC):
    """A set of texts, and the automaton over ids that accepts them and nothing else."""

    @abstractmethod
    def automaton(self, pieces: Speller) -> Automaton:
        """The automaton for a model with these pieces."""


class Texts(Allowed):
    """A list of texts, each spelled as the pieces spell a target."""

    texts: tuple[str, ...] = Field(min_length=1)
    """The only outputs that are allowed."""

    def automaton(self, pieces: Speller) -> Automaton:
        """A trie of the texts' ids."""
        outputs = pieces.encode_target(self.texts)
        for text, ids in zip(self.texts, outputs, strict=True):
            if UNKNOWN in ids:
                raise Problem(
                    "an allowed text has characters that no piece spells",
                    where="decoding.allowed.texts",
                    value=text,
                    remedy="set pieces.byte_fallback: true, or take the text out",
                )
        return trie(outputs, pieces.target_vocabulary)


class Grammar(Allowed):
    """A regular grammar over characters, in any spelling."""

    rules: Mapping[str, str]
    """Name → regular expression; `start` is the whole output, `<name>` stands for another rule."""

    @field_validator("rules")
    @classmethod
    def _can_be_read(cls, rules: Mapping[str, str]) -> Mapping[str, str]:
        if expression(rules) == NEVER:
            raise ValueError("the grammar admits no text: [] is no character")
        return rules

    def automaton(self, pieces: Speller) -> Automaton:
        """What is left of the grammar after each piece."""
        found = spelling.spelled(expression(self.rules), pieces.decode, pieces.target_vocabulary)
        if int(found.distances[START]) >= FAR:
            raise Problem(
                "no sequence of pieces spells anything of the grammar",
                where="decoding.allowed.rules",
                value=dict(self.rules),
                remedy="write the rules with characters that the targets of the training have",
            )
        return found


def _table() -> Mapping[str, type[Allowed]]:
    """The room's table, which is complete only after this module."""
    from pipeline.decoding import ALLOWED

    return ALLOWED


AnyAllowed = Annotated[SerializeAsAny[Allowed], chosen(_table)]
