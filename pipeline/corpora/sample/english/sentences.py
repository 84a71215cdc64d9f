"""English sentences: a function for each kind of meaning, and the table that chooses it."""

from collections.abc import Callable
from typing import Any

from pipeline.corpora.sample import cldr, meaning, phrases
from pipeline.corpora.sample.english import nouns
from pipeline.corpora.sample.english.clauses import (
    be,
    finite,
    infinitive,
    is_plain,
    join,
    order,
    question,
    told,
)

LINKS = {
    "because": "because", "although": "although", "if": "if", "while": "while",
    "before": "before", "as_soon_as": "as soon as",
}  # fmt: skip


def statement(said: meaning.Statement) -> str:
    """The teacher did not buy a book yesterday."""
    return order(said.clause, fronted=said.fronted) + "."


def asked(said: meaning.Question) -> str:
    """Does Paul have to sign the letter?"""
    return question(said.clause) + "?"


def linked(said: meaning.Linked) -> str:
    """Anna sleeps because Paul repairs the bus."""
    subordinate = f"{LINKS[said.link]} {order(said.subordinate)}"
    if said.first:
        return f"{subordinate}, {order(said.main)}."
    return f"{order(said.main)} {subordinate}."


def reported(said: meaning.Reported) -> str:
    """I believe that the cook lives in Cairo."""
    who = nouns.phrase(said.subject)
    clause = order(said.clause)
    if said.manner == "not_know":
        return f"{who} {'do' if is_plain(said.subject) else 'does'} not know whether {clause}."
    if said.manner == "want_to_know":
        return f"{who} {'want' if is_plain(said.subject) else 'wants'} to know whether {clause}."
    link = "whether" if said.manner in ("ask", "consider") else "that"
    return f"{who} {finite(said.manner, said.subject)} {link} {clause}."


def related(said: meaning.Relative) -> str:
    """The painter who painted the fence lives in Cairo."""
    head = nouns.phrase(said.main.subject)
    return f"{head} who {told(said.relative)} {told(said.main)}."


def attempt(said: meaning.Attempt) -> str:
    """Anna begins to call the teacher."""
    verb = "attempt" if said.manner == "try" else said.manner
    who = nouns.phrase(said.clause.subject)
    form = finite(verb, said.clause.subject, past=said.tense == "past")
    return f"{who} {form} {infinitive(said.clause)}."


def joined(said: meaning.Joined) -> str:
    """Anna sings in Cairo, but Paul does not read a novel."""
    return f"{order(said.first)}, {said.link} {order(said.second)}."


def price(said: meaning.Price) -> str:
    """The new bicycle costs 480.50 Norwegian kroner."""
    return f"{nouns.phrase(said.thing)} costs {cldr.money(said.cents, said.currency, 'en')}."


def measure(said: meaning.Measure) -> str:
    """The barn is 12 meters high."""
    amount = cldr.measured(said.count, said.unit, "en")
    form = {"weigh": ("weighs", ""), "long": ("is", "long"), "high": ("is", "high")}[said.dimension]
    return join(nouns.phrase(said.thing), form[0], amount, form[1]) + "."


def journey(said: meaning.Journey) -> str:
    """The flight from Cairo to Vienna takes 12 hours."""
    amount = cldr.measured(said.count, said.unit, "en")
    origin, destination = cldr.city(said.origin, "en"), cldr.city(said.destination, "en")
    return f"the {said.way} from {origin} to {destination} takes {amount}."


def birth(said: meaning.Birth) -> str:
    """Anna was born in Cairo on May 3, 1998."""
    city, date = cldr.city(said.city, "en"), cldr.date(said.date, "long", "en")
    who, form = nouns.phrase(said.person), be(said.person, past=True)
    return f"{who} {form} born in {city} on {date}."


def share(said: meaning.Share) -> str:
    """About 12.5% of the customers in Peru speak Norwegian."""
    group, where = nouns.plural(said.group), nouns.territory(said.territory)
    part, tongue = cldr.percent(said.tenths, "en"), cldr.tongue(said.tongue, "en")
    return f"about {part} of the {group} in {where} speak {tongue}."


def rendering(said: meaning.Rendering) -> str:
    """Anna translated the letter from Norwegian into Hindi."""
    clause = meaning.Clause(said.subject, "translate", said.text, tense=said.tense)
    origin, destination = cldr.tongue(said.origin, "en"), cldr.tongue(said.destination, "en")
    return f"{order(clause)} from {origin} into {destination}."


def listing(said: meaning.Listing) -> str:
    """Paul knows Peru, Türkiye, and Iraq."""
    who = nouns.phrase(said.subject)
    if said.manner in ("speaks", "learns"):
        names = [cldr.tongue(code, "en") for code in said.codes]
        verb = finite("speak" if said.manner == "speaks" else "learn", said.subject)
    else:
        names = [nouns.territory(code) for code in said.codes]
        past = said.manner == "visited"
        verb = finite("visit" if past else "know", said.subject, past=past)
    return f"{who} {verb} {cldr.joined(names, 'en')}."


def repetition(said: meaning.Repetition) -> str:
    """Anna read the novel for the twenty-first time."""
    return f"{order(said.clause)} for the {nouns.ordinal(said.ordinal)} time."


SAY: dict[type[Any], Callable[[Any], str]] = {
    meaning.Statement: statement,
    meaning.Question: asked,
    meaning.Linked: linked,
    meaning.Reported: reported,
    meaning.Relative: related,
    meaning.Attempt: attempt,
    meaning.Joined: joined,
    meaning.Price: price,
    meaning.Measure: measure,
    meaning.Journey: journey,
    meaning.Birth: birth,
    meaning.Share: share,
    meaning.Rendering: rendering,
    meaning.Listing: listing,
    meaning.Repetition: repetition,
}


def say(said: meaning.Meaning) -> str:
    """The sentence, its first letter a capital."""
    if isinstance(said, meaning.Phrase):
        return phrases.say(said, "en")
    text = SAY[type(said)](said)
    return text[0].upper() + text[1:]
