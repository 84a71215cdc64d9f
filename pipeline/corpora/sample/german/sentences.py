"""German sentences: a function for each kind of meaning, and the table that chooses it."""

from collections.abc import Callable
from typing import Any

from pipeline.corpora.sample import cldr, concepts, meaning, phrases
from pipeline.corpora.sample.german import nouns, places
from pipeline.corpora.sample.german.clauses import infinitive, join, order, relative
from pipeline.corpora.sample.german.verbs import BE, HAVE, VERBS, bracket, person

LINKS = {
    "because": "weil", "although": "obwohl", "if": "falls", "while": "während",
    "before": "bevor", "as_soon_as": "sobald",
}  # fmt: skip
SAYINGS: dict[str, dict[str, str]] = {
    "say": {"ich": "sage", "wir": "sagen", "er": "sagt"},
    "know": {"ich": "weiß", "wir": "wissen", "er": "weiß"},
    "believe": {"ich": "glaube", "wir": "glauben", "er": "glaubt"},
    "claim": {"ich": "behaupte", "wir": "behaupten", "er": "behauptet"},
    "suspect": {"ich": "vermute", "wir": "vermuten", "er": "vermutet"},
    "report": {"ich": "berichte", "wir": "berichten", "er": "berichtet"},
    "hope": {"ich": "hoffe", "wir": "hoffen", "er": "hofft"},
    "doubt": {"ich": "bezweifle", "wir": "bezweifeln", "er": "bezweifelt"},
    "ask": {"ich": "frage", "wir": "fragen", "er": "fragt"},
    "consider": {"ich": "überlege", "wir": "überlegen", "er": "überlegt"},
    "not_know": {"ich": "weiß nicht", "wir": "wissen nicht", "er": "weiß nicht"},
    "want_to_know": {"ich": "will wissen", "wir": "wollen wissen", "er": "will wissen"},
}
ATTEMPTS: dict[str, tuple[dict[str, str], str, str]] = {  # present, its end, perfect
    "try": ({"ich": "versuche", "wir": "versuchen", "er": "versucht"}, "", "versucht"),
    "plan": ({"ich": "plane", "wir": "planen", "er": "plant"}, "", "geplant"),
    "hope": ({"ich": "hoffe", "wir": "hoffen", "er": "hofft"}, "", "gehofft"),
    "promise": (
        {"ich": "verspreche", "wir": "versprechen", "er": "verspricht"}, "", "versprochen",
    ),
    "decide": ({"ich": "beschließe", "wir": "beschließen", "er": "beschließt"}, "", "beschlossen"),
    "begin": ({"ich": "fange", "wir": "fangen", "er": "fängt"}, "an", "angefangen"),
    "intend": ({"ich": "habe", "wir": "haben", "er": "hat"}, "vor", "vorgehabt"),
    "forget": ({"ich": "vergesse", "wir": "vergessen", "er": "vergisst"}, "", "vergessen"),
}  # fmt: skip
WAYS = {"trip": "die Reise", "flight": "der Flug", "drive": "die Fahrt"}
DIMENSIONS = {"weigh": ("wiegt", ""), "long": ("ist", "lang"), "high": ("ist", "hoch")}


def statement(said: meaning.Statement) -> str:
    """Der Lehrer hat gestern kein Buch gekauft."""
    return order(said.clause, "fronted" if said.fronted else "main") + "."


def question(said: meaning.Question) -> str:
    """Muss Paul den Brief unterschreiben?"""
    return order(said.clause, "question") + "?"


def linked(said: meaning.Linked) -> str:
    """Anna schläft, weil Paul den Bus repariert."""
    subordinate = f"{LINKS[said.link]} {order(said.subordinate, 'final')}"
    if not said.first:
        return f"{order(said.main, 'main')}, {subordinate}."
    return f"{subordinate}, {order(said.main, 'question')}."


def reported(said: meaning.Reported) -> str:
    """Ich glaube, dass der Koch in Kairo wohnt."""
    finite = SAYINGS[said.manner][person(said.subject)]
    link = "ob" if said.manner in concepts.ASKINGS else "dass"
    who = nouns.phrase(said.subject, "nominative")
    return f"{who} {finite}, {link} {order(said.clause, 'final')}."


def related(said: meaning.Relative) -> str:
    """Die Malerin, die den Zaun gestrichen hat, wohnt in Kairo."""
    head = nouns.phrase(said.main.subject, "nominative")
    rest = order(said.main, "continued")
    return f"{head}, {relative(said.relative)}, {rest}."


