"""The grammars: German and English sentences, written out."""

import pytest

from pipeline.corpora.sample import concepts, things
from pipeline.corpora.sample.english import nouns as english_nouns
from pipeline.corpora.sample.english import words as english
from pipeline.corpora.sample.german import nouns as german
from pipeline.corpora.sample.german import places, sentences, verbs
from pipeline.corpora.sample.grammars import say
from pipeline.corpora.sample.meaning import (
    Attempt,
    Birth,
    Clause,
    Joined,
    Journey,
    Linked,
    Listing,
    Measure,
    Noun,
    Phrase,
    Place,
    Price,
    Question,
    Relative,
    Rendering,
    Repetition,
    Reported,
    Share,
    Statement,
    Time,
    Tongue,
)

ANNA, PAUL = Noun("Anna", "name"), Noun("Paul", "name")
BOOK, NOVEL = Noun("book", "the"), Noun("novel", "a")
WE, HE = Noun("we", "pronoun"), Noun("he", "pronoun")
CAIRO = Place("in", "city", "Africa/Cairo")
CAIRO_TO = Place("to", "city", "Africa/Cairo")
AGO = Time("ago", (3, "week"))


def clause(verb="read", what=BOOK, who=ANNA, **rest):
    return Clause(who, verb, what, **rest)


