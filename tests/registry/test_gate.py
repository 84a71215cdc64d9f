"""The gate: the first passes as such, a worse one is refused, drift stops, verdicts are kept."""

import shutil
from pathlib import Path

import pytest

from pipeline.problems import Problem
from pipeline.records import Check
from pipeline.registry import gate
from pipeline.registry.champion import promote, rollback
from pipeline.registry.gate import Gate, judge, judge_data
from pipeline.registry.history import history
from pipeline.registry.lineage import Lineage
from pipeline.registry.register import register
from pipeline.registry.verdicts import _verdict, verdicts
from pipeline.registry.versions import aliases
from pipeline.settings import parse

GATE = Gate(metric="exact_match", margin=0.1, slice_margin=0.2, min_rows=5, resamples=200)  # pyright: ignore


@pytest.fixture
def registered(server, make_outs, tmp_path: Path):
    """Make outs and register them: (version, outs)."""

    def make(name: str, **options):
        outs = make_outs(name, **options)
        return register(server, outs, tmp_path / "state", Lineage()), outs

    return make


def test_the_first_version_has_nobody_to_be_worse_than(server, registered):
    version, outs = registered("one")
    verdict = judge(server, GATE, version, outs)
    assert (verdict.outcome, verdict.champion, verdict.checks) == ("first", "", ())
    assert verdicts(server, version) == [verdict]


def test_a_worse_challenger_is_refused_a_better_one_promoted_and_rolled_back(server, registered):
    one, outs = registered("one", right=30)
    promote(server, one, who="t", why="first", verdict=judge(server, GATE, one, outs))
    worse, outs = registered("worse", right=15)
    verdict = judge(server, GATE, worse, outs)
    assert verdict.outcome == "refused"
    (whole,) = verdict.checks
    assert (whole.name, whole.champion, whole.challenger) == ("test exact_match", 0.75, 0.375)
    assert whole.low < -0.3 < whole.high < -0.1
    with pytest.raises(Problem, match="the gate refused version 2"):
        promote(server, worse, who="t", why="", verdict=verdict)
    better, outs = registered("better", right=38)
    verdict = judge(server, GATE, better, outs)
    assert (verdict.outcome, [check.passed for check in verdict.checks]) == ("passed", [True])
    promote(server, better, who="t", why="better", verdict=verdict, expected=verdict.champion)
    assert aliases(server)["champion"] == "3"
    rollback(server, who="t", why="complaints")
    assert aliases(server)["champion"] == "1"
    assert [(e.kind, e.to_version, e.verdict) for e in history(server)] == [
        ("promote", "1", "first"),
        ("refuse", "2", "refused"),
        ("promote", "3", "passed"),
        ("rollback", "1", ""),
    ]


def test_a_refusal_is_written_once_and_goes_from_the_champion_to_who_did_not_become_it(
    server, registered, monkeypatch
):
    one, outs = registered("one", right=30)
    promote(server, one, who="t", why="first", verdict=None)
    worse, outs = registered("worse", right=15)
    store = gate.store_verdict
    monkeypatch.setattr(gate, "store_verdict", lambda *_: store(None, None, None))
    with pytest.raises(AttributeError):  # the gate is stopped right before it stores the verdict
        judge(server, GATE, worse, outs)
    monkeypatch.setattr(gate, "store_verdict", store)
    judge(server, GATE, worse, outs)
    judge(server, GATE, worse, outs)
    [refusal] = [event for event in history(server) if event.kind == "refuse"]
    assert (refusal.from_version, refusal.to_version, refusal.who) == ("1", "2", "gate")
    assert refusal.why == "not shown to be as good: test exact_match"
    assert [event.kind for event in history(server)] == ["promote", "refuse"]
    with pytest.raises(Problem, match="no earlier champion"):
        rollback(server, who="t", why="")


def test_an_error_rate_must_not_rise(server, registered):
    errors = Gate(metric="row_error_rate", margin=10, min_rows=5, resamples=200)  # pyright: ignore
    one, outs = registered("one", right=30)
    promote(server, one, who="t", why="first", verdict=None)
    worse, outs = registered("worse", right=15)
    (check,) = judge(server, errors, worse, outs).checks
    assert (check.champion, check.challenger, check.passed) == (25.0, 62.5, False)
    assert check.lower_is_better and 10 < check.low < check.high
    better, outs = registered("better", right=38)
    verdict = judge(server, errors, better, outs)
    (check,) = verdict.checks
    assert (verdict.outcome, check.challenger, check.passed) == ("passed", 5.0, True)
    assert check.high <= 0