def attempt(said: meaning.Attempt) -> str:
    """Anna fängt an, den Lehrer anzurufen."""
    who = person(said.clause.subject)
    present, prefix, participle = ATTEMPTS[said.manner]
    finite, end = (present[who], prefix)
    if said.tense == "past":
        finite, end = HAVE[who], participle
    subject = nouns.phrase(said.clause.subject, "nominative")
    return f"{join(subject, finite, end)}, {infinitive(said.clause)}."


def joined(said: meaning.Joined) -> str:
    """Anna singt in Kairo, aber Paul liest keinen Roman."""
    link = {"and": " und", "but": ", aber"}[said.link]
    return f"{order(said.first, 'main')}{link} {order(said.second, 'main')}."


def price(said: meaning.Price) -> str:
    """Das neue Fahrrad kostet 480,50 Norwegische Kronen."""
    thing = nouns.phrase(said.thing, "nominative")
    return f"{thing} kostet {cldr.money(said.cents, said.currency, 'de')}."


def measure(said: meaning.Measure) -> str:
    """Die Scheune ist 12 Meter hoch."""
    finite, end = DIMENSIONS[said.dimension]
    amount = cldr.measured(said.count, said.unit, "de")
    return join(nouns.phrase(said.thing, "nominative"), finite, amount, end) + "."


def journey(said: meaning.Journey) -> str:
    """Der Flug von Kairo nach Wien dauert 12 Stunden."""
    amount = cldr.measured(said.count, said.unit, "de")
    origin, destination = cldr.city(said.origin, "de"), cldr.city(said.destination, "de")
    return f"{WAYS[said.way]} von {origin} nach {destination} dauert {amount}."


def birth(said: meaning.Birth) -> str:
    """Anna ist am 3. Mai 1998 in Kairo geboren."""
    who, finite = nouns.phrase(said.person, "nominative"), BE[person(said.person)]
    date, city = cldr.date(said.date, "long", "de"), cldr.city(said.city, "de")
    return f"{who} {finite} am {date} in {city} geboren."


def share(said: meaning.Share) -> str:
    """Etwa 12,5 % der Kunden in Peru sprechen Norwegisch."""
    group = nouns.NOUNS[said.group][2]
    where = places.place(meaning.Place("in", "territory", said.territory))
    part = cldr.percent(said.tenths, "de")
    return f"etwa {part} der {group} {where} sprechen {cldr.tongue(said.tongue, 'de')}."


def rendering(said: meaning.Rendering) -> str:
    """Anna hat den Brief aus dem Norwegischen ins Hindi übersetzt."""
    who, text = nouns.phrase(said.subject, "nominative"), nouns.phrase(said.text, "accusative")
    origin = cldr.tongue(said.origin, "de")
    destination = cldr.tongue(said.destination, "de")
    way = f"aus dem {_weak(origin, 'en')} ins {_weak(destination, 'e')}"
    clause = meaning.Clause(said.subject, "translate", tense=said.tense)
    finite, end, _ = bracket(clause)
    return join(who, finite, text, way, end) + "."


def _weak(tongue: str, ending: str) -> str:
    return tongue + ending if tongue.endswith("isch") else tongue


def listing(said: meaning.Listing) -> str:
    """Paul kennt Peru, die Türkei und den Irak."""
    who = nouns.phrase(said.subject, "nominative")
    who_ = person(said.subject)
    if said.manner in ("speaks", "learns"):
        names = cldr.joined([cldr.tongue(code, "de") for code in said.codes], "de")
        verb = VERBS["speak" if said.manner == "speaks" else "learn"]
        return f"{who} {verb.finite(who_)} {names}."
    names = cldr.joined([places.territory(code, "accusative") for code in said.codes], "de")
    if said.manner == "knows":
        return f"{who} {VERBS['know'].finite(who_)} {names}."
    return f"{who} {HAVE[who_]} {names} besucht."


def repetition(said: meaning.Repetition) -> str:
    """Anna hat den Roman zum einundzwanzigsten Mal gelesen."""
    return order(said.clause, "main", f"zum {places.ordinal(said.ordinal)} Mal") + "."


SAY: dict[type[Any], Callable[[Any], str]] = {
    meaning.Statement: statement,
    meaning.Question: question,
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
        return phrases.say(said, "de")
    text = SAY[type(said)](said)
    return text[0].upper() + text[1:]
