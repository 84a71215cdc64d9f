"""The families of sentences, and how often each comes: a function draws one sentence's meaning."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from pipeline.corpora.sample import concepts, draw, values
from pipeline.corpora.sample.clause import clause
from pipeline.corpora.sample.deck import Table
from pipeline.corpora.sample.draw import Pair
from pipeline.corpora.sample.meaning import (
    Attempt,
    Birth,
    Joined,
    Journey,
    Linked,
    Listing,
    Meaning,
    Measure,
    Noun,
    Price,
    Question,
    Relative,
    Rendering,
    Repetition,
    Reported,
    Share,
    Statement,
)

Family = Callable[[Table, Pair], Meaning]
# Main and subordinate tense of each link.
LINK_TENSES: dict[str, tuple[tuple[str, str], ...]] = {
    "because": (("present", "present"), ("past", "past"), ("future", "present"), ("past", "past")),
    "although": (("present", "present"), ("past", "past"), ("future", "present")),
    "if": (("future", "present"), ("modal", "present")),
    "while": (("past", "past"), ("present", "present")),
    "before": (("past", "past"), ("future", "present")),
    "as_soon_as": (("future", "present"), ("modal", "present")),
}


def _different(table: Table, who: object) -> Noun:
    filled = len(table.slots)
    while (second := draw.subject(table)) == who:
        del table.slots[filled:]
    return second


def simple(table: Table, pair: Pair) -> Meaning:
    """Der Lehrer hat gestern kein Buch gekauft."""
    return Statement(clause(table, pair, draw.subject(table)))


def fronted(table: Table, pair: Pair) -> Meaning:
    """Vor drei Wochen hat Nina das Rad repariert."""
    tense = table.deal("fronted tense", ("past",) * 5 + ("future",) * 3 + ("present",) * 2)
    what = clause(
        table, pair, draw.subject(table), tense=tense, timed=100, negated=10, lasting=False,
        habits=tense == "present",
    )  # fmt: skip
    return Statement(what, fronted=True)


def question(table: Table, pair: Pair) -> Meaning:
    """Muss Paul den Brief unterschreiben?"""
    return Question(clause(table, pair, draw.subject(table), negated=0))


def linked(table: Table, pair: Pair, *, first: bool) -> Meaning:
    """Anna schläft, weil Paul den Bus repariert."""
    link = table.fill("link", "links", concepts.LINKS)
    main, below = table.deal(f"tenses {link}", LINK_TENSES[link])
    lasting = link in ("because", "although")
    who = draw.subject(table)
    what = clause(table, pair, who, tense=main, timed=0, placed=10, negated=10, lasting=lasting)
    second = clause(
        table, pair, _different(table, who), tense=below, timed=0, placed=10,
        negated=10 if link in ("because", "although", "if") else 0, lasting=lasting,
    )  # fmt: skip
    return Linked(what, link, second, first)


def reported(table: Table, pair: Pair) -> Meaning:
    """Ich glaube, dass der Koch in Kairo wohnt."""
    manner = table.fill("manner", "manners", concepts.SAYINGS + concepts.ASKINGS)
    who = draw.subject(table)
    negated = 0 if manner in concepts.ASKINGS else 20
    what = clause(table, pair, _different(table, who), timed=25, placed=15, negated=negated)
    return Reported(who, manner, what)


def relative(table: Table, pair: Pair) -> Meaning:
    """Die Malerin, die den Zaun gestrichen hat, wohnt in Kairo."""
    who = draw.subject(table, noun=True)
    about = clause(table, pair, who, timed=25, placed=10, negated=10)
    main = clause(table, pair, who, timed=15, placed=10, negated=10)
    return Relative(about, main)


def attempt(table: Table, pair: Pair) -> Meaning:
    """Nina versucht, den Lehrer anzurufen."""
    manner = table.fill("manner", "attempts", concepts.ATTEMPTS)
    tense = table.deal("attempt tense", ("present", "past"))
    if manner in ("hope", "intend"):
        tense = "present"
    who = draw.subject(table)
    what = clause(
        table,
        pair,
        who,
        tense="present",
        timed=0,
        placed=25,
        negated=0,
        lasting=False,
        planned=True,
    )
    return Attempt(manner, tense, what)  # pyright: ignore[reportArgumentType]


def joined(table: Table, pair: Pair) -> Meaning:
    """Anna singt in Kairo, aber Paul liest keinen Roman."""
    link = table.deal("joints", ("and", "but"))
    tense = table.deal("joined tense", ("present", "past", "future"))
    who = draw.subject(table)
    what = clause(table, pair, who, tense=tense, timed=10, placed=10, negated=5)
    second = clause(
        table, pair, _different(table, who), tense=tense, timed=0, placed=10,
        negated=5 if link == "and" else 40,
    )  # fmt: skip
    return Joined(link, what, second)  # pyright: ignore[reportArgumentType]


def price(table: Table, pair: Pair) -> Meaning:
    """Das neue Fahrrad kostet 480,50 Norwegische Kronen."""
    thing = draw.thing(table, "goods food drink", definite=True)
    currency = table.fill("currency", "currencies", values.currencies(pair))
    whole = table.fill("amount", "amounts", range(2, 300))
    return Price(thing, whole * 100 + table.deal("cents", (0, 0, 20, 50, 75, 95, 99)), currency)


def measure(table: Table, pair: Pair) -> Meaning:
    """Die Kiste wiegt 12 Kilogramm."""
    dimension = table.fill("dimension", "dimensions", list(concepts.DIMENSIONS))
    classes, unit, least, most = table.deal(
        f"dimension {dimension}", concepts.DIMENSIONS[dimension]
    )
    thing = draw.thing(table, classes, definite=True)
    count = table.fill("amount", f"amounts {dimension} {unit} {most}", range(least, most + 1))
    return Measure(thing, dimension, count, unit)


def journey(table: Table, pair: Pair) -> Meaning:
    """Der Flug von Kairo nach Wien dauert 12 Stunden."""
    way, unit, least, most = table.fill("way", "journeys", concepts.JOURNEYS)
    origin = draw.city(table, pair, "origin")
    destination = draw.city(table, pair, "destination")
    count = table.fill("amount", f"journeys {way} {unit}", range(least, most + 1))
    return Journey(way, origin, destination, count, unit)


def birth(table: Table, pair: Pair) -> Meaning:
    """Anna ist am 3. Mai 1998 in Kairo geboren."""
    who, city = draw.subject(table), draw.city(table, pair)
    month = table.fill("month", "months", range(1, 13))
    year = table.fill("year", "birth years", range(1930, 2016))
    return Birth(who, city, (year, month, table.fill("day", "days", range(1, 29))))


def share(table: Table, pair: Pair) -> Meaning:
    """Etwa 12,5 % der Kunden in Peru sprechen Norwegisch."""
    group = table.fill("group", "groups", concepts.GROUPS)
    place = draw.territory(table, pair)
    tongue = draw.tongue(table, pair, spoken=True)
    return Share(table.deal("shares", range(5, 996, 5)), group, place, tongue)


def rendering(table: Table, pair: Pair) -> Meaning:
    """Anna übersetzt den Brief aus dem Norwegischen ins Hindi."""
    who, text = draw.subject(table), draw.thing(table, "text")
    origin, destination = (
        draw.tongue(table, pair, "origin"),
        draw.tongue(table, pair, "destination"),
    )
    tense = table.deal("rendering tense", ("present", "past", "future"))
    return Rendering(who, text, origin, destination, tense)  # pyright: ignore[reportArgumentType]


def listing(table: Table, pair: Pair) -> Meaning:
    """Paul kennt Peru, die Türkei und den Irak."""
    who = draw.subject(table)
    manner = table.fill("manner", "listings", ("knows", "visited", "speaks", "learns"))
    codes: list[str] = []
    for _ in range(table.deal("lengths", (2, 3, 3, 4))):
        if manner in ("knows", "visited"):
            code = draw.territory(table, pair)
        else:
            code = draw.tongue(table, pair, spoken=manner == "speaks")
        if code in codes:
            table.slots.pop()
        else:
            codes.append(code)
    return Listing(who, manner, tuple(codes))  # pyright: ignore[reportArgumentType]


def repetition(table: Table, pair: Pair) -> Meaning:
    """Anna liest den Roman zum einundzwanzigsten Mal."""
    tense = table.deal("repetition tense", ("present", "past"))
    what = clause(
        table, pair, draw.subject(table), tense=tense, timed=0, placed=0, negated=0,
        lasting=False, habits=True,
    )  # fmt: skip
    if isinstance(what.object, Noun) and what.object.determiner == "count":
        table.slots.remove(("count", str(what.object.count)))  # a sentence has the slots it says
        what = replace(what, object=replace(what.object, determiner="the", count=0))
    return Repetition(what, table.fill("ordinal", "ordinals", range(2, 41)))


# How often each is dealt, as weights; CLDR's own phrases are in bare.py.
FAMILIES: Mapping[str, tuple[int, Family]] = {
    "simple": (22, simple),
    "fronted": (12, fronted),
    "linked": (10, partial(linked, first=False)),
    "opened": (6, partial(linked, first=True)),
    "reported": (9, reported),
    "question": (6, question),
    "relative": (6, relative),
    "attempt": (6, attempt),
    "joined": (5, joined),
    "price": (3, price),
    "measure": (2, measure),
    "journey": (3, journey),
    "birth": (2, birth),
    "share": (2, share),
    "rendering": (2, rendering),
    "listing": (2, listing),
    "repetition": (1, repetition),
}
