"""The families of bare phrases, which any two languages of CLDR can say."""

from collections.abc import Callable, Mapping
from functools import partial

from pipeline.corpora.sample import cldr, draw, values
from pipeline.corpora.sample.deck import Table
from pipeline.corpora.sample.draw import Pair
from pipeline.corpora.sample.meaning import Phrase

Family = Callable[[Table, Pair], Phrase]


def date(table: Table, pair: Pair) -> Phrase:
    """Montag, 3. Mai 2021."""
    when = _date(table)
    same = any(cldr.date(when, "medium", each) == cldr.date(when, "long", each) for each in pair)
    styles = ("full", "long") if same else ("full", "long", "medium")
    return Phrase(table.fill("style", f"styles {same}", styles), when)


def _date(table: Table) -> tuple[int, int, int]:
    month = table.fill("month", "bare months", range(1, 13))
    year = table.fill("year", "bare years", range(1900, 2050))
    return year, month, table.fill("day", "bare days", range(1, 29))


def clock(table: Table, pair: Pair) -> Phrase:
    """20:15."""
    hour = table.fill("hour", "hours", range(24))
    return Phrase("clock", (hour, table.fill("minute", "minutes", range(60))))


def month_of_year(table: Table, pair: Pair) -> Phrase:
    """Mai 2021."""
    month = table.fill("month", "bare months", range(1, 13))
    return Phrase("month_of_year", (table.fill("year", "bare years", range(1900, 2050)), month))


def relative(table: Table, pair: Pair) -> Phrase:
    """vor 3 Wochen."""
    unit = table.fill("unit", "relative units", list(draw.LONGEST))
    count = table.fill("count", f"relative {unit}", range(2, draw.LONGEST[unit] + 1))
    return Phrase("relative", (count if table.chance(50) else -count, unit))


def words(table: Table, pair: Pair) -> Phrase:
    """neunhunderteinundzwanzig."""
    return Phrase("words", (table.fill("number", "numbers", range(2, 100_000)),))


def amount(table: Table, pair: Pair) -> Phrase:
    """5 Kilometer."""
    unit = table.fill("unit", "bare units", values.units(pair))
    return Phrase("amount", (table.fill("amount", "bare amounts", range(2, 300)), unit))


def money(table: Table, pair: Pair) -> Phrase:
    """12,50 Euro."""
    currency = table.fill("currency", "currencies", values.currencies(pair))
    whole = table.fill("amount", "bare amounts", range(2, 300))
    return Phrase("money", (whole * 100 + table.deal("cents", (0, 20, 50, 75, 99)), currency))


def percent(table: Table, pair: Pair) -> Phrase:
    """12,5 %."""
    return Phrase("percent", (table.fill("share", "bare shares", range(1, 1000)),))


def names(table: Table, pair: Pair, kind: str) -> Phrase:
    """Peru, Chile und Kuba."""
    known: dict[str, Callable[[Pair], tuple[str, ...]]] = {
        "territories": values.territories,
        "tongues": values.tongues,
        "cities": values.cities,
        "currencies": values.currencies,
    }
    codes: list[str] = []
    for _ in range(table.deal("bare lengths", (1, 2, 2, 3, 3, 4))):
        code = table.fill("name", f"bare {kind}", known[kind](pair))
        if code in codes:
            table.slots.pop()
        else:
            codes.append(code)
    return Phrase(kind, tuple(codes))


# How many of 100 phrases, where phrases are all there is.
FAMILIES: Mapping[str, tuple[int, Family]] = {
    "date": (14, date),
    "clock": (3, clock),
    "month of year": (4, month_of_year),
    "relative": (4, relative),
    "number": (14, words),
    "amount": (13, amount),
    "money": (14, money),
    "percent": (2, percent),
    "territories": (12, partial(names, kind="territories")),
    "languages": (10, partial(names, kind="tongues")),
    "cities": (6, partial(names, kind="cities")),
    "currencies": (4, partial(names, kind="currencies")),
}


_DECK = [name for name, (weight, _) in FAMILIES.items() for _ in range(weight)]


def any_phrase(table: Table, pair: Pair) -> Phrase:
    """One of them all, as often as the table above says."""
    name = table.fill("phrase", "phrases", _DECK)
    return FAMILIES[name][1](table, pair)
