"""Subword regularisation: segmentations that are drawn, the same in every process."""

import math
import subprocess
import sys
from random import Random

import pyarrow as pa
import pytest

from pipeline.normalise import Normaliser
from pipeline.pieces import SAMPLERS, TRAINERS
from pipeline.pieces.bpe_dropout import merged
from pipeline.pieces.pieces import EOS, Pieces
from pipeline.pieces.sampler import Draw
from pipeline.problems import Problem
from pipeline.settings import parse

PARTS = ["han", "del", "kin", "der", "gar", "ten", "wie", "sen", "grün", "läu", "fer"]
WORDS = [a + b + c for a in PARTS for b in PARTS[::3] for c in PARTS[1::4]]
LEARNED = [
    f"{WORDS[i]} <sep> {WORDS[-i]} {WORDS[7 * i % len(WORDS)]} wiesen {i}" for i in range(90)
]
KINDS = {"n_best": "unigram", "bpe_dropout": "bpe"}
ROWS = [f"c:{i}" for i in range(len(LEARNED))]


def learn(kind, vocabulary=330, **changes):
    own = {"threads": 1, "user_symbols": ("<sep>",), **changes}
    trainer = TRAINERS[kind](vocabulary=vocabulary, **own)
    return Pieces((trainer.train(LEARNED),), Normaliser(form="none", whitespace="keep"))


@pytest.fixture(scope="module")
def learned():
    return {kind: learn(KINDS[kind]) for kind in KINDS}


def sampler(kind, **fields):
    return parse(SAMPLERS[kind], fields, "tests")


def drawn(pieces, draw, texts=LEARNED):
    return pieces.drawn_target_ids(pa.array(texts), ROWS[: len(texts)], draw)


@pytest.mark.parametrize("kind", sorted(SAMPLERS))
def test_what_is_drawn_is_another_segmentation_of_the_same_text(learned, kind):
    pieces = learned[kind]
    best = pieces.encode_target(LEARNED)
    for number in (1, 2):
        found = drawn(pieces, Draw(sampler(kind), number))
        assert pieces.decode(found) == LEARNED
        assert sum(ids != other for ids, other in zip(found, best, strict=True)) > 30


@pytest.mark.parametrize("kind", sorted(SAMPLERS))
def test_it_is_a_function_of_seed_variant_side_and_row(learned, kind):
    pieces = learned[kind]
    first = drawn(pieces, Draw(sampler(kind), 1))
    assert drawn(pieces, Draw(sampler(kind), 1)) == first
    assert drawn(pieces, Draw(sampler(kind), 1), LEARNED[:7]) == first[:7]
    assert drawn(pieces, Draw(sampler(kind), 2)) != first
    assert drawn(pieces, Draw(sampler(kind, seed=2), 1)) != first
    sources = pieces.drawn_source_ids(pa.array(LEARNED), ROWS, Draw(sampler(kind), 1))
    assert [ids[-1] for ids in sources] == [EOS] * len(sources)
    assert [ids[:-1] for ids in sources] != first


@pytest.mark.parametrize("kind", sorted(SAMPLERS))
def test_another_process_draws_the_same(learned, kind, root, tmp_path):
    model = tmp_path / "model"
    model.write_bytes(learned[kind]._target.serialized_model_proto())
    script = (
        "import sys, pyarrow as pa\n"
        "from pathlib import Path\n"
        "from pipeline.normalise import Normaliser\n"
        "from pipeline.pieces import SAMPLERS\n"
        "from pipeline.pieces.pieces import Pieces\n"
        "from pipeline.pieces.sampler import Draw\n"
        "pieces = Pieces((Path(sys.argv[1]).read_bytes(),), Normaliser())\n"
        f"draw = Draw(SAMPLERS[{kind!r}](), 1)\n"
        f"print(pieces.drawn_target_ids(pa.array({LEARNED[:5]!r}), {ROWS[:5]!r}, draw))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(model)], cwd=root, capture_output=True, text=True
    )
    assert result.stdout.strip() == str(drawn(learned[kind], Draw(sampler(kind), 1), LEARNED[:5]))


TEXTS = [
    *LEARNED,
    "",
    " ",
    "  zwei  Räume ",
    "<sep><sep>",
    "Hund<sep>狗狗 und é",
    "aaaaaa",
    "▁",
    "?!",
]


@pytest.mark.parametrize(("byte_fallback", "vocabulary"), [(True, 330), (False, 80)])
def test_without_dropout_merges_are_those_of_sentencepiece(byte_fallback, vocabulary):
    pieces = learn("bpe", vocabulary, byte_fallback=byte_fallback)
    texts = [*TEXTS, *(text[::-1] for text in LEARNED)]
    never = pieces.drawn_target_ids(pa.array(texts), texts, Draw(sampler("bpe_dropout", rate=0), 1))
    assert never == pieces.encode_target(texts)


def test_with_all_merges_left_out_a_word_stays_in_its_parts():
    scores = {"ab": -1.0, "abc": -2.0, "bc": -3.0}
    assert merged(list("abc"), scores, 0.0, Random(1)) == ["abc"]
    assert merged(list("bcab"), scores, 0.0, Random(1)) == ["bc", "ab"]
    assert merged(list("abc"), scores, 1.0, Random(1)) == ["a", "b", "c"]


def test_the_best_of_n_is_drawn_as_often_as_its_probability_says(learned):
    """Alpha 1 and two candidates: their scores' difference is the logarithm of the odds."""
    pieces = learned["n_best"]
    two = pieces._target.nbest_encode("wiesen", nbest_size=2, out_type=int)
    segment = sampler("n_best", n_best=2, alpha=1.0).segmenter(pieces._target)
    draws = [segment("wiesen", Random(i)) == two[0] for i in range(4000)]
    scores = [sum(map(pieces._target.get_score, ids)) for ids in two]
    odds = math.exp(scores[0] - scores[1])
    share = odds / (1 + odds)
    assert abs(sum(draws) / 4000 - share) < 5 * (share * (1 - share) / 4000) ** 0.5 + 1e-9


def test_alpha_0_draws_all_alike(learned):
    segment = sampler("n_best", n_best=4, alpha=0).segmenter(learned["n_best"]._target)
    draws = [tuple(segment("wiesen", Random(i))) for i in range(2000)]
    counts = [draws.count(each) for each in set(draws)]
    assert len(counts) == 4
    assert min(counts) > 400


@pytest.mark.parametrize("kind", sorted(SAMPLERS))
def test_a_sampler_of_other_pieces_is_a_problem(learned, kind):
    other = next(pieces for name, pieces in learned.items() if name != kind)
    with pytest.raises(Problem) as caught:
        other.check_sampler(sampler(kind))
    assert caught.value.where == "params.yaml, encoding.subword_regularisation.kind"
    assert KINDS[kind] in caught.value.remedy
