"""What is allowed: regular expressions against Python's own, and their spelling in pieces."""

import itertools
import re

import pytest
import torch

from pipeline.decoding import ALLOWED
from pipeline.decoding.allowed import Grammar, Texts
from pipeline.decoding.automata import FAR, START, automaton, trie
from pipeline.decoding.expressions import NEVER, after, may_end
from pipeline.decoding.grammar import expression
from pipeline.normalise import Normaliser
from pipeline.pieces import TRAINERS
from pipeline.pieces.pieces import Pieces
from pipeline.problems import Problem

PATTERNS = [
    "", "a", "ab", "a|b", "a|bc|", "(a|b)c", "a*", "a+b?", "(ab)*", "[ab]c", "[^ab]", "[a-c]{2}",
    "a{2,}", "a{1,3}b{0,1}", "(a|ab)(c|bc)", "a.c", "(a*)*b", "((a?)b){2,3}", r"\*a\|",
    "[a-]b",
]  # fmt: skip


def accepts(language, text):
    for character in text:
        language = after(language, character)
    return may_end(language)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_expression_reads_what_pythons_reads(pattern):
    language = expression({"start": pattern})
    texts = ["".join(one) for n in range(6) for one in itertools.product("abc", repeat=n)]
    for text in [*texts, "*a|", "-b", "d"]:
        assert accepts(language, text) == bool(re.fullmatch(pattern, text)), text


def test_rules_stand_for_each_other():
    rules = {"start": "<day>\\.<month>\\.", "day": "[0-3]?[0-9]", "month": "1[0-2]|[1-9]"}
    language = expression(rules)
    assert [accepts(language, text) for text in ("24.12.", "7.1.", "24.13.", "24.12")] == [
        True, True, False, False,
    ]  # fmt: skip


def test_states_stay_few():
    """Equal languages are written alike: what is left of a repetition is itself again."""
    language = expression({"start": "(ab|ac)*"})
    assert after(after(language, "a"), "b") == language == after(after(language, "a"), "c")
    assert after(language, "b") == NEVER


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"start": "a)"}, "rule 'start', character 2: a '\\)' without its '\\('"),
        ({"start": "(a"}, "character 3: a '\\(' without"),
        ({"start": "[ab"}, "a '\\[' without"),
        ({"start": "[b-a]"}, "range b-a is empty"),
        ({"start": "*a"}, "nothing to repeat"),
        ({"start": "a{3,2}"}, "the lower first"),
        ({"start": "a{1001}"}, "at most 1000"),
        ({"start": "a{x}"}, "expected .2., "),
        ({"start": "a\\"}, "stands for nothing"),
        ({"start": "<day>"}, "expected <NAME> of a rule \\(start\\)"),
        ({"start": "<b>", "b": "c<start>"}, "rule 'b', character 2: the rule 'start' leads back"),
        ({"day": "a"}, "begins with the rule 'start'"),
        ({"start": "a[]b"}, "the grammar admits no text"),
        ({"start": "<day>+|b<day>", "day": "[]"}, "the grammar admits no text"),
    ],
)
def test_a_grammar_that_cannot_be_read_says_where(rules, says):
    with pytest.raises(ValueError, match=says):
        Grammar(rules=rules)


def outputs(found, longest):
    """All sequences of at most `longest` ids that the automaton accepts, without EOS."""
    open_ends = [((), START)]
    for _ in range(longest + 1):
        longer = []
        for ids, state in open_ends:
            here = torch.tensor([[state]])
            allowed = found.allows(here, torch.tensor([FAR]))[0, 0].nonzero()[:, 0].tolist()
            for id in allowed:
                if id == 3:
                    yield ids
                else:
                    longer.append(((*ids, id), found.after(here, torch.tensor([[id]])).item()))
        open_ends = longer


def test_a_trie_accepts_its_outputs_and_nothing_else():
    given = [(4,), (4, 5, 6), (4, 5), (6, 6), (), (5, 6)]
    assert sorted(outputs(trie(given, 9), 4)) == sorted(given)


def test_only_ways_that_end_in_time_are_allowed():
    found = trie([(4, 5, 6), (7,), (8, 8)], 9)
    at_start = lambda left: found.allows(torch.tensor([[START]]), torch.tensor([left]))  # noqa: E731
    ways = [at_start(left)[0, 0].nonzero()[:, 0].tolist() for left in (0, 1, 2, 3)]
    assert ways == [[], [7], [7, 8], [4, 7, 8]]
    assert found.distances[START] == 2


def test_a_dead_end_stays_one():
    found = automaton([{}, {4: 2}, {}], 6)
    dead = found.after(torch.tensor([[START, 2]]), torch.tensor([[5, 4]]))
    assert dead.tolist() == [[found.dead] * 2]
    assert found.after(dead, torch.tensor([[4, 4]])).tolist() == [[found.dead] * 2]
    assert not found.allows(dead, torch.tensor([9])).any()


@pytest.fixture(scope="module")
def pieces():
    texts = ["am 24.12. um 7", "am 1.10. um 12", "um 10 am 2.", "nie", "Das Kind aß."] * 20
    trainer = TRAINERS["unigram"](vocabulary=284, threads=1, character_coverage=1.0)
    return Pieces((trainer.train(texts),), Normaliser())


@pytest.mark.parametrize(
    "rules",
    [
        {"start": "1[0-2]|7"},
        {"start": "(am|um) <day>", "day": "(2|1)?[0-4]\\."},
        {"start": "n?ie|"},
    ],
)
def test_what_a_grammar_allows_reads_as_its_texts_in_every_spelling(pieces, rules):
    language = expression(rules)
    found = Grammar(rules=rules).automaton(pieces)
    spelled = list(outputs(found, 5))
    texts = pieces.decode(spelled)
    assert all(accepts(language, text) for text in texts)
    characters = sorted({c for text in texts for c in text})
    longest = max(map(len, texts))
    some = ["".join(one) for n in range(min(longest, 4) + 1)
            for one in itertools.product(characters, repeat=n)]  # fmt: skip
    assert {t for t in texts if len(t) <= 4} == {t for t in some if accepts(language, t)}
    mine = [tuple(ids) for ids in pieces.encode_target(sorted(set(texts)))]
    assert {ids for ids in mine if len(ids) <= 5} <= set(spelled)


def test_allowed_texts_are_spelled_as_targets(pieces):
    texts = ("am 24.12.", "nie", "über")
    assert sorted(outputs(Texts(texts=texts).automaton(pieces), 9)) == sorted(
        map(tuple, pieces.encode_target(texts))
    )


EXAMPLES = {"texts": {"texts": ["nie"]}, "grammar": {"rules": {"start": "nie"}}}


@pytest.mark.parametrize("kind", ALLOWED)
def test_a_member_allows_what_its_example_says(pieces, kind):
    found = ALLOWED[kind](**EXAMPLES[kind]).automaton(pieces)
    assert set(pieces.decode(list(outputs(found, 4)))) == {"nie"}


def test_what_no_piece_spells_is_a_problem():
    trainer = TRAINERS["unigram"](vocabulary=11, threads=1, byte_fallback=False)
    few = Pieces((trainer.train(["ab ba abba baab"] * 20),), Normaliser())
    with pytest.raises(Problem, match="characters that no piece spells") as problem:
        Texts(texts=("ab", "ac")).automaton(few)
    assert problem.value.value == "ac"
    with pytest.raises(Problem, match="no sequence of pieces spells"):
        Grammar(rules={"start": "c+"}).automaton(few)
