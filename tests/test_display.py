"""Training as a person sees it."""

import json

import pytest

from pipeline.display import Bar, Follower, Lines, showing


@pytest.fixture
def path(tmp_path):
    return tmp_path / "progress.jsonl"


def train(step, time, tokens, loss=3.0):
    values = {"loss": loss, "tokens_so_far": tokens}
    return {"step": step, "kind": "train", "values": values, "note": "", "time": time}


RECORDS = [
    {"step": 0, "kind": "event", "values": {}, "note": "started", "time": 100.0},
    train(1, 100.0, 50),
    train(3, 102.0, 150, loss=2.5),
    {
        "step": 3,
        "kind": "valid",
        "note": "",
        "time": 103,
        "values": {"loss": 2.0, "bleu": 12.25, "gradient_of_encoder": 0.5},
    },
    train(10, 104.0, 500),
]


def write(path, records, end="\n"):
    with path.open("a") as file:
        file.write("\n".join(map(json.dumps, records)) + end)


def test_plain_lines_where_there_is_no_terminal(path, capsys):
    follower = Follower(path, 10, Lines(10))
    follower.look()
    write(path, RECORDS)
    follower.look()
    assert capsys.readouterr().out.splitlines() == [
        "step 0: started",
        "step 1 of 10  loss 3.000",
        "step 3: validation  bleu 12.250  loss 2.000",
        "step 10 of 10  loss 3.000  112 tokens/s  0:00 left",
    ]


def test_what_a_record_holds_of_a_step_is_shown_hours_too(path, capsys):
    first, second = train(1, 100.0, 50), train(2, 110.0, 100)
    second["values"] |= {"gradient_norm": 0.837, "padding": 0.0164, "mfu": 0.7}
    beside = {"step": 2, "kind": "system", "values": {"cpu": 1.0}, "note": "", "time": 111.0}
    write(path, [first, beside, second, beside])
    follower = Follower(path, 802, Lines(802))
    follower.screen._shown = -1e9
    follower.look()
    follower.screen._shown = -1e9
    write(path, [{**second, "step": 3, "time": 120.0}])
    follower.look()
    assert capsys.readouterr().out.splitlines() == [
        "step 1 of 802  loss 3.000",
        "step 3 of 802  loss 3.000  2 tokens/s  2:13:10 left  gradient 0.84  padding 1.6%",
    ]


def test_a_half_written_line_is_shown_when_it_is_whole(path, capsys):
    follower = Follower(path, 10, Lines(10))
    line = json.dumps(RECORDS[0])
    path.write_text(line[:20])
    follower.look()
    assert capsys.readouterr().out == ""
    path.write_text(line + "\n" + '{"step": 1, "ki' + "\n")
    follower.look()
    assert capsys.readouterr().out == "step 0: started\n"


def test_what_an_earlier_start_wrote_is_not_shown_again(path, capsys):
    write(path, RECORDS)
    with showing(path, 10):
        write(path, [{**RECORDS[0], "note": "resumed"}])
    assert capsys.readouterr().out == "step 0: resumed\n"


def test_a_bar_in_a_terminal(path, capsys):
    bar = Bar(10)
    write(path, RECORDS[:3])
    follower = Follower(path, 10, bar)
    follower._offset = 0
    with bar.progress:
        follower.look()
    (task,) = bar.progress.tasks
    assert (task.completed, task.total) == (3, 10)
    assert task.fields["facts"] == "loss 2.500  50 tokens/s  0:07 left"
    assert "step 0: started" in capsys.readouterr().out
