import pickle

import pytest

from pipeline.normalise import Normaliser
from pipeline.pieces.bpe import Bpe
from pipeline.pieces.bpe_dropout import BpeDropout
from pipeline.pieces.ids import EOS
from pipeline.pieces.pieces import Pieces
from pipeline.pieces.sampler import Draw
from pipeline.pieces.unigram import Unigram
from pipeline.records import Row
from pipeline.rows import row_batch
from pipeline.shards.encode import Encoder
from pipeline.tasks.translation import Translation


@pytest.fixture(scope="module")
def pieces():
    texts = [f"Satz Nummer {i} von vielen" for i in range(50)]
    return Pieces((Unigram(vocabulary=290, threads=1).train(texts),), Normaliser())


def encode(pieces, split, pairs, longest=8, draw=None):
    encoder = Encoder(pieces, Translation(), longest, longest, draw)
    encoder = pickle.loads(pickle.dumps(encoder))
    rows = [
        Row(f"c:{i}", "c", split, "g", source, target, (target,), "de", "en")
        for i, (source, target) in enumerate(pairs)
    ]
    return encoder(row_batch(rows)).to_pylist()


SHORT, LONG = "Satz", "狗狗狗狗狗狗"  # 18 bytes and more


def test_over_long_rows_of_train_go_with_a_reason(pieces):
    pairs = [(SHORT, SHORT), (LONG, SHORT), (SHORT, LONG), (LONG, LONG)]
    found = encode(pieces, "train", pairs)
    assert [row["dropped"] for row in found] == [
        None, "source_too_long", "target_too_long", "both_too_long",
    ]  # fmt: skip
    assert [row["changed"] for row in found] == [None] * 4


def test_elsewhere_they_are_cut_and_the_source_keeps_its_end(pieces):
    found = encode(pieces, "test", [(SHORT, SHORT), (LONG, SHORT), (SHORT, LONG), (LONG, LONG)])
    assert [row["dropped"] for row in found] == [None] * 4
    assert [row["changed"] for row in found] == [None, "source_cut", "target_cut", "both_cut"]
    (whole,) = pieces.encode_source([LONG])
    assert found[1]["source"] == [*whole[:7], EOS]
    assert found[2]["target"] == pieces.encode_target([LONG])[0][:8]
    assert found[0]["source"] == pieces.encode_source([SHORT])[0]


def test_the_bound_itself_is_allowed(pieces):
    length = len(pieces.encode_source([SHORT])[0])
    assert encode(pieces, "train", [(SHORT, "")], length)[0]["dropped"] is None
    assert encode(pieces, "train", [(SHORT, "")], length - 1)[0]["dropped"] == "source_too_long"


def test_a_drawn_segmentation_that_is_too_long_gives_way_to_the_best():
    texts = [f"Satz Nummer {i} von vielen grünen Wiesen" for i in range(50)]
    pieces = Pieces((Bpe(vocabulary=300, threads=1).train(texts),), Normaliser())
    text = "Satz Nummer 7"
    (best,) = pieces.encode_source([text])
    draw = Draw(BpeDropout(rate=0.9), 1)
    (wide,) = encode(pieces, "train", [(text, text)], 60, draw)
    (tight,) = encode(pieces, "train", [(text, text)], len(best), draw)
    assert len(wide["source"]) > len(best)
    assert tight["source"] == best
    assert pieces.decode([wide["target"]]) == pieces.decode([tight["target"]]) == [text]
    assert encode(pieces, "train", [(text, text)], len(best) - 1, draw)[0]["dropped"] is not None


def test_ids_stay_beside_their_rows(pieces):
    found = encode(pieces, "train", [("eins", "one"), ("zwei", "two")])
    assert [row["id"] for row in found] == ["c:0", "c:1"]
    assert [pieces.decode([row["target"]])[0] for row in found] == ["one", "two"]
