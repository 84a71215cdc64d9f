"""The stage train before it trains; whole trainings are in tests/system."""

import pytest

from pipeline.machine import Machine
from pipeline.normalise import Normaliser
from pipeline.pieces import TRAINERS
from pipeline.pieces.pieces import write_pieces
from pipeline.problems import Problem
from pipeline.stages import train

PART = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 16}
SETTINGS = train.Settings(
    model={
        "width": 8, "front": {"kind": "ids"}, "encoder": PART, "decoder": PART,
        "generator": {"kind": "softmax"},
    },
    training={
        "steps": 10, "tokens_per_step": 100,
        "schedule": {"kind": "linear", "peak_rate": 0.01, "warmup_steps": 2},
        "optimizer": {"kind": "adamw"}, "validate_every_steps": 5, "checkpoint_every_steps": 5,
    },
)  # fmt: skip


def test_shards_of_other_pieces_are_a_problem(dataline, tmp_path):
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"))
    machine = Machine(state=tmp_path / "state")
    job, _ = train.job_of(SETTINGS, machine, out)
    assert job.folder == tmp_path / "state" / job.key
    trainer = TRAINERS["bpe"](vocabulary=299)
    other = trainer.train([source for source, _ in dataline.sentences(50)])
    write_pieces(out / "pieces", (other,), Normaliser())
    with pytest.raises(Problem, match="made with other pieces") as caught:
        train.job_of(SETTINGS, machine, out)
    assert caught.value.where == str(out / "shards" / "train")
