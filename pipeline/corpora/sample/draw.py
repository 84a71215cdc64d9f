"""Drawing the parts of a clause: who, what, where, when; each from a deck of its own.

What fits together is decided here: the adjective suits the thing, the time the tense.
"""

from functools import cache
from typing import Literal

from pipeline.corpora.sample import concepts, things, values
from pipeline.corpora.sample.deck import Table
from pipeline.corpora.sample.meaning import Determiner, Noun, Place, Time

Pair = tuple[str, str]
Relation = Literal["in", "to", "from"]
Kind = Literal["city", "territory", "spot"]
DETERMINERS: tuple[Determiner, ...] = (
    "the", "the", "the", "a", "a", "a", "this", "my", "our", "count", "count",
)  # fmt: skip
DEFINITE: tuple[Determiner, ...] = ("the", "the", "this", "my", "our")
TIMES = {  # tense → kinds of time that go with it
    "present": ("every_weekday", "every_few", "habit", "every_month"),
    "past": (
        "ago",
        "ago",
        "past_date",
        "past_date",
        "past_month",
        "past_year",
        "last_weekday",
        "before",
    ),
    "future": ("in", "in", "future_date", "future_month", "next_weekday", "after", "clock"),
}
HABITS = "every_day every_week every_morning every_evening".split()
BEFORE = "yesterday the_day_before_yesterday last_week last_month last_year".split()
AFTER = "tomorrow the_day_after_tomorrow next_week next_month next_year".split()
LONGEST = {"day": 60, "week": 50, "month": 30, "year": 40}
EVERY_FEW = {"hour": 12, "day": 12, "week": 9, "month": 11}


def subject(table: Table, *, noun: bool = False) -> Noun:
    """Who does it; `noun`: a person whom a relative clause can describe."""
    kind = (
        "noun" if noun else table.deal("subject kind", ("name",) * 4 + ("noun",) * 5 + ("pronoun",))
    )
    if kind == "name":
        return Noun(table.fill("subject", "names", concepts.NAMES), "name")
    if kind == "pronoun":
        return Noun(table.fill("subject", "pronouns", concepts.PRONOUNS), "pronoun")
    return person(table, "subject", known=noun)


def person(table: Table, slot: str, *, known: bool = False) -> Noun:
    """A person as "my uncle", "the shy baker", "a tourist"; `known`: "the", and no relative."""
    strangers = concepts.PEOPLE if known else concepts.PEOPLE + concepts.KIN
    concept = table.fill(slot, f"people {known}", strangers)
    if known:
        determiner = "the"
    elif concept in concepts.SPOUSES:
        determiner = "my"
    elif concept in concepts.KIN:
        determiner = table.deal("kin", ("my", "our"))
    elif concept in concepts.PERSONAL:
        determiner = table.deal("personal", ("my", "our", "the"))
    else:
        determiner = table.deal("stranger", ("the", "the", "a", "this"))
    adjective, kind = "", _class(concept)
    if table.chance(18):
        adjective = table.fill(f"{slot} adjective", f"adjectives {kind}", _adjectives(kind))
    return Noun(concept, determiner, adjective)


def _class(concept: str) -> str:
    return (
        "child"
        if concept in concepts.CHILDREN
        else "elder"
        if concept in concepts.ELDERS
        else "person"
    )


@cache
def _adjectives(classes: str) -> list[str]:
    return [name for name in things.ADJECTIVES if things.suits(name, classes)]


@cache
def _members(takes: str) -> list[str]:
    return things.members(takes)


def thing(table: Table, takes: str, *, definite: bool = False, most: int = 0) -> Noun:
    """A thing of the classes as "a new lamp", "our door"; `most`: up to so many of them."""
    concept = table.fill("object", f"things {takes}", _members(takes))
    classes = things.THINGS[concept]
    determiner = table.deal(f"determiners {definite}", DEFINITE if definite else DETERMINERS)
    adjective = ""
    if table.chance(25):
        adjective = table.fill("adjective", f"adjectives {classes}", _adjectives(classes))
    if determiner != "count":
        return Noun(concept, determiner, adjective)
    if not most or "drink" in classes:
        return Noun(concept, "the", adjective)
    count = table.fill("count", f"counts {most}", range(2, most + 1))
    return Noun(concept, "count", adjective, count)


def tongue(table: Table, pair: Pair, slot: str = "tongue", *, spoken: bool = False) -> str:
    """A language; `spoken`: one that is spoken today."""
    known = values.living(pair) if spoken else values.tongues(pair)
    return table.fill(slot, f"tongues {spoken}", known)


def city(table: Table, pair: Pair, slot: str = "city") -> str:
    """A city."""
    return table.fill(slot, "cities", values.cities(pair))


def territory(table: Table, pair: Pair, slot: str = "territory") -> str:
    """A territory."""
    return table.fill(slot, "territories", values.territories(pair))


def place(table: Table, pair: Pair, relation: Relation, verb: str, *, spots: bool = False) -> Place:
    """Where, where to, where from."""
    kinds: tuple[Kind, ...] = ("city", "territory", "spot") if spots else ("city", "territory")
    kind = "city" if verb in concepts.CITY_ONLY else table.deal(f"place {spots}", kinds)
    if kind == "spot":
        return Place("in", kind, table.fill("spot", "spots", concepts.SPOTS))
    value = city(table, pair) if kind == "city" else territory(table, pair)
    return Place(relation, kind, value)


def time(table: Table, tense: str) -> Time:
    """When, as it goes with the tense."""
    kind = table.deal(f"time {tense}", TIMES[tense])
    if kind in ("ago", "in"):
        return _span(table, kind, LONGEST)
    if kind == "every_few":
        return _span(table, kind, EVERY_FEW)
    if kind == "habit":
        return Time("adverb", (table.fill("time", "habits", HABITS),))
    if kind in ("before", "after"):
        return Time("adverb", (table.fill("time", kind, BEFORE if kind == "before" else AFTER),))
    if kind == "clock":
        minutes = table.fill("clock", "clocks", range(24 * 12))
        return Time("clock", (minutes // 12, minutes % 12 * 5))
    if kind.endswith("weekday"):
        day = table.fill("weekday", "weekdays", range(7))
        return Time("weekday", (kind.partition("_")[0], day))
    return _calendar(table, kind)


def _span(table: Table, kind: str, longest: dict[str, int]) -> Time:
    unit = table.fill("time unit", f"units {kind}", list(longest))
    count = table.fill("time count", f"spans {kind} {unit}", range(2, longest[unit] + 1))
    return Time(kind, (count, unit))


def _calendar(table: Table, kind: str) -> Time:
    month = table.fill("month", "months", range(1, 13))
    if kind == "every_month":
        return Time("every_month", (month,))
    future = kind.startswith("future")
    years = range(2027, 2050) if future else range(1950, 2026)
    year = table.fill("year", f"years {future}", years)
    if kind.endswith("year"):
        table.slots.pop(-2)
        return Time("year", (year,))
    if kind.endswith("month"):
        return Time("month", (year, month))
    return Time("date", (year, month, table.fill("day", "days", range(1, 29))))


def other(table: Table, who: Noun) -> Noun:
    """A person to whom something is done, not `who`; no name beside a name (who warns whom?)."""
    if who.determiner != "name" and table.chance(35):
        return Noun(table.fill("other", "other names", concepts.NAMES), "name")
    filled = len(table.slots)
    while (found := person(table, "other")).concept == who.concept:
        del table.slots[filled:]
    return found
