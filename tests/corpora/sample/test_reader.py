"""The sample as a corpus: rows, splits, languages, and the same bytes everywhere."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import babel
import num2words
import pytest

from pipeline.corpora import READERS
from pipeline.corpora.sample.families import FAMILIES
from pipeline.problems import Problem
from pipeline.rows import to_rows
from pipeline.settings import parse

DIGEST = "6cb737e578f9759f78be853985ed75f9059a83184c2992f2b30110449d7e6dac"
PRINT_CORPUS = """
import hashlib
from pipeline.corpora.sample.generate import generate
parts = generate(("de", "en"), pairs=100, valid=2, test=4, held_out_percent=3, seed=1)
lines = [f"{drawn.source}\\t{drawn.target}" for part in parts for drawn in part]
print(hashlib.sha256("\\n".join(lines).encode()).hexdigest())
"""


def content_digest(rows):
    lines = [f"{row.source}\t{row.target}" for row in rows]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read(source="de", target="en", **fields):
    reader = READERS["sample"](
        name="sample", source_language=source, target_language=target, **fields
    )
    return [row for batch in reader.batches(Path()) for row in to_rows(batch)]


@pytest.fixture(scope="module")
def whole():
    """The corpus that params.yaml names."""
    return read(pairs=20_000)


def texts(rows, split):
    return [(row.source, row.target) for row in rows if row.split == split]


def test_the_sample_is_the_one_that_these_versions_of_babel_and_num2words_make(whole):
    content = "\n".join(f"{row.id}\t{row.split}\t{row.source}\t{row.target}" for row in whole)
    assert hashlib.sha256(content.encode()).hexdigest() == DIGEST, (
        "The built-in corpus changed. If you changed pipeline/corpora/sample, or babel "
        f"({babel.__version__}) or num2words were raised on purpose: read a few hundred "
        "pairs, run benchmarks/baselines.py, train recipes/sample-de-en, and write the new digest "
        "and what changed into this test and CHANGELOG.md."
    )
    assert num2words.num2words(21, lang="de") == "einundzwanzig"


def test_a_corpus_of_twenty_thousand_has_its_splits_and_three_thousand_words(whole):
    counts = {split: len(texts(whole, split)) for split in ("train", "valid", "test")}
    assert counts == {"train": 20_000, "valid": 400, "test": 800}
    words = {
        word
        for source, _ in texts(whole, "train")
        for word in source.replace(".", " ").replace(",", " ").replace("?", " ").split()
    }
    assert sum(word.isalpha() for word in words) >= 3000


def test_no_sentence_has_two_translations_in_either_direction(whole):
    pairs = {(row.source, row.target) for row in whole}
    assert len(pairs) == len(whole) == len({s for s, _ in pairs}) == len({t for _, t in pairs})


def test_each_family_of_sentences_is_in_train_and_in_test(whole):
    families = {
        split: {row.group.partition("|")[0] for row in whole if row.split == split}
        for split in ("train", "test")
    }
    assert families["train"] == families["test"] == {*FAMILIES, "phrase"}


def test_rows_are_whole_and_in_order(whole):
    row = whole[0]
    assert row.id == "sample:1"
    assert (row.corpus, row.split, row.references) == ("sample", "train", (row.target,))
    assert (row.source_language, row.target_language) == ("de", "en")
    assert [row.id for row in whole] == [f"sample:{place}" for place in range(1, len(whole) + 1)]


def test_no_group_stands_in_two_splits(whole):
    homes: dict[str, set[str]] = {}
    for row in whole:
        homes.setdefault(row.group, set()).add(row.split)
    assert [group for group, splits in homes.items() if len(splits) > 1] == []


def test_texts_hold_plain_spaces_and_no_invisible_marks(whole):
    marks = set("\u202f\u00a0\u2009\u00ad\u200e\u200f\t\n")
    assert [row.source for row in whole if marks & set(row.source + row.target)] == []


def test_a_process_with_another_seed_of_hashes_makes_the_same_corpus():
    other = subprocess.run(
        [sys.executable, "-c", PRINT_CORPUS],
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LANG": "C"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert other.stdout.strip() == content_digest(read(pairs=100))


def test_another_seed_is_another_corpus_and_the_same_seed_the_same():
    first, again, other = (texts(read(pairs=100, seed=s), "train") for s in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("pairs", [1, 50, 100, 300])
def test_a_tiny_corpus_has_its_shares_too(pairs):
    rows = read(pairs=pairs)
    assert len(texts(rows, "train")) == pairs
    assert len(texts(rows, "valid")) == round(pairs * 0.02)
    assert len(texts(rows, "test")) == round(pairs * 0.04)


def test_an_unknown_language_names_those_that_there_are():
    values = {"name": "s", "source_language": "xx", "target_language": "en"}
    with pytest.raises(Problem) as caught:
        parse(READERS["sample"], values, "params.yaml, corpora.sources.0")
    assert "the sample has no 'xx': one of: da, de, en, es, fr, it, nl, pt, sv" in str(caught.value)


def test_a_pair_of_one_language_is_refused():
    values = {"name": "s", "source_language": "de", "target_language": "de"}
    with pytest.raises(Problem, match="are the same"):
        parse(READERS["sample"], values, "params.yaml")


def test_too_many_pairs_are_a_problem_that_says_how_many_there_are():
    with pytest.raises(Problem, match="too few different sentences"):
        read(pairs=5, test_share=1.0, held_out_percent=1)
