import re

import pytest
from pydantic import ValidationError

from pipeline.normalise import Normaliser
from pipeline.pieces import TRAINERS
from pipeline.pieces.character import Character
from pipeline.pieces.pieces import Pieces
from pipeline.pieces.unigram import Unigram
from pipeline.pieces.word import Word
from pipeline.problems import Problem

TEXTS = [f"Der Hund Nummer {i} läuft über die Wiese <sep> und bellt." for i in range(100)]


@pytest.mark.parametrize("kind", sorted({*TRAINERS} - {"word"}))
def test_user_symbols_are_one_piece_and_unseen_characters_are_bytes(kind):
    trainer = TRAINERS[kind](vocabulary=300, threads=1, user_symbols=("<sep>",))
    pieces = Pieces((trainer.train(TEXTS),), Normaliser())
    assert len(pieces.encode_target(["<sep>"])[0]) == 2  # ▁ and the symbol
    assert pieces.decode(pieces.encode_target(["a<sep>狗"])) == ["a<sep>狗"]
    assert pieces.source_vocabulary == 300 or not trainer.is_exact()


@pytest.mark.parametrize("kind", sorted(TRAINERS))
def test_a_kind_learns_so_many_pieces_or_at_most_so_many(kind):
    def learned(vocabulary):
        return Pieces(
            (TRAINERS[kind](vocabulary=vocabulary, threads=1).train(TEXTS),), Normaliser()
        )

    assert learned(300).source_vocabulary == (293 if kind == "character" else 300)
    if not TRAINERS[kind](vocabulary=300).is_exact():
        assert learned(20_000).source_vocabulary < 400


def test_characters_are_pieces_and_words_are():
    texts = ["ABBY CAB"]
    characters = Pieces((Character(vocabulary=300, threads=1).train(TEXTS + texts),), Normaliser())
    words = Pieces((Word(vocabulary=500, threads=1).train(TEXTS + texts),), Normaliser())
    assert len(characters.encode_target(texts)[0]) == 9
    assert len(words.encode_target(["Hund <sep> Wiese"])[0]) == 3
    assert len(words.encode_target(["Hunde"])[0]) == 8  # in bytes, the space's sign, too


def test_a_word_without_bytes_is_unknown():
    words = Pieces((Word(vocabulary=99, byte_fallback=False).train(["AE B IY"]),), Normaliser())
    assert words.encode_target(["AE X B", "X Y"]) == [[4, 1, 5], [1]]


def test_without_byte_fallback_an_unseen_character_is_unknown():
    trainer = Unigram(vocabulary=45, threads=1, byte_fallback=False)
    pieces = Pieces((trainer.train(TEXTS),), Normaliser())
    assert 1 in pieces.encode_target(["狗"])[0]


@pytest.mark.parametrize("vocabulary", [280, 20_000])
def test_a_vocabulary_that_does_not_fit_the_texts_is_a_problem(vocabulary):
    with pytest.raises(Problem, match="SentencePiece cannot learn these pieces") as caught:
        Unigram(vocabulary=vocabulary, threads=1).train(TEXTS)
    assert caught.value.where == "params.yaml, pieces.vocabulary"
    assert "ocabulary" in caught.value.what


def test_no_texts_are_a_problem():
    with pytest.raises(Problem, match="SentencePiece cannot learn these pieces"):
        Unigram(vocabulary=300, threads=1).train([])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"vocabulary": 260}, "vocabulary must be above 260"),
        ({"vocabulary": 261, "user_symbols": ("<a>",)}, "vocabulary must be above 261"),
        ({"vocabulary": 400, "user_symbols": ("a b",)}, "a symbol has no white space"),
        ({"vocabulary": 400, "user_symbols": ("",)}, "a symbol has no white space"),
        ({"vocabulary": 400, "character_coverage": 0.5}, "greater than 0.9"),
        ({"vocabulary": 400, "model": "x"}, "Extra inputs"),
        ({"vocabulary": 400, "target": Unigram(vocabulary=300)}, "needs shared: false"),
    ],
)
def test_impossible_settings_are_refused(fields, message):
    with pytest.raises(ValidationError, match=re.escape(message)):
        Unigram(**fields)


def test_a_target_has_no_target_of_its_own():
    inner = Word(vocabulary=300, shared=False, target=Word(vocabulary=300))
    with pytest.raises(ValidationError, match="and has no target"):
        Unigram(vocabulary=300, shared=False, target=inner)


def test_words_have_no_symbols_that_would_cut_them():
    with pytest.raises(ValidationError, match="put white space around them"):
        Word(vocabulary=300, user_symbols=("<sep>",))


def test_texts_with_tabs_nul_and_line_ends_can_be_learned_from():
    texts = [*TEXTS, "a\tb", "a\0b", "a\nb", "", "\n", "▁", "\ue000"]
    Unigram(vocabulary=300, threads=1).train(texts)
