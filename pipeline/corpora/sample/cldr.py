"""What the Unicode CLDR says, through babel, in any language: names, dates, numbers, units.

Non-breaking spaces become plain and soft hyphens go, since references are compared as they are.
What names one thing is cached: a corpus says the same few thousand names again and again.
"""

import datetime
from collections.abc import Sequence
from functools import cache

from babel import Locale, dates, lists, numbers, units
from babel.core import get_global
from num2words import num2words

SPACES = str.maketrans(
    {"\u202f": " ", "\u00a0": " ", "\u2009": " ", "\u00ad": None, "\u200e": None}
)
DAYS_OF_UNIT = {"day": 1, "week": 7, "month": 30, "year": 365}
ANY_YEAR = 2001
PAYDAY = datetime.date(2026, 1, 1)  # whose currencies are in use: no clock decides about a corpus


def plain(text: str) -> str:
    """The text with plain spaces only."""
    return text.translate(SPACES)


@cache
def locale(language: str) -> Locale:
    """CLDR's data of a language."""
    return Locale.parse(language)


@cache
def territory(code: str, language: str) -> str:
    """The territory's name: Vereinigtes Königreich."""
    return plain(locale(language).territories[code])


@cache
def tongue(code: str, language: str) -> str:
    """The language's name: Norwegisch."""
    return plain(locale(language).languages[code])


@cache
def city(zone: str, language: str) -> str:
    """The city after which a time zone is named, from the zone's id where CLDR adds nothing."""
    known = locale(language).time_zones
    ids = [zone, *_former(zone)]
    named = [str(known[each]["city"]) for each in ids if each in known and "city" in known[each]]
    return plain(named[0] if named else zone.rpartition("/")[2].replace("_", " "))


@cache
def _former(zone: str) -> tuple[str, ...]:
    """Ids that a zone had before (CLDR still names Asia/Saigon)."""
    aliases = get_global("zone_aliases")
    return tuple(sorted(old for old, new in aliases.items() if new == zone))


@cache
def currency(code: str, count: int, language: str) -> str:
    """The currency's name in the form that goes with the count."""
    return plain(numbers.get_currency_name(code, count, locale(language)))


@cache
def decimal(hundredths: int, language: str) -> str:
    """12,50."""
    return plain(numbers.format_decimal(hundredths / 100, "#,##0.00", locale(language)))


def money(cents: int, code: str, language: str) -> str:
    """12,50 Norwegische Kronen; whole amounts without decimals."""
    if cents % 100:
        return f"{decimal(cents, language)} {currency(code, 12, language)}"
    whole = plain(numbers.format_decimal(cents // 100, locale=locale(language)))
    return f"{whole} {currency(code, cents // 100, language)}"


@cache
def measured(count: int, unit: str, language: str) -> str:
    """5 Kilometer."""
    return plain(units.format_unit(count, unit, locale=locale(language)))


@cache
def percent(tenths: int, language: str) -> str:
    """12,5 %."""
    pattern = locale(language).percent_formats[None].pattern.replace("#,##0", "#,##0.#")
    return plain(numbers.format_percent(tenths / 1000, pattern, locale(language)))


@cache
def words(count: int, language: str) -> str:
    """dreiundzwanzig, twenty-three (American: without "and")."""
    text = str(num2words(count, lang=language))
    return text.replace(" and ", " ") if language == "en" else text


@cache
def date(value: tuple[int | str, ...], style: str, language: str) -> str:
    """A date (year, month, day) in the style full, long, medium or short."""
    year, month_, day = (int(part) for part in value)
    when = datetime.date(year, month_, day)
    return plain(dates.format_date(when, style, locale(language)))  # pyright: ignore[reportArgumentType]


@cache
def month_of_year(value: tuple[int | str, ...], language: str) -> str:
    """Mai 1998, from (year, month)."""
    when = datetime.date(int(value[0]), int(value[1]), 1)
    return plain(dates.format_skeleton("yMMMM", when, locale=locale(language)))


@cache
def month(number: int, language: str) -> str:
    """Mai."""
    return plain(dates.get_month_names("wide", "stand-alone", locale(language))[number])


@cache
def weekday(number: int, language: str) -> str:
    """Montag, from 0."""
    return plain(dates.get_day_names("wide", "stand-alone", locale(language))[number])


@cache
def clock(value: tuple[int | str, ...], language: str) -> str:
    """20:15, from (hour, minute)."""
    when = datetime.datetime(ANY_YEAR, 1, 1, int(value[0]), int(value[1]))
    return plain(dates.format_time(when, "short", locale=locale(language)))


@cache
def relative(count: int, unit: str, language: str) -> str:
    """vor 3 Wochen (a negative count), in 3 Wochen."""
    difference = datetime.timedelta(days=count * DAYS_OF_UNIT[unit])
    return plain(
        dates.format_timedelta(
            difference,
            granularity=unit,  # pyright: ignore[reportArgumentType]
            threshold=1e9,
            add_direction=True,
            locale=locale(language),
        )
    )


def joined(names: Sequence[str], language: str) -> str:
    """Peru, Chile und Kuba."""
    return plain(lists.format_list(list(names), locale=locale(language)))


@cache
def tender() -> tuple[str, ...]:
    """Codes of the currencies that some territory pays with, on `PAYDAY`."""
    territories = sorted(get_global("territory_currencies"))
    found = [numbers.get_territory_currencies(each, PAYDAY) for each in territories]
    return tuple(sorted({code for codes in found for code in codes}))


@cache
def zones() -> tuple[str, ...]:
    """Ids of the time zones, which are named after cities."""
    return tuple(sorted(get_global("zone_territories")))
