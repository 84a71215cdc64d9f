"""Where the time of a training goes, as a user asks for it."""

from pipeline.machine import Machine
from pipeline.profiled import profile
from pipeline.stages import train

PART = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 16}


def settings(start):
    """A small training; it starts from nothing, which is an empty folder."""
    start.mkdir()
    return train.Settings(
        model={
            "width": 8, "front": {"kind": "ids"}, "encoder": PART, "decoder": PART,
            "generator": {"kind": "softmax"},
        },
        training={
            "steps": 10, "tokens_per_step": 100, "start": start,
            "schedule": {"kind": "linear", "peak_rate": 0.01, "warmup_steps": 2},
            "optimizer": {"kind": "adamw"}, "validate_every_steps": 5,
            "checkpoint_every_steps": 5,
        },
    )  # fmt: skip


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_it_says_where_time_goes_and_leaves_nothing_but_its_trace(dataline, tmp_path):
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"))
    before, machine = files(tmp_path), Machine(state=tmp_path / "state")
    told = list(profile(settings(tmp_path / "none"), machine, out))
    assert told[0].startswith("one worker on ")
    assert told[2].split() == ["share", "ms", "a", "step", "calls", "a", "step", "item"]
    assert len(told) == 3 + 10 + 2 + 2
    assert "products of matrices: " in told[-2]
    trace = machine.state / "trace.json.gz"
    assert told[-1] == f"trace: {trace} (for chrome://tracing or Perfetto)"
    trace.unlink()
    assert files(tmp_path) == before