def test_a_slice_may_fail_where_the_whole_does_not(server, registered):
    short = [f"Satz {number} kurz" for number in range(34)]
    long = [f"Satz {number} " + "lang " * 12 for number in range(6)]
    one, outs = registered("one", sources=short + long)
    promote(server, one, who="t", why="first", verdict=None)
    two, outs = registered("two", sources=short + long, right=35)
    wide = GATE.model_copy(update={"margin": 0.3})
    verdict = judge(server, wide, two, outs)
    assert verdict.outcome == "refused"
    assert [(check.name, check.margin, check.passed) for check in verdict.checks] == [
        ("test exact_match", 0.3, True),
        ("test length 1-10 exact_match", 0.2, True),
        ("test length 11+ exact_match", 0.2, False),
    ]
    small = wide.model_copy(update={"min_rows": 7})
    assert judge(server, small, two, outs).outcome == "passed"


def test_the_champion_decodes_new_test_rows_anew_once(
    server, registered, give_code, tmp_path: Path
):
    one, outs = registered("one", right=0)
    give_code(outs, "seqline_knows_all")
    one = register(server, outs, tmp_path / "state", Lineage())
    promote(server, one, who="t", why="first", verdict=None)
    sources = [f"Satz {number} ist neu" for number in range(100, 140)]
    two, outs = registered("two", sources=sources, right=20)
    verdict = judge(server, GATE, two, outs)
    assert (verdict.checks[0].champion, verdict.checks[0].challenger) == (1.0, 0.5)
    shutil.rmtree(Path(one.source.removeprefix("file://")))
    other = GATE.model_copy(update={"seed": 2})
    assert judge(server, other, two, outs).checks[0].champion == 1.0


def test_a_verdict_is_stored_once_for_challenger_champion_rows_and_settings(server, registered):
    one, outs = registered("one", right=30)
    promote(server, one, who="t", why="first", verdict=None)
    assert judge(server, GATE, one, outs).outcome == "same"
    two, outs = registered("two", right=30)
    verdict = judge(server, GATE, two, outs)
    (outs / "ledgers" / "clean.json").unlink()
    assert judge(server, GATE, two, outs) == verdict
    assert verdicts(server, two) == [verdict]
    judge(server, GATE.model_copy(update={"margin": 0.2}), two, outs)
    assert len(verdicts(server, two)) == 2


def test_a_rule_that_drops_much_more_than_for_the_champion_is_refused(server, registered):
    one, outs = registered("one", dropped=10)
    strict = GATE.model_copy(update={"drift": {"too_long": 0.05}})
    assert judge_data(server, strict, outs / "ledgers") == ()
    promote(server, one, who="t", why="first", verdict=None)
    two, outs = registered("two", dropped=20)
    checks = (
        Check("drift clean all corpora too_long", 0.1, 0.2, 0.05, 0.1, 0.1, False, True),
        Check("drift clean train too_long", 0.1, 0.2, 0.05, 0.1, 0.1, False, True),
    )
    assert judge_data(server, strict, outs / "ledgers") == checks
    verdict = judge(server, strict, two, outs)
    assert (verdict.outcome, verdict.checks[1:]) == ("refused", checks)
    assert judge_data(server, GATE, outs / "ledgers") == ()


def test_a_verdict_that_does_not_say_which_way_is_better_is_read_as_it_was_meant():
    """Before error rates were metrics, what had to be low was drift alone."""
    numbers = {"champion": 0.1, "challenger": 0.2, "margin": 0.5, "low": 0.1, "high": 0.1}
    checks = [
        {"name": name, **numbers, "passed": True} for name in ("t bleu", "drift clean t same")
    ]
    about = {"challenger": "2", "champion": "1", "test_digest": "", "settings_digest": ""}
    read = _verdict({"outcome": "passed", **about, "checks": checks})
    assert [check.lower_is_better for check in read.checks] == [False, True]


def test_impossible_gates_are_problems():
    with pytest.raises(Problem, match="did you mean 'chrf'"):
        parse(Gate, {"metric": "chrff"}, "params.yaml, gate")
    with pytest.raises(Problem, match="no rule is called 'to_long': did you mean 'too_long'"):
        parse(Gate, {"drift": {"to_long": 0.1}}, "params.yaml, gate")
    with pytest.raises(Problem, match="margin"):
        parse(Gate, {"margin": -1}, "params.yaml, gate")
