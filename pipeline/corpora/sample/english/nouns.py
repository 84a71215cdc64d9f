"""English noun phrases, places and times."""

from functools import cache

from num2words import num2words

from pipeline.corpora.sample import cldr
from pipeline.corpora.sample.english.words import PLURALS, PRONOUNS, SPOTS, THE
from pipeline.corpora.sample.meaning import Noun, Place, Time

VOWELS = "aeiou"
LIKE_CONSONANTS = ("used", "uni", "euro")
LIKE_VOWELS = ("honest", "hour")


def article(word: str) -> str:
    """a or an, by the word that follows."""
    if word.startswith(LIKE_CONSONANTS):
        return "a"
    return "an" if word[0] in VOWELS or word.startswith(LIKE_VOWELS) else "a"


@cache
def ordinal(count: int) -> str:
    """twenty-first."""
    return str(num2words(count, lang="en", to="ordinal")).replace(" and ", " ")


def plural(concept: str) -> str:
    """The plural of a noun."""
    if concept in PLURALS:
        return PLURALS[concept]
    return (
        concept[:-1] + "ies" if concept[-1] == "y" and concept[-2] not in VOWELS else concept + "s"
    )


@cache
def phrase(noun: Noun) -> str:
    """The noun phrase."""
    if noun.determiner == "pronoun":
        return PRONOUNS[noun.concept]
    if noun.determiner == "name":
        return noun.concept
    if noun.determiner == "count":
        described = f"{noun.adjective} {plural(noun.concept)}".strip()
        return f"{cldr.words(noun.count, 'en')} {described}"
    described = f"{noun.adjective} {noun.concept}".strip()
    determiner = article(described) if noun.determiner == "a" else noun.determiner
    return f"{determiner} {described}"


@cache
def territory(code: str) -> str:
    """The territory with its article where it has one."""
    return f"{'the ' if code in THE else ''}{cldr.territory(code, 'en')}"


@cache
def place(where: Place) -> str:
    """in Cairo, to the Netherlands, from Peru, at the market."""
    if where.kind == "spot":
        return SPOTS[where.value]
    name = cldr.city(where.value, "en") if where.kind == "city" else territory(where.value)
    return f"{where.relation} {name}"


@cache
def time(when: Time) -> str:
    """When: three weeks ago, on May 3, 1998, every Monday."""
    value = when.value
    if when.kind == "adverb":
        return str(value[0]).replace("_", " ")
    if when.kind in ("ago", "in", "every_few"):
        amount = f"{cldr.words(int(value[0]), 'en')} {value[1]}s"
        return {"ago": f"{amount} ago", "in": f"in {amount}", "every_few": f"every {amount}"}[
            when.kind
        ]
    return _calendar(when)


def _calendar(when: Time) -> str:
    value = when.value
    if when.kind == "weekday":
        return f"{value[0]} {cldr.weekday(int(value[1]), 'en')}"
    if when.kind == "clock":
        return f"at {cldr.clock(value, 'en')}"
    if when.kind == "date":
        return f"on {cldr.date(value, 'long', 'en')}"
    if when.kind == "month":
        return f"in {cldr.month_of_year(value, 'en')}"
    if when.kind == "every_month":
        return f"every year in {cldr.month(int(value[0]), 'en')}"
    assert when.kind == "year", when
    return f"in {value[0]}"
