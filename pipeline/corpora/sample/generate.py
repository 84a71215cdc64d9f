"""Pairs by the thousand: draw a meaning, say it in both languages, decide where it goes.

A sentence's combinations are (family, slot, value) and each two neighbouring slots' values. The
hash of a combination decides, once and for all, whether train may see it. Train has none that is
held out; a valid or test sentence has one or more, and only values and words that train has seen.
No two sentences of valid and test fill the same slots alike, so no group stands in both.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, pairwise

from pipeline.corpora.sample import bare, families
from pipeline.corpora.sample.deck import Table
from pipeline.corpora.sample.draw import Pair
from pipeline.corpora.sample.grammars import GRAMMARS, say
from pipeline.problems import Problem

WORD = re.compile(r"\w+|[^\w\s]")
TWICE = 2  # how often train must hold a word that valid or test may use
MEETINGS = 20  # pairs of train for each value of the largest slot
LEAST_VALUES = 4
PATIENCE = 60  # draws for each sentence that is wanted, until we give up, and some for all
LEAST_DRAWS = 30_000
BARE_SHARE = 4  # weight of bare phrases beside the families', where both languages have a grammar


@dataclass(frozen=True, slots=True)
class Drawn:
    """One pair; `slots` as filled, `held_out`: a combination is none that train may see."""

    family: str
    slots: tuple[tuple[str, str], ...]
    source: str
    target: str
    held_out: bool

    @property
    def combination(self) -> str:
        """Template and slots as a text: what stands in one split, never in two."""
        return "|".join((self.family, *(value for _, value in self.slots)))


@dataclass(slots=True)
class Seen:
    """What train holds: how often each word of either side, and every value of a slot."""

    source: Counter[str] = field(default_factory=Counter[str])
    target: Counter[str] = field(default_factory=Counter[str])
    values: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def add(self, pair: Drawn) -> None:
        """Count a pair of train."""
        self.source.update(WORD.findall(pair.source))
        self.target.update(WORD.findall(pair.target))
        self.values.update(pair.slots)

    def knows(self, pair: Drawn) -> bool:
        """Whether train has all words of the pair twice, and all its values."""
        return (
            self.values.issuperset(pair.slots)
            and all(self.source[word] >= TWICE for word in WORD.findall(pair.source))
            and all(self.target[word] >= TWICE for word in WORD.findall(pair.target))
        )


def generate(
    pair: Pair, *, pairs: int, valid: int, test: int, held_out_percent: int, seed: int
) -> tuple[list[Drawn], list[Drawn], list[Drawn]]:
    """Train, valid and test; a Problem where so many different sentences do not exist."""
    table = Table(seed, most=max(LEAST_VALUES, pairs // MEETINGS))
    stream = draws(
        table, pair, held_out_percent, limit=LEAST_DRAWS + PATIENCE * (pairs + valid + test)
    )
    train: list[Drawn] = []
    pool: list[Drawn] = []
    seen = Seen()
    for drawn in stream:
        (pool if drawn.held_out else train).append(drawn)
        if not drawn.held_out:
            seen.add(drawn)
        if len(train) == pairs:
            break
    unseen = _unseen(chain(pool, stream), seen, wanted=valid + test)
    if len(train) < pairs or len(unseen) < valid + test:
        raise Problem(
            f"the sample of {pair[0]}-{pair[1]} has too few different sentences",
            value=f"{len(train)} of {pairs} for train, {len(unseen)} of {valid + test} unseen",
            remedy="lower pairs"
            if len(train) < pairs
            else "raise pairs (test holds only words that train has), or lower the shares",
        )
    return train, unseen[:valid], unseen[valid:]


def _unseen(candidates: Iterable[Drawn], seen: Seen, wanted: int) -> list[Drawn]:
    """The first sentences for valid and test, of each combination of template and slots one."""
    found: dict[str, Drawn] = {}
    for drawn in candidates:
        if len(found) == wanted:
            break
        if drawn.held_out and seen.knows(drawn):
            found.setdefault(drawn.combination, drawn)
    return list(found.values())


def draws(table: Table, pair: Pair, held_out_percent: int, *, limit: int) -> Iterator[Drawn]:
    """Different pairs without end (after `limit` draws): no source or target comes twice."""
    members = _families(pair)
    deck = [name for name, (weight, _) in members.items() for _ in range(weight)]
    sources: set[str] = set()
    targets: set[str] = set()
    for _ in range(limit):
        family = table.deal("family", deck)
        table.slots.clear()
        meaning = members[family][1](table, pair)
        source, target = say(meaning, pair[0]), say(meaning, pair[1])
        if source in sources or target in targets or not _says_something(source, target):
            continue
        sources.add(source)
        targets.add(target)
        slots = tuple(table.slots)
        yield Drawn(family, slots, source, target, held_out(family, slots, held_out_percent))


def _families(pair: Pair) -> dict[str, tuple[int, families.Family | bare.Family]]:
    phrases = {f"phrase {name}": member for name, member in bare.FAMILIES.items()}
    if not all(language in GRAMMARS for language in pair):
        return dict(phrases)
    return {**families.FAMILIES, "phrase": (BARE_SHARE, bare.any_phrase)}


def _says_something(source: str, target: str) -> bool:
    """Whether there are letters on both sides, and something to translate."""
    return source != target and any(map(str.isalpha, source)) and any(map(str.isalpha, target))


def held_out(family: str, slots: tuple[tuple[str, str], ...], percent: int) -> bool:
    """Whether any combination of the sentence is kept from train."""
    return any(_held(key, percent) for key in combinations(family, slots))


def combinations(family: str, slots: tuple[tuple[str, str], ...]) -> list[str]:
    """(family, slot, value) for each slot, and slot, value, next slot, next value."""
    single = [f"{family}|{slot}|{value}" for slot, value in slots]
    return single + [f"{a}|{b}|{c}|{d}" for (a, b), (c, d) in pairwise(slots)]


def _held(key: str, percent: int) -> bool:
    return zlib.crc32(key.encode()) % 100 < percent
