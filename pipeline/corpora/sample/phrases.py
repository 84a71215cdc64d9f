"""Phrases that CLDR and num2words say in any language: dates, times, numbers, units, money, lists.

They are the whole of a pair where one language has no grammar here, and a small part of the others.
"""

from collections.abc import Callable

from pipeline.corpora.sample import cldr
from pipeline.corpora.sample.meaning import Phrase

Value = tuple[int | str, ...]


def _words(value: Value, language: str) -> str:
    return cldr.words(int(value[0]), language)


def _amount(value: Value, language: str) -> str:
    return cldr.measured(int(value[0]), str(value[1]), language)


KINDS: dict[str, Callable[[Value, str], str]] = {
    "full": lambda value, language: cldr.date(value, "full", language),
    "long": lambda value, language: cldr.date(value, "long", language),
    "medium": lambda value, language: cldr.date(value, "medium", language),
    "month_of_year": cldr.month_of_year,
    "clock": cldr.clock,
    "relative": lambda value, language: cldr.relative(int(value[0]), str(value[1]), language),
    "words": _words,
    "amount": _amount,
    "money": lambda value, language: cldr.money(int(value[0]), str(value[1]), language),
    "percent": lambda value, language: cldr.percent(int(value[0]), language),
    "territories": lambda value, language: cldr.joined(
        [cldr.territory(str(code), language) for code in value], language
    ),
    "tongues": lambda value, language: cldr.joined(
        [cldr.tongue(str(code), language) for code in value], language
    ),
    "cities": lambda value, language: cldr.joined(
        [cldr.city(str(zone), language) for zone in value], language
    ),
    "currencies": lambda value, language: cldr.joined(
        [cldr.currency(str(code), 12, language) for code in value], language
    ),
}


def say(phrase: Phrase, language: str) -> str:
    """The phrase in a language."""
    return KINDS[phrase.kind](phrase.value, language)
