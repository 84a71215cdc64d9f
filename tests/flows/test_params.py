import pytest
import yaml

from flows.differences import ABSENT
from flows.params import parse_assignment, set_value, value_at
from pipeline.problems import Problem

TEXT = """\
# What the line makes.
corpora:
  folder: data/none          # the sample needs no files
  sources:
    - {name: sample, pairs: 20}
rules:
  - {kind: empty}
  - kind: same
    share: 0.5   # of all
decoding:
  search: {kind: beam, beam_size: 4}
  n_best: 4
empty: {}
"""


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("decoding.n_best", "2", "n_best: 4", "n_best: 2"),
        ("decoding.search.beam_size", "8", "beam_size: 4}", "beam_size: 8}"),
        ("corpora.folder", "data/corpora/x", "data/none ", "data/corpora/x "),
        ("corpora.sources.sample.pairs", "30", "pairs: 20", "pairs: 30"),
        ("corpora.sources.0.pairs", "30", "pairs: 20", "pairs: 30"),
        ("rules.same.share", "0.4", "share: 0.5 ", "share: 0.4 "),
        ("decoding.search", "{kind: greedy}", "{kind: beam, beam_size: 4}", "{kind: greedy}"),
        ("decoding.search.extra", "1", "beam_size: 4}", "beam_size: 4, extra: 1}"),
        ("decoding.extra", "1", "  search:", "  extra: 1\n  search:"),
        ("empty.first", "1", "empty: {}", "empty: {first: 1}"),
    ],
)
def test_a_value_is_replaced_where_it_stands(key: str, value: str, old: str, new: str) -> None:
    changed = set_value(TEXT, key, value)
    assert changed == TEXT.replace(old, new, 1)
    assert value_at(changed, key) == yaml.safe_load(value)


def test_a_block_is_replaced_as_a_whole() -> None:
    changed = set_value(TEXT, "decoding.search", "{kind: greedy}")
    changed = set_value(changed, "corpora.sources", "[{name: other}]")
    assert yaml.safe_load(changed) == {
        **yaml.safe_load(TEXT),
        "corpora": {"folder": "data/none", "sources": [{"name": "other"}]},
        "decoding": {"search": {"kind": "greedy"}, "n_best": 4},
    }


def test_the_value_of_a_block_is_read_and_what_is_not_there_is_absent() -> None:
    assert value_at(TEXT, "rules") == [{"kind": "empty"}, {"kind": "same", "share": 0.5}]
    assert value_at(TEXT, "rules.same") == {"kind": "same", "share": 0.5}
    assert value_at(TEXT, "decoding.search.extra") is ABSENT
    changed = set_value(TEXT, "rules", "[{kind: empty}]")
    assert value_at(changed, "rules") == [{"kind": "empty"}]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("decoding.search.kind", "greedy, beam_size: 1"),
        ("decoding.n_best", "a: b"),
        ("decoding.search.beam_size", "8 # wide"),
    ],
)
def test_a_value_that_would_say_something_else_there_is_a_problem(key: str, value: str) -> None:
    with pytest.raises(Problem, match="no value that can stand there"):
        set_value(TEXT, key, value)


def test_what_has_no_keys_has_none_to_set() -> None:
    with pytest.raises(Problem) as caught:
        set_value("corpora:\ntraining: 5\n", "training.steps", "3")
    assert str(caught.value) == (
        "params.yaml, training.steps: unknown parameter\n  remedy: what is above it has no keys"
    )


def test_a_misspelt_section_names_the_near_one() -> None:
    with pytest.raises(Problem) as caught:
        set_value(TEXT, "decodng.n_best", "1")
    assert str(caught.value) == (
        "params.yaml, decodng: unknown parameter\n  remedy: did you mean 'decoding'?"
    )


@pytest.mark.parametrize("text", ["decoding", "n_best=3", "=3", "a.b={"])
def test_what_is_no_assignment_is_a_problem(text: str) -> None:
    with pytest.raises(Problem):
        parse_assignment(text)
