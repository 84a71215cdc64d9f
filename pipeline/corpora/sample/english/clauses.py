"""English word order: subject, auxiliary, verb, object, place, time."""

from pipeline.corpora.sample import cldr
from pipeline.corpora.sample.english import nouns
from pipeline.corpora.sample.english.words import VERBS
from pipeline.corpora.sample.meaning import Clause, Noun, Tongue

AUXILIARIES = {"can": "can", "may": "may", "would_like": "would"}
BE = {"I": "am", "we": "are"}


def join(*parts: str) -> str:
    """The parts that are there, with spaces between."""
    return " ".join(part for part in parts if part)


def is_plain(subject: Noun) -> bool:
    """Whether the present is the base form: I, we."""
    return subject.determiner == "pronoun" and subject.concept in ("I", "we")


def be(subject: Noun, *, past: bool = False) -> str:
    """am, are, is, was, were."""
    if not past:
        return BE.get(subject.concept, "is") if subject.determiner == "pronoun" else "is"
    return "were" if subject.concept == "we" and subject.determiner == "pronoun" else "was"


def finite(verb: str, subject: Noun, *, past: bool = False) -> str:
    """The finite form, without particle."""
    base, he, before, _ = VERBS[verb]
    return before if past else base if is_plain(subject) else he


def _do(subject: Noun, *, past: bool) -> str:
    return "did" if past else "do" if is_plain(subject) else "does"


def predicate(clause: Clause, *, asked: bool = False) -> tuple[str, str]:
    """The auxiliary ("" where none is needed) and the verb that follows it, particle included."""
    base, _, _, particle = VERBS[clause.verb]
    bare = join(base, particle)
    subject, helped = clause.subject, asked or clause.negated
    if clause.modal:
        return _modal(clause, bare, helped)
    if clause.tense in ("future", "would"):
        return {"future": "will", "would": "would"}[clause.tense], bare
    past = clause.tense == "past"
    if helped:
        return _do(subject, past=past), bare
    return "", join(finite(clause.verb, subject, past=past), particle)


def _modal(clause: Clause, bare: str, helped: bool) -> tuple[str, str]:
    subject, modal = clause.subject, clause.modal
    if modal == "may" and clause.negated:
        return "must", bare
    if modal == "supposed":
        return be(subject), f"supposed to {bare}"
    if modal in AUXILIARIES:
        return AUXILIARIES[modal], f"like to {bare}" if modal == "would_like" else bare
    base, he = {"must": ("have", "has"), "want": ("want", "wants")}[modal]
    if helped:
        return _do(subject, past=False), f"{base} to {bare}"
    return "", f"{base if is_plain(subject) else he} to {bare}"


def rest(clause: Clause, *, without_time: bool = False) -> str:
    """What follows the verb: object, place, time."""
    what = clause.object
    thing = ""
    if isinstance(what, Tongue):
        thing = cldr.tongue(what.code, "en")
    elif what is not None:
        thing = nouns.phrase(what)
    place = nouns.place(clause.place) if clause.place else ""
    time = nouns.time(clause.time) if clause.time and not without_time else ""
    return join(thing, place, time)


def order(clause: Clause, *, fronted: bool = False) -> str:
    """A main or subordinate clause, which English orders alike."""
    head = f"{nouns.time(clause.time)}, " if fronted and clause.time else ""
    return head + join(nouns.phrase(clause.subject), told(clause, without_time=fronted))


def told(clause: Clause, *, without_time: bool = False) -> str:
    """The clause without its subject."""
    auxiliary, verb = predicate(clause)
    negation = "not" if clause.negated else ""
    text = join(auxiliary, negation, verb, rest(clause, without_time=without_time))
    return "cannot" + text.removeprefix("can not") if text.startswith("can not ") else text


def question(clause: Clause) -> str:
    """The clause as a question."""
    auxiliary, verb = predicate(clause, asked=True)
    negation = "not" if clause.negated else ""
    return join(auxiliary, nouns.phrase(clause.subject), negation, verb, rest(clause))


def infinitive(clause: Clause) -> str:
    """to read the book."""
    base, _, _, particle = VERBS[clause.verb]
    return join("to", base, particle, rest(clause))
