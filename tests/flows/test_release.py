"""The commands that change or show the registry, in a workspace with tiny results."""

import getpass
import os
from pathlib import Path

import pytest

from flows.commands.gate import gate
from flows.commands.history import history
from flows.commands.promote import promote
from flows.commands.register import register
from flows.commands.report import report
from flows.commands.rollback import rollback
from flows.release import outside, who
from pipeline.machine import Machine
from pipeline.problems import Problem
from pipeline.records import Verdict, Version
from pipeline.registry.versions import aliases, version


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> list[Verdict]:
    """The verdicts that report pages were written with; tiny results have too little for a page."""
    written: list[Verdict] = []
    from pipeline.report import write

    monkeypatch.setattr(
        write, "write_report", lambda path, **facts: written.append(facts["verdict"])
    )
    return written


def test_what_was_judged_passes_and_what_was_refused_needs_to_be_said(workspace, server, capsys):
    workspace("one", right=30)
    register()
    promote(None, "", False)
    workspace("worse", right=15)
    register()
    with pytest.raises(Problem, match="the gate refused version 2"):
        promote(None, "", False)
    assert aliases(server) == {"champion": "1", "challenger": "2"}
    promote(None, "I know", True)
    assert aliases(server) == {"champion": "2"}
    capsys.readouterr()
    history()
    shown = capsys.readouterr().out
    events = [line.split() for line in shown.splitlines() if line[:1].isdigit()]
    assert [(event[2], event[-1]) for event in events] == [
        ("promote", "first"),
        ("refuse", "refused"),
        ("promote", "refused"),
    ]
    assert "not shown to be as good" in shown


def test_a_version_that_was_never_held_against_the_champion_needs_to_be_said(workspace, server):
    for name in ("one", "two", "three"):
        workspace(name)
        register()
    promote("1", "", False)  # nobody to be worse than
    with pytest.raises(Problem) as caught:
        promote("2", "", False)
    assert str(caught.value) == (
        "registry of tiny: version 2 was not held against the champion, version 1, on today's test"
        " rows and by today's gate\n"
        "  remedy: bring its results back, then: seqline gate; or add --against-verdict"
    )
    promote("2", "I know", True)
    assert aliases(server)["champion"] == "2"
    promote("2", "", False)  # is the champion already


def test_the_verdict_is_todays_not_any_that_was_once_stored(workspace, server):
    folder = workspace("one", right=30)
    register()
    promote(None, "", False)
    workspace("two", right=28)  # -0.05
    gate()
    params = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(params.replace("margin: 0.1,", "margin: 0.5,"))
    gate()  # passes
    found = outside(Machine()).verdict_on(version(server, "2"))
    assert found is not None
    assert found.outcome == "passed"
    workspace("three", right=30)
    assert outside(Machine()).verdict_on(version(server, "2")) == found
    (folder / "params.yaml").write_text(params)
    refused = outside(Machine()).verdict_on(version(server, "2"))
    assert refused is not None
    assert refused.outcome == "refused"
    with pytest.raises(Problem, match="the gate refused version 2"):
        promote("2", "", False)
    workspace("three", sources=[f"Satz {number} ist neu" for number in range(100, 140)])
    assert outside(Machine()).verdict_on(version(server, "2")) is None


def test_a_champions_report_has_the_verdict_on_which_it_was_promoted(workspace, server, no_page):
    workspace("one", right=30)
    register()
    promote(None, "", False)
    workspace("two", right=38)
    register()
    promote(None, "", False)
    report()
    [verdict] = no_page
    assert (verdict.outcome, verdict.champion, len(verdict.checks)) == ("passed", "1", 1)
    rollback("")
    report()
    assert no_page[-1] == verdict  # held against the first again
    workspace("one", right=30)
    report()
    assert no_page[-1].outcome == "first"


def test_a_promotion_that_is_tried_again_says_who_is_champion(workspace, server):
    workspace("one")
    world = outside(Machine())
    made: Version = world.register()
    verdict = world.judge(made)
    assert world.promote(made, verdict)
    assert world.promote(made, verdict)  # the first try's answer was lost
    workspace("two")
    other = world.register()
    assert not world.promote(other, Verdict("refused", "2", "1", "rows", "settings"))
    assert Path("artifacts").is_dir()


def test_the_gate_shows_what_may_fall_and_what_may_rise(workspace, capsys):
    folder = workspace("one", right=30)
    register()
    promote(None, "", False)
    params = folder / "params.yaml"
    params.write_text(params.read_text().replace("gate: {", "gate: {drift: {too_long: 0.05}, "))
    workspace("two", right=30, dropped=20)
    capsys.readouterr()
    gate()
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    ends = [line.split()[-2:] for line in lines if line.endswith(("passed", "failed"))]
    assert ends == [["-0.1", "passed"], ["+0.05", "failed"], ["+0.05", "failed"]]
    assert lines[-1] == "version 2 against version 1: refused"


def test_who_decides_has_a_number_where_there_is_no_name(monkeypatch):
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert who() == f"user {os.getuid()}"
