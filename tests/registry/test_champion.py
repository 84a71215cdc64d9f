"""The champion moves by decisions; rollback and history follow them, and a second try goes on."""

from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from pipeline.problems import Problem
from pipeline.records import Verdict
from pipeline.registry import champion as deciding
from pipeline.registry.champion import promote, rollback
from pipeline.registry.decisions import decisions
from pipeline.registry.history import history
from pipeline.registry.lineage import Lineage
from pipeline.registry.register import register
from pipeline.registry.versions import aliases, version

REFUSED = Verdict("refused", "2", "1", "rows", "settings")
PASSED = Verdict("passed", "2", "1", "rows", "settings")


@pytest.fixture
def three(server, make_outs, tmp_path: Path):
    """Versions 1, 2 and 3."""
    return [
        register(server, make_outs(name), tmp_path / "state", Lineage())
        for name in ("one", "two", "three")
    ]


def told(server) -> list[tuple[str, str, str, str]]:
    return [(e.kind, e.from_version, e.to_version, e.why) for e in history(server)]


def test_promotions_and_rollbacks_follow_each_other_and_history_tells_them(server, three):
    one, two, three_ = three
    first = promote(server, one, who="ann", why="first", verdict=None)
    assert first is not None
    assert (first.kind, first.who, first.state) == ("promote", "ann", "closed")
    promote(server, two, who="ann", why="better", verdict=PASSED, expected="1")
    promote(server, three_, who="bob", why="best", verdict=None)
    assert aliases(server) == {"champion": "3"}
    assert rollback(server, who="ann", why="complaints").to_version == "2"
    assert rollback(server, who="ann", why="more complaints").to_version == "1"
    assert aliases(server) == {"champion": "1"}
    assert told(server) == [
        ("promote", "", "1", "first"),
        ("promote", "1", "2", "better"),
        ("promote", "2", "3", "best"),
        ("rollback", "3", "2", "complaints"),
        ("rollback", "2", "1", "more complaints"),
    ]
    assert history(server)[1].verdict == "passed"
    with pytest.raises(Problem, match="no earlier champion"):
        rollback(server, who="ann", why="again")


def test_the_champion_is_not_promoted_again_and_a_refused_version_only_against_its_verdict(
    server, three
):
    promote(server, three[0], who="ann", why="first", verdict=None)
    assert promote(server, three[0], who="ann", why="first", verdict=None) is None
    with pytest.raises(Problem, match="the gate refused version 2"):
        promote(server, three[1], who="ann", why="", verdict=REFUSED)
    promote(server, three[1], who="ann", why="I know", verdict=REFUSED, against_verdict=True)
    assert [(e.to_version, e.verdict) for e in history(server)] == [("1", ""), ("2", "refused")]


def test_promotion_stops_when_the_alias_is_not_where_it_was_read(server, three):
    promote(server, three[0], who="ann", why="first", verdict=None)
    promote(server, three[2], who="bob", why="faster", verdict=None)
    with pytest.raises(Problem, match="no longer version 1"):
        promote(server, three[1], who="ann", why="better", verdict=PASSED, expected="1")
    assert aliases(server)["champion"] == "3"


def test_an_alias_moved_between_decision_and_move_stops_the_decision(server, three, monkeypatch):
    promote(server, three[0], who="ann", why="first", verdict=None)
    settle = deciding.settle

    def slow(server):
        found = settle(server)
        server.client.set_registered_model_alias("tiny", "champion", "3")
        return found

    monkeypatch.setattr(deciding, "settle", slow)
    with pytest.raises(Problem, match="no longer version 1"):
        promote(server, three[1], who="ann", why="better", verdict=None)
    assert aliases(server)["champion"] == "3"
    assert told(server) == [
        ("promote", "", "1", "first"),
        ("stopped", "1", "2", "better"),
        ("moved by other means", "1", "3", ""),
    ]


def test_history_and_rollback_see_an_alias_that_was_moved_by_other_means(server, three):
    promote(server, three[0], who="ann", why="first", verdict=None)
    server.client.set_registered_model_alias("tiny", "champion", "2")
    assert told(server)[-1] == ("moved by other means", "1", "2", "")
    promote(server, three[2], who="ann", why="best", verdict=None)
    assert told(server) == [
        ("promote", "", "1", "first"),
        ("moved by other means", "1", "2", ""),
        ("promote", "2", "3", "best"),
    ]
    assert rollback(server, who="ann", why="complaints").to_version == "2"
    assert rollback(server, who="ann", why="complaints").to_version == "1"


