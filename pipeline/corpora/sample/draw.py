"""Drawing the parts of a sentence: who, what, where, when; each from a deck of its own.

What fits together is decided here: the object suits the verb, the adjective the thing, the time the
tense, and nobody plans to need anything.
"""

from functools import lru_cache

from pipeline.corpora.sample import concepts, values
from pipeline.corpora.sample.deck import Table
from pipeline.corpora.sample.meaning import Clause, Noun, Place, Tense, Time, Tongue

Pair = tuple[str, str]
FREE = ("present",) * 28 + ("past",) * 30 + ("future",) * 14 + ("modal",) * 20 + ("would",) * 8
STATES = ("present",) * 6 + ("past",) * 4
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
LONGEST = {"day": 90, "week": 60, "month": 40, "year": 90}
EVERY_FEW = {"hour": 12, "day": 40, "week": 30, "month": 20, "year": 30}


def subject(table: Table, *, noun: bool = False) -> Noun:
    """Who does it; `noun`: a person whom a relative clause can describe."""
    kind = (
        "noun" if noun else table.deal("subject kind", ("name",) * 4 + ("noun",) * 5 + ("pronoun",))
    )
    if kind == "name":
        return Noun(table.fill("subject", "names", concepts.NAMES), "name")
    if kind == "pronoun":
        return Noun(table.fill("subject", "pronouns", concepts.PRONOUNS), "pronoun")
    return person(table, "subject", definite=noun)


def person(table: Table, slot: str, *, definite: bool = False) -> Noun:
    """A person as "my uncle", "the shy baker", "a tourist"."""
    concept = table.fill(slot, "people", concepts.PEOPLE + concepts.KIN)
    if concept in concepts.KIN:
        determiner = table.deal("kin", ("my", "our"))
    elif concept in concepts.PERSONAL:
        determiner = table.deal("personal", ("my", "our", "the"))
    else:
        determiner = table.deal("stranger", ("the", "the", "a", "this"))
    if definite and determiner == "a":
        determiner = "the"
    adjective = ""
    if table.chance(18):
        adjective = table.fill(slot + " adjective", "person adjectives", _adjectives("person"))
    return Noun(concept, determiner, adjective)


@lru_cache(maxsize=None)
def _adjectives(classes: str) -> list[str]:
    return [name for name in concepts.ADJECTIVES if concepts.suits(name, classes)]


@lru_cache(maxsize=None)
def _members(takes: str) -> list[str]:
    return concepts.members(takes)


def thing(table: Table, takes: str, *, definite: bool = False, counts: bool = True) -> Noun:
    """A thing of the classes as "a new lamp", "our door", "seventeen old books"."""
    concept = table.fill("object", f"things {takes}", _members(takes))
    classes = concepts.THINGS[concept]
    kinds = (
        ("the", "the", "the")
        if definite
        else ("the", "the", "the", "a", "a", "a", "this", "my", "our", "count")
    )
    determiner = table.deal(f"determiners {definite}", kinds)
    adjective = ""
    if table.chance(25):
        adjective = table.fill("adjective", f"adjectives {classes}", _adjectives(classes))
    if determiner == "count":
        if not counts or "goods" not in classes.split():
            return Noun(concept, "the", adjective)
        return Noun(concept, "count", adjective, table.fill("count", "counts", range(2, 1000)))
    return Noun(concept, determiner, adjective)  # pyright: ignore[reportArgumentType]


def tongue(table: Table, pair: Pair, slot: str = "tongue") -> str:
    """A language."""
    return table.fill(slot, "tongues", values.tongues(pair))


def city(table: Table, pair: Pair, slot: str = "city") -> str:
    """A city."""
    return table.fill(slot, "cities", values.cities(pair))


def territory(table: Table, pair: Pair, slot: str = "territory") -> str:
    """A territory."""
    return table.fill(slot, "territories", values.territories(pair))


