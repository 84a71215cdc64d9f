"""German word order: the verb second in main clauses, last in subordinate ones.

The middle field holds time, place and object; definite objects precede "nicht", "kein" replaces
"nicht ein", and what answers "where to" stands right before the clause's end.
"""

from dataclasses import replace
from typing import Literal

from pipeline.corpora.sample import cldr
from pipeline.corpora.sample.german import nouns, places
from pipeline.corpora.sample.german.verbs import VERBS, bracket
from pipeline.corpora.sample.meaning import Clause, Noun, Tongue

Order = Literal["main", "fronted", "question", "final", "continued"]


def join(*parts: str) -> str:
    """The parts that are there, with spaces between."""
    return " ".join(part for part in parts if part)


def order(clause: Clause, kind: Order, inserted: str = "") -> str:
    """The clause without capitals and full stop; `inserted` stands before the place."""
    subject = nouns.phrase(clause.subject, "nominative")
    finite, end, last = bracket(clause)
    if kind == "fronted":
        assert clause.time is not None
        rest = middle(clause, without_time=True)
        return join(places.time(clause.time), finite, subject, rest, end)
    field = middle(clause) if not inserted else _with(clause, inserted)
    if kind == "final":
        return join(subject, field, last)
    if kind == "question":
        return join(finite, subject, field, end)
    if kind == "continued":
        return join(finite, field, end)
    return join(subject, finite, field, end)


def _with(clause: Clause, inserted: str) -> str:
    """The middle field with what is inserted after the object, before the place."""
    before = middle(replace(clause, place=None))
    return join(before, inserted, places.place(clause.place) if clause.place else "")


def middle(clause: Clause, *, without_time: bool = False) -> str:
    """Time, object, negation and place in the order in which German likes them."""
    time = places.time(clause.time) if clause.time and not without_time else ""
    place = places.place(clause.place) if clause.place else ""
    negation = "nicht" if clause.negated else ""
    what = clause.object
    if what is None:
        return join(time, negation, place)
    if isinstance(what, Tongue):
        name = cldr.tongue(what.code, "de")
        return join(time, place, "kein" if clause.negated else "", name)
    case = "dative" if VERBS[clause.verb].dative else "accusative"
    text = nouns.phrase(what, case, clause.negated)
    if what.determiner in ("a", "count"):
        return join(time, place, text)
    if clause.negated:
        return join(text, time, negation, place)
    return join(time, text, place)


def infinitive(clause: Clause) -> str:
    """The clause as an infinitive with zu, without its subject."""
    return join(middle(clause), VERBS[clause.verb].to)


def relative(clause: Clause) -> str:
    """The clause as a relative clause about its subject: "die gestern ein Buch gelesen hat"."""
    return join(
        nouns.DEFINITE["nominative"][_gender(clause.subject)], middle(clause), bracket(clause)[2]
    )


def _gender(noun: Noun) -> str:
    return nouns.gender(noun.concept)
