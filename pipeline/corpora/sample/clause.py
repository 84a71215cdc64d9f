"""Drawing a clause: a verb, and what goes with it.

The object suits the verb, nobody plans to need anything, and nobody emigrates every Monday.
"""

from dataclasses import replace
from functools import cache
from typing import cast

from pipeline.corpora.sample import concepts, draw, things
from pipeline.corpora.sample.deck import Table
from pipeline.corpora.sample.draw import Pair
from pipeline.corpora.sample.meaning import Clause, Noun, Place, Tense, Tongue

FREE = ("present",) * 28 + ("past",) * 30 + ("future",) * 14 + ("modal",) * 20 + ("would",) * 8
UNPLANNED = ("present",) * 3 + ("past",) * 5 + ("future",) * 2
STATES = ("present",) * 6 + ("past",) * 4
MANY, FEW = 999, 12
FRAMES = [frame for frame, (weight, _) in concepts.FRAMES.items() for _ in range(weight)]


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
    habits: bool = False,
    planned: bool = False,
) -> Clause:
    """What `who` does. `timed`, `placed`, `negated`: in how many of 100 cases; tense "": any.

    `lasting`: states too; `habits`: only what one does again; `planned`: only what one wants.
    """
    frame = table.deal("frame", FRAMES)
    states = lasting and tense in ("", "present", "past")
    deck = f"verbs {frame} {states} {habits} {planned}"
    verb = table.fill("verb", deck, _verbs(frame, states, habits, planned))
    tense, modal = _tense(table, tense, verb)
    what, where = _arguments(table, pair, frame, verb, who, placed)
    when = None
    if _may_be_timed(verb, tense, modal) and table.chance(timed):
        when = draw.time(table, "future" if modal else tense)
    no = table.chance(negated)
    return _sensible(Clause(who, verb, what, where, when, cast(Tense, tense), modal, no))


@cache
def _verbs(frame: str, states: bool, habits: bool, planned: bool) -> list[str]:
    verbs = concepts.FRAMES[frame][1]
    kept = [verb for verb in verbs if states or verb not in concepts.LASTING]
    kept = [verb for verb in kept if not habits or verb not in concepts.ONCE]
    return [verb for verb in kept if not planned or verb not in concepts.UNWANTED]


def _tense(table: Table, tense: str, verb: str) -> tuple[str, str]:
    if not tense and verb in concepts.LASTING:
        tense = table.deal("tenses of states", STATES)
    elif not tense or (tense == "modal" and verb in concepts.UNWANTED):
        plain = verb in concepts.UNWANTED
        tense = table.deal(f"tenses {plain}", UNPLANNED if plain else FREE)
    if tense != "modal":
        return tense, ""
    return "present", table.fill("modal", "modals", concepts.MODALS)


def _may_be_timed(verb: str, tense: str, modal: str) -> bool:
    if verb in concepts.LASTING or tense == "would":
        return False
    return tense != "present" or bool(modal) or verb not in concepts.ONCE


def _arguments(
    table: Table, pair: Pair, frame: str, verb: str, who: Noun, placed: int
) -> tuple[Noun | Tongue | None, Place | None]:
    if frame == "trip":
        return None, draw.place(table, pair, "to" if verb in concepts.TRIPS else "from", verb)
    if frame == "stay":
        return None, draw.place(table, pair, "in", verb, spots=verb not in concepts.NO_SPOT)
    what: Noun | Tongue
    if frame == "tongue":
        what = Tongue(draw.tongue(table, pair, spoken=verb == "speak"))
    elif frame == "person":
        what = draw.other(table, who)
    else:
        most = MANY if verb in concepts.TRADE else 0 if verb in concepts.SINGLE else FEW
        what = draw.thing(table, concepts.ACTIONS[verb].takes, most=most)
    if verb in concepts.NO_PLACE or not table.chance(placed):
        return what, None
    return what, draw.place(table, pair, "in", verb, spots=True)


def _sensible(clause: Clause) -> Clause:
    """No "does not buy three lamps", no "does not thank a baker", no "does not sing every day"."""
    what = clause.object
    habit = clause.tense == "present" and not clause.modal and clause.time is not None
    if clause.negated and habit:
        return replace(clause, negated=False)
    if not clause.negated or not isinstance(what, Noun):
        return clause
    if what.determiner == "count":
        return replace(clause, negated=False)
    if what.determiner == "a" and what.concept not in things.THINGS:
        return replace(clause, object=replace(what, determiner="the"))
    return clause
