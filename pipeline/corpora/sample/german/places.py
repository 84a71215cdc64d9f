"""Where, when, how much in German: prepositions and articles that CLDR's names leave out."""

from functools import cache

from num2words import num2words

from pipeline.corpora.sample import cldr
from pipeline.corpora.sample.meaning import Place, Time

# Territories with an article: gender (p: plural); the name itself is CLDR's, in the nominative.
ARTICLES = {
    "CH": "f", "CF": "f", "DO": "f", "MN": "f", "SK": "f", "TR": "f", "UA": "f", "MD": "f",
    "EH": "f", "GB": "n", "IQ": "m", "IR": "m", "LB": "m", "NE": "m", "SD": "m", "SS": "m",
    "TD": "m", "YE": "m", "XK": "m", "SN": "m", "AE": "p", "BS": "p", "KM": "p", "MV": "p",
    "NL": "p", "PH": "p", "SB": "p", "SC": "p", "US": "p", "MH": "p", "FO": "p",
}  # fmt: skip
ISLANDS = frozenset("AW BB BS CY FO GP GU JM KM MH MQ MT MU MV PH SB SC".split())
# Adjective and noun, where the adjective declines.
ADJECTIVAL = {
    "AE": ("Vereinigte Arabische", "Emirate"),
    "US": ("Vereinigte", "Staaten"),
    "GB": ("Vereinigte", "Königreich"),
    "CF": ("Zentralafrikanische", "Republik"),
    "DO": ("Dominikanische", "Republik"),
}
SPOTS = {
    "garden": "im Garten", "kitchen": "in der Küche", "market": "auf dem Markt",
    "station": "am Bahnhof", "office": "im Büro", "park": "im Park",
    "library": "in der Bibliothek", "museum": "im Museum", "hospital": "im Krankenhaus",
    "restaurant": "im Restaurant", "school": "in der Schule", "theater": "im Theater",
    "bakery": "in der Bäckerei", "cellar": "im Keller", "hotel": "im Hotel",
    "bank": "in der Bank", "café": "im Café", "church": "in der Kirche",
    "stadium": "im Stadion", "factory": "in der Fabrik",
}  # fmt: skip
UNITS = {  # plural in the accusative, in the dative
    "day": ("Tage", "Tagen"), "week": ("Wochen", "Wochen"), "month": ("Monate", "Monaten"),
    "year": ("Jahre", "Jahren"), "hour": ("Stunden", "Stunden"),
}  # fmt: skip
ADVERBS = {
    "yesterday": "gestern", "tomorrow": "morgen", "the_day_before_yesterday": "vorgestern",
    "the_day_after_tomorrow": "übermorgen", "last_week": "letzte Woche",
    "next_week": "nächste Woche", "last_year": "letztes Jahr", "next_year": "nächstes Jahr",
    "every_day": "jeden Tag", "every_week": "jede Woche", "every_morning": "jeden Morgen",
    "every_evening": "jeden Abend", "last_month": "letzten Monat", "next_month": "nächsten Monat",
}  # fmt: skip


@cache
def ordinal(count: int) -> str:
    """The ordinal after "zum": einundzwanzigsten."""
    return str(num2words(count, lang="de", to="ordinal")) + "n"


@cache
def territory(code: str, case: str) -> str:
    """The territory with its article in the accusative or dative; without where it has none."""
    letter = ARTICLES.get(code, "")
    if not letter:
        return cldr.territory(code, "de")
    article = {
        "accusative": {"m": "den", "f": "die", "n": "das", "p": "die"},
        "dative": {"m": "dem", "f": "der", "n": "dem", "p": "den"},
    }[case][letter]
    return f"{article} {_declined(code, case, letter)}"


def _declined(code: str, case: str, letter: str) -> str:
    """The name after an article: weak adjectives, and n in the dative plural."""
    adjective, noun = ADJECTIVAL.get(code, ("", cldr.territory(code, "de")))
    plain = case == "accusative" and letter in "fn"
    if adjective and not plain:
        adjective = " ".join(word + "n" for word in adjective.split())
    if case == "dative" and letter == "p" and noun[-1] not in "ns":
        noun += "n"
    return f"{adjective} {noun}".strip()


@cache
def place(where: Place) -> str:
    """in Kairo, in der Türkei, im Irak, nach Peru, in die Schweiz, aus den Niederlanden."""
    if where.kind == "spot":
        return SPOTS[where.value]
    if where.kind == "city":
        preposition = {"in": "in", "to": "nach", "from": "aus"}[where.relation]
        return f"{preposition} {cldr.city(where.value, 'de')}"
    letter = ARTICLES.get(where.value, "")
    case = "accusative" if where.relation == "to" else "dative"
    name = territory(where.value, case)
    if where.relation == "from":
        return f"{'von' if letter and where.value in ISLANDS else 'aus'} {name}"
    if where.relation == "to" and not letter:
        return f"nach {name}"
    if where.value in ISLANDS:
        return f"auf {name}"
    return f"in {name}".replace("in dem ", "im ").replace("in das ", "ins ")


@cache
def time(when: Time) -> str:
    """When: vor drei Wochen, am 3. Mai 1998, jeden Montag."""
    value = when.value
    if when.kind == "adverb":
        return ADVERBS[str(value[0])]
    if when.kind in ("ago", "in", "every_few"):
        accusative, dative = UNITS[str(value[1])]
        number = cldr.words(int(value[0]), "de")
        return {
            "ago": f"vor {number} {dative}",
            "in": f"in {number} {dative}",
            "every_few": f"alle {number} {accusative}",
        }[when.kind]
    return _calendar(when)


def _calendar(when: Time) -> str:
    value = when.value
    if when.kind == "weekday":
        name = cldr.weekday(int(value[1]), "de")
        return (
            f"{ {'every': 'jeden', 'last': 'letzten', 'next': 'nächsten'}[str(value[0])] } {name}"
        )
    if when.kind == "clock":
        return f"um {cldr.clock(value, 'de')} Uhr"
    if when.kind == "date":
        return f"am {cldr.date(value, 'long', 'de')}"
    if when.kind == "month":
        return f"im {cldr.month_of_year(value, 'de')}"
    if when.kind == "every_month":
        return f"jedes Jahr im {cldr.month(int(value[0]), 'de')}"
    assert when.kind == "year", when
    return f"im Jahr {value[0]}"
