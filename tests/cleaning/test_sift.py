import re

import pytest

from pipeline.cleaning.sift import Cleaning, check
from pipeline.problems import Problem
from pipeline.records import Ledger
from pipeline.settings import parse


def cleaning(**values):
    return parse(Cleaning, values, "params.yaml, cleaning")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rules": [{"kind": "emty"}]}, "did you mean 'empty'"),
        ({"rules": [{"kind": "too_long", "max_chars": 5}]}, "max_chars"),
        ({"rules": [{"kind": "leak", "near_threshold": 1.5}]}, "less than 1"),
        ({"rules": [{"kind": "same"}], "limits": {"empty": 0.1}}, "no rule 'empty' in rules"),
        ({"rules": [{"kind": "same"}], "limits": {"same": 1.1}}, "less than or equal to 1"),
    ],
)
def test_an_impossible_rule_is_one_problem_that_says_where(values, message):
    with pytest.raises(Problem, match=re.escape(message)):
        cleaning(**values)


def test_a_limit_stops_with_share_samples_and_remedy():
    rules = cleaning(rules=[{"kind": "same"}], limits={"same": 0.25})
    fine = Ledger("clean", "a", 100, 75, {"same": 25})
    check(rules, [fine])
    bad = Ledger("clean", "b", 100, 74, {"same": 26}, samples={"same": ("b:1\tHallo\tHallo",)})
    with pytest.raises(Problem, match="'same' drops 26 of 100 rows of corpus 'b'") as caught:
        check(rules, [fine, bad])
    assert caught.value.where == "params.yaml, cleaning.limits.same"
    assert "0.2600" in str(caught.value) and "b:1\tHallo\tHallo" in str(caught.value)


def test_nothing_left_is_a_problem_that_says_which_rules_took_it():
    rules = cleaning(rules=[{"kind": "same"}])
    with pytest.raises(Problem, match="cleaning leaves no training row") as caught:
        check(rules, [Ledger("clean", "a", 3, 0, {"same": 3})])
    assert caught.value.value == {"a": {"same": 3}}


def test_names_are_the_kinds_in_order():
    assert cleaning(rules=[{"kind": "same"}, {"kind": "leak"}]).names() == ["same", "leak"]