def place(table: Table, pair: Pair, relation: str, *, spots: bool = False) -> Place:
    """Where, where to, where from."""
    kinds = ("city", "territory", "spot") if spots else ("city", "territory")
    kind = table.deal(f"place {relation} {spots}", kinds)
    if kind == "spot":
        return Place("in", "spot", table.fill("spot", "spots", concepts.SPOTS))
    value = city(table, pair) if kind == "city" else territory(table, pair)
    return Place(relation, kind, value)  # pyright: ignore[reportArgumentType]


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


def clause(
    table: Table,
    pair: Pair,
    who: Noun,
    *,
    tense: str = "",
    timed: int = 40,
    placed: int = 25,
    negated: int = 20,
    lasting: bool = True,
) -> Clause:
    """What `who` does. `timed`, `placed`, `negated`: in how many of 100 cases; tense "": any."""
    frame = table.deal(
        "frame",
        ("thing",) * 34 + ("person",) * 18 + ("stay",) * 14 + ("trip",) * 18 + ("tongue",) * 16,
    )
    verb, lasts = _verb(table, frame, lasting and tense in ("", "present", "past"))
    tense, modal = _tense(table, tense, lasts)
    what, where = _arguments(table, pair, frame, verb, placed)
    when = None
    if not lasts and tense != "would" and table.chance(timed):
        when = time(table, "future" if modal else tense)
    no = table.chance(negated) and not (isinstance(what, Noun) and what.determiner == "count")
    return Clause(who, verb, what, where, when, tense, modal, no)  # pyright: ignore[reportArgumentType]


def _verb(table: Table, frame: str, lasting: bool) -> tuple[str, bool]:
    name = table.fill("verb", f"verbs {frame} {lasting}", _verbs(frame, lasting))
    if frame == "stay":
        return name, name in concepts.LASTING_STAYS
    if frame == "tongue":
        return name, concepts.TONGUE_VERBS[name]
    return name, frame in ("thing", "person") and concepts.ACTIONS[name].lasting


@lru_cache(maxsize=None)
def _verbs(frame: str, lasting: bool) -> list[str]:
    if frame == "stay":
        return concepts.STAYS + (concepts.LASTING_STAYS if lasting else [])
    if frame == "trip":
        return concepts.TRIPS + concepts.RETURNS
    if frame == "tongue":
        return [name for name, lasts in concepts.TONGUE_VERBS.items() if lasting or not lasts]
    found: list[str] = []
    for name, verb in concepts.ACTIONS.items():
        fits = "person" in verb.takes.split() if frame == "person" else verb.takes != "person"
        if fits and (lasting or not verb.lasting):
            found.append(name)
    return found


def _tense(table: Table, tense: str, lasts: bool) -> tuple[Tense, str]:
    if not tense:
        tense = table.deal(f"tenses {lasts}", STATES if lasts else FREE)
    if tense != "modal":
        return tense, ""  # pyright: ignore[reportReturnType]
    return "present", table.fill("modal", "modals", concepts.MODALS)


def _arguments(
    table: Table, pair: Pair, frame: str, verb: str, placed: int
) -> tuple[Noun | Tongue | None, Place | None]:
    if frame == "trip":
        relation = "to" if verb in concepts.TRIPS else "from"
        return None, place(table, pair, relation)
    if frame == "stay":
        spots = verb not in concepts.NO_SPOT
        return None, place(table, pair, "in", spots=spots)
    what: Noun | Tongue
    if frame == "tongue":
        what = Tongue(tongue(table, pair))
    elif frame == "person":
        what = other(table)
    else:
        what = thing(table, concepts.ACTIONS[verb].takes)
    stays = verb in ("own", "know", "miss", "admire", "trust", "need", "understand", "wake_up")
    where = None if stays or not table.chance(placed) else place(table, pair, "in", spots=True)
    return what, where


def other(table: Table) -> Noun:
    """A person to whom something is done."""
    if table.chance(25):
        return Noun(table.fill("other", "other names", concepts.NAMES), "name")
    return person(table, "other")