SENTENCES = [
    (Statement(clause()), "Anna liest das Buch.", "Anna reads the book."),
    (
        Statement(clause(what=NOVEL, tense="past", time=AGO, negated=True)),
        "Anna hat vor drei Wochen keinen Roman gelesen.",
        "Anna did not read a novel three weeks ago.",
    ),
    (
        Statement(clause(tense="past", time=AGO, place=CAIRO), fronted=True),
        "Vor drei Wochen hat Anna das Buch in Kairo gelesen.",
        "Three weeks ago, Anna read the book in Cairo.",
    ),
    (
        Statement(clause("pick_up", Noun("customer", "a", "shy"), who=WE)),
        "Wir holen einen schüchternen Kunden ab.",
        "We pick up a shy customer.",
    ),
    (
        Statement(clause("help", Noun("farmer", "this"), who=HE, modal="must", negated=True)),
        "Er muss diesem Bauern nicht helfen.",
        "He does not have to help this farmer.",
    ),
    (
        Statement(clause("open", Noun("umbrella", "a", "expensive"), modal="may", negated=True)),
        "Anna darf keinen teuren Regenschirm öffnen.",
        "Anna must not open an expensive umbrella.",
    ),
    (
        Statement(clause("buy", Noun("lamp", "count", "used", 23), tense="future")),
        "Anna wird dreiundzwanzig gebrauchte Lampen kaufen.",
        "Anna will buy twenty-three used lamps.",
    ),
    (
        Statement(clause("speak", Tongue("no"), negated=True, modal="can", who=WE)),
        "Wir können kein Norwegisch sprechen.",
        "We cannot speak Norwegian.",
    ),
    (
        Statement(clause("move", None, place=Place("to", "territory", "GB"), tense="past")),
        "Anna ist ins Vereinigte Königreich umgezogen.",
        "Anna moved to the United Kingdom.",
    ),
    (
        Statement(clause("flee", None, place=Place("from", "territory", "GB"))),
        "Anna flieht aus dem Vereinigten Königreich.",
        "Anna flees from the United Kingdom.",
    ),
    (
        Question(clause("put_on", Noun("coat", "my"), modal="supposed", who=HE)),
        "Soll er meinen Mantel anziehen?",
        "Is he supposed to put on my coat?",
    ),
    (
        Linked(
            clause("sleep", None), "because", clause("switch_on", Noun("radio", "the"), who=PAUL)
        ),
        "Anna schläft, weil Paul das Radio einschaltet.",
        "Anna sleeps because Paul switches on the radio.",
    ),
    (
        Linked(clause("laugh", None), "although", clause(who=PAUL, tense="past"), first=True),
        "Obwohl Paul das Buch gelesen hat, lacht Anna.",
        "Although Paul read the book, Anna laughs.",
    ),
    (
        Reported(WE, "not_know", clause("call", PAUL, tense="future")),
        "Wir wissen nicht, ob Anna Paul anrufen wird.",
        "We do not know whether Anna will call Paul.",
    ),
    (
        Reported(ANNA, "claim", clause("swim", None, who=HE, place=CAIRO, tense="past")),
        "Anna behauptet, dass er in Kairo geschwommen ist.",
        "Anna claims that he swam in Cairo.",
    ),
    (
        Relative(
            clause("paint", Noun("fence", "the"), who=Noun("painter", "the"), tense="past"),
            clause("live", None, who=Noun("painter", "the"), place=CAIRO),
        ),
        "Die Malerin, die den Zaun gestrichen hat, wohnt in Kairo.",
        "The painter who painted the fence lives in Cairo.",
    ),
    (
        Attempt("begin", "present", clause("wake_up", Noun("neighbor", "our"))),
        "Anna fängt an, unseren Nachbarn aufzuwecken.",
        "Anna begins to wake up our neighbor.",
    ),
    (
        Attempt("intend", "present", clause("thank", Noun("aunt", "my", "old"), who=WE)),
        "Wir haben vor, meiner alten Tante zu danken.",
        "We intend to thank my old aunt.",
    ),
    (
        Joined("but", clause(), clause("eat", Noun("apple", "a"), who=PAUL, negated=True)),
        "Anna liest das Buch, aber Paul isst keinen Apfel.",
        "Anna reads the book, but Paul does not eat an apple.",
    ),
    (
        Price(Noun("bicycle", "the", "new"), 48050, "NOK"),
        "Das neue Fahrrad kostet 480,50 Norwegische Kronen.",
        "The new bicycle costs 480.50 Norwegian kroner.",
    ),
    (
        Measure(Noun("barn", "this"), "high", 12, "length-meter"),
        "Diese Scheune ist 12 Meter hoch.",
        "This barn is 12 meters high.",
    ),
    (
        Journey("flight", "Africa/Cairo", "Europe/Vienna", 12, "duration-hour"),
        "Der Flug von Kairo nach Wien dauert 12 Stunden.",
        "The flight from Cairo to Vienna takes 12 hours.",
    ),
    (
        Birth(WE, "Africa/Cairo", (1998, 5, 3)),
        "Wir sind am 3. Mai 1998 in Kairo geboren.",
        "We were born in Cairo on May 3, 1998.",
    ),
    (
        Share(125, "customer", "NL", "no"),
        "Etwa 12,5 % der Kunden in den Niederlanden sprechen Norwegisch.",
        "About 12.5% of the customers in the Netherlands speak Norwegian.",
    ),
    (
        Rendering(ANNA, Noun("letter", "the"), "no", "hi", "past"),
        "Anna hat den Brief aus dem Norwegischen ins Hindi übersetzt.",
        "Anna translated the letter from Norwegian into Hindi.",
    ),
    (
        Listing(PAUL, "visited", ("PE", "TR", "IQ")),
        "Paul hat Peru, die Türkei und den Irak besucht.",
        "Paul visited Peru, Türkiye, and Iraq.",
    ),
    (
        Repetition(clause("give_back", BOOK), 21),
        "Anna gibt das Buch zum einundzwanzigsten Mal zurück.",
        "Anna gives back the book for the twenty-first time.",
    ),
    (
        Repetition(clause("travel", None, place=CAIRO_TO, tense="past"), 3),
        "Anna ist zum dritten Mal nach Kairo gereist.",
        "Anna traveled to Cairo for the third time.",
    ),
    (Phrase("full", (2021, 5, 3)), "Montag, 3. Mai 2021", "Monday, May 3, 2021"),
    (Phrase("words", (123,)), "einhundertdreiundzwanzig", "one hundred twenty-three"),
]


