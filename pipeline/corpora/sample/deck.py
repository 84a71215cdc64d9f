"""Decks: every value of a slot comes equally often, like cards, shuffled when all are dealt."""

import random
import zlib
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Deck(Generic[T]):
    """Deals the values in a random order, each once before any comes again."""

    def __init__(self, values: Sequence[T], generator: random.Random) -> None:
        assert values
        self._values = list(values)
        self._generator = generator
        self._left: list[T] = []

    def deal(self) -> T:
        """The next value."""
        if not self._left:
            self._left = self._values.copy()
            self._generator.shuffle(self._left)
        return self._left.pop()


class Table:
    """All decks of a corpus, by name, and the slots that the sentence in hand has filled so far."""

    def __init__(self, seed: int, most: int) -> None:
        self._seed = seed
        self._most = most  # values of a slot: a small corpus uses few, so that each comes often
        self._decks: dict[str, Deck[Any]] = {}
        self.generator = random.Random(f"{seed} choices")
        self.slots: list[tuple[str, str]] = []

    def deal(self, name: str, values: Sequence[T]) -> T:
        """A value of the deck `name`, which holds `values` and shuffles in an order of its own."""
        deck = self._decks.get(name) or self._new(name, values, len(values))
        return deck.deal()

    def fill(self, slot: str, name: str, values: Sequence[T]) -> T:
        """Deal, and remember the value as what fills `slot` of the sentence in hand."""
        deck = self._decks.get(name) or self._new(name, values, self._most)
        value = deck.deal()
        self.slots.append((slot, str(value)))
        return value

    def chance(self, percent: int) -> bool:
        """True in `percent` of 100 cases."""
        return self.generator.random() * 100 < percent

    def _new(self, name: str, values: Sequence[T], most: int) -> Deck[T]:
        own = random.Random(zlib.crc32(f"{self._seed} {name}".encode()))
        deck = Deck(values if len(values) <= most else own.sample(values, most), own)
        self._decks[name] = deck
        return deck
