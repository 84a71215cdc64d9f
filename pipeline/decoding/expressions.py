"""Regular expressions over characters, read one character at a time (Brzozowski 1964).

Example: of `ab*` there is left `b*` after "a", `b*` again after "ab", and nothing after "ac". An
expression is itself the state of an automaton: `after` says what is left, `may_end` whether that
may be nothing. Equal languages are mostly written alike, so that the states are few.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Characters:
    """One character: of the ranges, or (`others`) any but those."""

    ranges: tuple[tuple[str, str], ...]  # both ends included
    others: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """One expression, then another."""

    first: "Expression"
    rest: "Expression"


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of these; of none, nothing can be read."""

    ways: frozenset["Expression"]


@dataclass(frozen=True, slots=True)
class Repeat:
    """An expression any number of times, also never."""

    inner: "Expression"


@dataclass(frozen=True, slots=True)
class Empty:
    """The empty text."""


Expression = Characters | Chain | Choice | Repeat | Empty
EMPTY = Empty()
NEVER = Choice(frozenset())


def chain(*parts: Expression) -> Expression:
    """One after the other."""
    whole: Expression = EMPTY
    for part in reversed(parts):
        whole = _chained(part, whole)
    return whole


def _chained(first: Expression, rest: Expression) -> Expression:
    if first == NEVER or rest == NEVER:
        return NEVER
    if first == EMPTY:
        return rest
    if rest == EMPTY:
        return first
    if isinstance(first, Chain):
        return Chain(first.first, _chained(first.rest, rest))
    return Chain(first, rest)


def choice(ways: Sequence[Expression]) -> Expression:
    """Any of them."""
    flat = frozenset(
        one for way in ways for one in (way.ways if isinstance(way, Choice) else (way,))
    )
    return next(iter(flat)) if len(flat) == 1 else Choice(flat)


def repeat(inner: Expression, least: int, most: int | None) -> Expression:
    """From `least` to `most` times (None: any number of times)."""
    more: Expression = EMPTY
    if most is None:
        more = Repeat(inner)
    for _ in range(0 if most is None else most - least):
        more = choice([EMPTY, chain(inner, more)])
    return chain(*[inner] * least, more)


@lru_cache(maxsize=2**14)
def may_end(expression: Expression) -> bool:
    """Whether the empty text is of this language."""
    match expression:
        case Characters():
            return False
        case Chain(first, rest):
            return may_end(first) and may_end(rest)
        case Choice(ways):
            return any(map(may_end, ways))
        case Repeat() | Empty():
            return True


@lru_cache(maxsize=2**18)
def after(expression: Expression, character: str) -> Expression:
    """What may follow `character`; NEVER where nothing begins with it."""
    match expression:
        case Characters(ranges, others):
            inside = any(low <= character <= high for low, high in ranges)
            return EMPTY if inside != others else NEVER
        case Chain(first, rest):
            ways = [chain(after(first, character), rest)]
            return choice([*ways, after(rest, character)] if may_end(first) else ways)
        case Choice(ways):
            return choice([after(way, character) for way in ways])
        case Repeat(inner):
            return chain(after(inner, character), expression)
        case Empty():
            return NEVER