def test_of_two_decisions_at_once_at_least_one_stops_and_asks_for_patience(
    server, three, monkeypatch
):
    promote(server, three[0], who="ann", why="first", verdict=None)
    settle = deciding.settle

    def overtaken(server):
        found = settle(server)
        tags = {"kind": "promote", "who": "bob", "from": "1", "to": "3", "why": "", "verdict": ""}
        server.client.create_run(server.decisions, tags=tags)
        return found

    monkeypatch.setattr(deciding, "settle", overtaken)
    with pytest.raises(Problem, match="under way") as caught:
        promote(server, three[1], who="ann", why="better", verdict=None)
    assert caught.value.retry
    monkeypatch.setattr(deciding, "settle", settle)
    with pytest.raises(Problem, match="promote by bob: 1 → 3"):
        promote(server, three[1], who="ann", why="better", verdict=None)
    assert aliases(server)["champion"] == "1"


@pytest.mark.parametrize(("arrived", "state"), [(True, "closed"), (False, "stopped")])
def test_what_a_crash_left_open_is_settled_by_where_the_alias_stands(
    server, three, monkeypatch, arrived, state
):
    tags = {"kind": "promote", "who": "bob", "from": "", "to": "2", "why": "", "verdict": ""}
    server.client.create_run(server.decisions, start_time=1000, tags=tags)
    if arrived:
        server.client.set_registered_model_alias("tiny", "champion", "2")
    assert history(server)[0].kind == "unfinished"
    before = "2" if arrived else ""
    promote(server, version(server, "3"), who="ann", why="best", verdict=None, expected=before)
    assert [one.state for one in decisions(server)] == [state, "closed"]


@pytest.fixture
def fail_once(server, monkeypatch):
    """Let the server be away for one call, before or after it has done what was asked."""

    def install(name: str, *, after: bool):
        client = type(server.client)
        asked = getattr(client, name)

        def lost(self, *arguments, **named):
            monkeypatch.setattr(client, name, asked)
            if after:
                asked(self, *arguments, **named)
            raise MlflowException("the connection was lost")

        monkeypatch.setattr(client, name, lost)

    return install


MOVE, TIDY = "set_registered_model_alias", "delete_registered_model_alias"
AWAY = [("create_run", True), (MOVE, False), (MOVE, True), (TIDY, False), (TIDY, True)]
AWAY += [("set_terminated", False), ("set_terminated", True)]


@pytest.mark.parametrize(("call", "after"), AWAY)
def test_a_promotion_that_lost_its_server_succeeds_when_it_is_tried_again(
    server, three, fail_once, call, after
):
    promote(server, three[0], who="ann", why="first", verdict=None)
    server.client.set_registered_model_alias("tiny", "challenger", "2")
    fail_once(call, after=after)
    for tries in (1, 2):
        try:
            promote(server, three[1], who="ann", why="better", verdict=PASSED, expected="1")
        except Problem as problem:
            assert (tries, problem.retry) == (1, True)
    assert aliases(server) == {"champion": "2"}
    closed = [one for one in decisions(server) if one.state == "closed"]
    assert [(one.from_version, one.to_version) for one in closed] == [("", "1"), ("1", "2")]
    assert all(one.state != "open" for one in decisions(server))


def test_a_rollback_that_lost_its_server_is_not_done_twice(server, three, fail_once):
    for one in three:
        promote(server, one, who="ann", why="", verdict=None)
    fail_once("set_terminated", after=False)
    with pytest.raises(Problem, match="does not answer"):
        rollback(server, who="ann", why="complaints")
    made = rollback(server, who="ann", why="complaints")
    assert (made.to_version, made.state) == ("2", "closed")
    assert aliases(server)["champion"] == "2"
    assert told(server)[3:] == [("rollback", "3", "2", "complaints")]


def test_nothing_is_rolled_back_to_a_version_that_was_deleted(server, three):
    promote(server, three[0], who="ann", why="first", verdict=None)
    promote(server, three[1], who="ann", why="better", verdict=None)
    server.client.delete_model_version("tiny", "1")
    with pytest.raises(Problem, match="the earlier champion was deleted") as caught:
        rollback(server, who="ann", why="complaints")
    assert caught.value.value == "version 1"
    assert len(told(server)) == 2
