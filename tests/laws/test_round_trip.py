"""Round trip: decode(encode(normalise(x))) = normalise(x); a text has the same ids everywhere."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.normalise import Normaliser
from pipeline.pieces import SAMPLERS, TRAINERS
from pipeline.pieces.ids import EOS
from pipeline.pieces.pieces import Pieces
from pipeline.pieces.sampler import Draw
from pipeline.records import Row
from pipeline.rows import row_batch
from pipeline.shards.encode import Encoder
from pipeline.tasks.translation import Translation

LEARNED = [f"Der Hund Nummer {i} <sep> läuft über die Wiese." for i in range(40)]
NORMALISERS = {
    "default": Normaliser(),
    "nothing": Normaliser(form="none", whitespace="keep", control="keep"),
    "nfkc": Normaliser(form="NFKC"),
}
# What tokenisers stumble over: spaces, their sign, controls, marks, names of special pieces.
ODD = ["▁", "\ue000", " ", "  ", "\t", "\n", "\r\n", "\x00", "\u0308", "é", "ﬁ", "\u200b", "\ufffd"]
ODD += [
    "<unk>",
    "<s>",
    "</s>",
    "<pad>",
    "<0x41>",
    "<sep>",
    "Hund",
    "狗",
    "👩‍👧",
    "\u2585",
    "⁇",
    "´",
]
TEXTS = st.lists(
    st.one_of(st.sampled_from(ODD), st.text(st.characters(exclude_categories=["Cs"]), max_size=4)),
    max_size=6,
).map("".join)
SYMBOLS = {kind: ("<sep>",) for kind in TRAINERS if kind != "word"}  # which cuts nowhere else
DRAWN = {"n_best": "unigram", "bpe_dropout": "bpe"}
SMALLEST = "a  ▁b\u0308 "


@pytest.fixture(scope="module")
def models():
    return {
        kind: trainer(vocabulary=295, threads=1, user_symbols=SYMBOLS.get(kind, ())).train(LEARNED)
        for kind, trainer in TRAINERS.items()
    }


def check(pieces, text):
    normal = pieces.normaliser.text(text)
    assert pieces.normaliser.text(normal) == normal
    assert pieces.decode(pieces.encode_target([text])) == [normal]
    assert pieces.decode_source(pieces.encode_source([text])) == [normal]


def test_nothing_is_lost_between_text_and_ids():
    model = TRAINERS["unigram"](vocabulary=295, threads=1).train(LEARNED)
    check(Pieces((model,), Normaliser()), SMALLEST)
    check(Pieces((model,), NORMALISERS["nothing"]), SMALLEST)
    words = TRAINERS["word"](vocabulary=295, threads=1).train(LEARNED)
    check(Pieces((words,), NORMALISERS["nothing"]), SMALLEST)


def test_normalising_twice_is_normalising_once():
    for normaliser in NORMALISERS.values():
        for text in (SMALLEST, "a\u200b\u0308", "´ \u0308", " \ufeff "):
            once = normaliser.text(text)
            assert normaliser.text(once) == once


@pytest.mark.parametrize("normaliser", NORMALISERS)
@pytest.mark.parametrize("kind", sorted(TRAINERS))
@settings(max_examples=150, deadline=None)
@given(text=TEXTS)
def test_nothing_is_lost_for_any_text(models, kind, normaliser, text):
    check(Pieces((models[kind],), NORMALISERS[normaliser]), text)


@pytest.mark.parametrize("kind", sorted(SAMPLERS))
@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_drawn_segmentations_lose_nothing(models, kind, text):
    pieces = Pieces((models[DRAWN[kind]],), Normaliser())
    draw = Draw(SAMPLERS[kind](), 1)
    (ids,) = pieces.drawn_source_ids(pa.array([text]), ["row"], draw)
    assert pieces.decode_source([ids]) == [pieces.normaliser.text(text)]


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_training_and_serving_give_a_text_the_same_ids(models, texts):
    pieces = Pieces((models["unigram"],), Normaliser())
    rows = [Row("i", "c", "train", "g", text, text, (text,), "de", "en") for text in texts]
    trained = Encoder(pieces, Translation(), 10_000, 10_000)(row_batch(rows))
    assert trained["source"].to_pylist() == pieces.encode_source(texts)
    assert trained["target"].to_pylist() == pieces.encode_target(texts)


def test_a_batch_gives_a_text_the_ids_that_it_has_alone():
    model = TRAINERS["unigram"](vocabulary=295, threads=1).train(LEARNED)
    pieces = Pieces((model,), Normaliser())
    texts = ["Der Hund", SMALLEST, "", "läuft"]
    alone = [pieces.encode_source([text])[0] for text in texts]
    assert pieces.encode_source(texts) == alone
    assert pieces.source_ids(pa.array(texts)) == alone
    assert [ids[-1] for ids in alone] == [EOS] * 4
