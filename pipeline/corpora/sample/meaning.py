"""What a sentence means, before any language says it.

A grammar turns a meaning into text; a pair of languages is two grammars that say the same meaning.
Concepts are names of `concepts.py`; codes of territories, languages and currencies are CLDR's.
"""

from dataclasses import dataclass
from typing import Literal

Determiner = Literal["the", "a", "this", "my", "our", "count", "name", "pronoun"]
Tense = Literal["present", "past", "future", "would"]


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun phrase: `Noun("letter", "a", "short")` is "a short letter"."""

    concept: str
    determiner: Determiner
    adjective: str = ""
    count: int = 0  # only with the determiner "count"


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language as an object: "Norwegian"."""

    code: str


@dataclass(frozen=True, slots=True)
class Place:
    """`Place("to", "territory", "PE")` is "to Peru"; kind "spot" names a concept of SPOTS."""

    relation: Literal["in", "to", "from"]
    kind: Literal["city", "territory", "spot"]
    value: str


@dataclass(frozen=True, slots=True)
class Time:
    """`Time("ago", (35, "week"))` is "thirty-five weeks ago"; kinds are those of `draw.time`."""

    kind: str
    value: tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """Who does what, where and when."""

    subject: Noun
    verb: str
    object: Noun | Tongue | None = None
    place: Place | None = None
    time: Time | None = None
    tense: Tense = "present"
    modal: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """A main clause; `fronted`: it begins with its time."""

    clause: Clause
    fronted: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """A question that is answered by yes or no."""

    clause: Clause


@dataclass(frozen=True, slots=True)
class Linked:
    """A main clause and a subordinate one; `first`: the subordinate clause opens the sentence."""

    main: Clause
    link: str
    subordinate: Clause
    first: bool = False


@dataclass(frozen=True, slots=True)
class Reported:
    """Somebody says that…, somebody asks whether…: `manner` is a key of SAYINGS or ASKINGS."""

    subject: Noun
    manner: str
    clause: Clause


@dataclass(frozen=True, slots=True)
class Relative:
    """The woman who … does …; the clause's subject is the one whom `relative` describes."""

    relative: Clause
    main: Clause


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody tries to …: `manner` is of ATTEMPTS; the clause's subject is the one who tries."""

    manner: str
    tense: Tense
    clause: Clause


@dataclass(frozen=True, slots=True)
class Joined:
    """Two main clauses, joined by and or but."""

    link: Literal["and", "but"]
    first: Clause
    second: Clause


@dataclass(frozen=True, slots=True)
class Price:
    """What a thing costs; the amount in hundredths."""

    thing: Noun
    cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class Measure:
    """How long, wide, heavy a thing is: `dimension` is a key of DIMENSIONS."""

    thing: Noun
    dimension: str
    count: int
    unit: str


@dataclass(frozen=True, slots=True)
class Journey:
    """How long it takes from one city to another: `way` is the first of a line of JOURNEYS."""

    way: str
    origin: str
    destination: str
    count: int
    unit: str


@dataclass(frozen=True, slots=True)
class Birth:
    """Where and when somebody was born."""

    person: Noun
    city: str
    date: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Share:
    """About so many per cent of a group in a territory speak a language."""

    tenths: int
    group: str
    territory: str
    tongue: str


@dataclass(frozen=True, slots=True)
class Rendering:
    """Somebody translates a text from one language into another."""

    subject: Noun
    text: Noun
    origin: str
    destination: str
    tense: Tense


@dataclass(frozen=True, slots=True)
class Listing:
    """Somebody knows several territories, or speaks several languages."""

    subject: Noun
    manner: Literal["knows", "visited", "speaks", "learns"]
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repetition:
    """Somebody does something for the n-th time."""

    clause: Clause
    ordinal: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """A bare phrase that CLDR can say in any language: kinds are those of `phrases.py`."""

    kind: str
    value: tuple[int | str, ...]


Meaning = (
    Statement
    | Question
    | Linked
    | Reported
    | Relative
    | Attempt
    | Joined
    | Price
    | Measure
    | Journey
    | Birth
    | Share
    | Rendering
    | Listing
    | Repetition
    | Phrase
)
