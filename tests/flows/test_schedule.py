"""What is no schedule is one Problem, before anything is asked or started."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.commands.schedule import schedule
from pipeline.problems import Problem


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A workspace whose Prefect server does not answer; the environment is put back at the end."""
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "machine.yaml").write_text("prefect_api_url: http://127.0.0.1:9/api\n")
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("seconds", [0.0, -5.0, 0.5, float("inf"), float("nan"), 1e20])
def test_an_interval_has_seconds(nowhere: None, seconds: float) -> None:
    with pytest.raises(Problem) as caught:
        schedule(None, seconds)
    assert caught.value.what == "no interval to run at"
    assert caught.value.where == "--interval"


@pytest.mark.parametrize("text", ["", "nightly", "61 * * * *", "* * *"])
def test_a_cron_expression_has_five_parts(nowhere: None, text: str) -> None:
    with pytest.raises(Problem) as caught:
        schedule(text, None)
    assert str(caught.value) == (
        f"--cron: no cron expression\n  found:  {text}\n"
        '  remedy: minute, hour, day, month, weekday: --cron "0 3 * * *"'
    )


def test_it_is_one_or_the_other() -> None:
    for cron, interval in ((None, None), ("0 3 * * *", 5.0)):
        with pytest.raises(Problem, match="give one of --cron and --interval"):
            schedule(cron, interval)


@pytest.mark.parametrize(("cron", "interval"), [("0 3 * * *", None), (None, 5.0)])
def test_a_schedule_needs_a_server(nowhere: None, cron: str | None, interval: float | None) -> None:
    with pytest.raises(Problem, match="no Prefect server answers"):
        schedule(cron, interval)