@pytest.mark.parametrize(("meaning", "german_text", "english_text"), SENTENCES)
def test_a_meaning_is_said_in_german_and_english(meaning, german_text, english_text):
    assert (say(meaning, "de"), say(meaning, "en")) == (german_text, english_text)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place("in", "territory", "CH"), "in der Schweiz"),
        (Place("to", "territory", "CH"), "in die Schweiz"),
        (Place("from", "territory", "US"), "aus den Vereinigten Staaten"),
        (Place("in", "territory", "AE"), "in den Vereinigten Arabischen Emiraten"),
        (Place("in", "territory", "IQ"), "im Irak"),
        (Place("to", "territory", "IQ"), "in den Irak"),
        (Place("in", "territory", "PH"), "auf den Philippinen"),
        (Place("to", "territory", "PH"), "auf die Philippinen"),
        (Place("in", "territory", "CF"), "in der Zentralafrikanischen Republik"),
        (Place("from", "territory", "PH"), "von den Philippinen"),
        (Place("in", "territory", "MT"), "auf Malta"),
        (Place("to", "territory", "MT"), "nach Malta"),
        (Place("from", "territory", "MD"), "aus der Republik Moldau"),
        (Place("to", "city", "Europe/Vienna"), "nach Wien"),
        (Place("in", "spot", "station"), "am Bahnhof"),
    ],
)
def test_german_places_have_their_article_and_preposition(place, text):
    assert places.place(place) == text


def test_german_infinitives_take_zu_inside_a_separable_verb():
    assert [verbs.VERBS[name].to for name in ("pick_up", "translate", "give_back")] == [
        "abzuholen",
        "zu übersetzen",
        "zurückzugeben",
    ]


def test_german_first_persons_are_regular():
    names = ("read", "arrive", "emigrate", "iron", "answer", "admire")
    assert [verbs.VERBS[name].finite("ich") for name in names] == [
        "lese", "komme", "wandere", "bügle", "antworte", "bewundere",
    ]  # fmt: skip


def test_english_articles_go_by_the_sound_that_follows():
    nouns = [Noun("umbrella", "a"), Noun("umbrella", "a", "used"), Noun("letter", "a", "important")]
    assert list(map(english_nouns.phrase, nouns)) == [
        "an umbrella",
        "a used umbrella",
        "an important letter",
    ]


def test_both_grammars_have_a_word_for_every_concept():
    nouns = {*concepts.KIN, *concepts.PEOPLE, *things.THINGS}
    doing = {name for _, names in concepts.FRAMES.values() for name in names}
    assert set(german.NOUNS) == nouns
    assert set(german.ADJECTIVES) == set(things.ADJECTIVES)
    assert set(verbs.VERBS) == doing
    assert doing | set(concepts.SAYINGS) <= set(english.VERBS)
    assert set(places.SPOTS) == set(english.SPOTS) == set(concepts.SPOTS)
    assert set(sentences.LINKS) == set(concepts.LINKS)
    assert set(sentences.ATTEMPTS) == set(concepts.ATTEMPTS)
    assert set(sentences.SAYINGS) == set(concepts.SAYINGS) | set(concepts.ASKINGS)


def test_no_two_concepts_share_a_word():
    for words in (
        [singular for _, singular, _ in german.NOUNS.values()],
        list(german.ADJECTIVES.values()),
        [verb.infinitive for verb in verbs.VERBS.values()],
        [(base, particle) for base, _, _, particle in english.VERBS.values()],
    ):
        twice = [word for word in words if words.count(word) > 1]
        assert twice in ([], [("try", ""), ("try", "")])  # probieren; versuchen, which takes zu


def test_every_thing_has_an_adjective_and_every_verb_an_object():
    for name, classes in things.THINGS.items():
        assert any(things.suits(adjective, classes) for adjective in things.ADJECTIVES), name
    for name, verb in concepts.ACTIONS.items():
        assert things.members(verb.takes) or "person" in verb.takes.split(), name
