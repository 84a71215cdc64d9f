"""Other pairs: the grammar's languages turned round, and any two languages of the list."""

import itertools

import pytest

from pipeline.corpora.sample.generate import generate
from pipeline.corpora.sample.grammars import GRAMMARS, LANGUAGES, say
from pipeline.corpora.sample.meaning import Phrase


def parts(source, target, pairs=120):
    return generate((source, target), pairs=pairs, valid=2, test=4, held_out_percent=3, seed=1)


@pytest.mark.parametrize(("source", "target"), list(itertools.pairwise((*LANGUAGES, "de"))))
def test_every_language_is_a_source_and_a_target(source, target):
    train, valid, test = parts(source, target)
    rows = train + valid + test
    assert (len(train), len(valid), len(test)) == (120, 2, 4)
    assert len({row.source for row in rows}) == len({row.target for row in rows}) == 126
    assert all(row.source.strip() == row.source and row.target for row in rows)


def test_english_to_german_has_the_whole_grammar():
    families = {row.family for row in parts("en", "de", pairs=600)[0]}
    assert {"simple", "linked", "relative", "attempt", "phrase"} <= families


def test_a_language_without_a_grammar_gets_phrases_only():
    assert "fr" not in GRAMMARS
    assert {row.family.partition(" ")[0] for row in parts("fr", "en")[0]} == {"phrase"}


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("fr", ["lundi 3 mai 2021", "il y a 3 semaines", "Pérou et Turquie", "quatre-vingts"]),
        ("es", ["lunes, 3 de mayo de 2021", "hace 3 semanas", "Perú y Turquía", "ochenta"]),
        ("nl", ["maandag 3 mei 2021", "3 weken geleden", "Peru en Turkije", "tachtig"]),
    ],
)
def test_phrases_are_those_of_cldr_and_num2words(language, texts):
    phrases = [
        Phrase("full", (2021, 5, 3)),
        Phrase("relative", (-3, "week")),
        Phrase("territories", ("PE", "TR")),
        Phrase("words", (80,)),
    ]
    assert [say(phrase, language) for phrase in phrases] == texts
