"""The loop: what is made early, when it ends, and what a step tells of its supply."""

import threading
from contextlib import closing

import numpy as np
import pytest
import torch

from pipeline.batches.padding import padding
from pipeline.batches.plan import Position
from pipeline.training.loop import course_of, early, steps
from pipeline.training.step import hands_of
from pipeline.training.team import Team


@pytest.fixture
def examples(engine, tmp_path):
    return engine.write_examples(tmp_path / "examples")


def walk(engine, examples, model, **changes):
    """Steps of a model over the examples, from the first one on."""
    settings = engine.training(**changes)
    optimizer = settings.optimizer.build(dict(model.named_parameters()))
    hands = hands_of(model, optimizer, Team(), None)
    course = course_of(examples, settings, 40)
    return steps(hands, course, settings, start=Position(), done=0, stop=lambda: False)


def test_the_next_share_is_made_while_the_present_one_is_used():
    second = threading.Event()

    def shares():
        yield 1
        second.set()
        yield 2

    with closing(early(shares(), torch.device("cpu"))) as supply:
        assert next(supply) == 1
        assert second.wait(30), "nobody asked for it"


def test_a_step_tells_how_its_group_came(engine, examples):
    model = engine.Recorder(engine.tiny_model())
    taken = [step for step, _ in walk(engine, examples, model, steps=3)]
    for step in taken:
        pairs = model.seen[step.number]
        lengths = np.array([(len(source), len(target)) for _, (source, target) in sorted(pairs)])
        assert step.tokens == lengths[:, 1].sum()
        assert 0 <= step.supply.waiting_seconds < 30
        assert 0 < step.supply.padding.positions < 0.5
    whole = np.arange(len(lengths))
    most = padding(*lengths.T, [whole])
    assert taken[-1].supply.padding.positions < most.positions, "slots pad less than the group"


@pytest.mark.parametrize("stop_at", [1, 3, None])
def test_a_run_that_ends_or_is_stopped_leaves_no_thread(engine, examples, tmp_path, stop_at):
    before = threading.enumerate()
    engine.run(tmp_path / "run", examples, engine.training(steps=4), stop_at=stop_at)
    assert threading.enumerate() == before


class Breaks(RuntimeError):
    """Raised by a model on purpose."""


def test_a_step_that_fails_leaves_no_thread(engine, examples):
    class Broken(engine.Recorder):
        def losses(self, batch, chance):
            if chance.step == 2:
                raise Breaks
            return super().losses(batch, chance)

    before = threading.enumerate()
    taken = walk(engine, examples, Broken(engine.tiny_model()))
    next(taken)
    with pytest.raises(Breaks):
        next(taken)
    assert threading.enumerate() == before


def test_data_that_cannot_be_read_fail_the_step_that_needs_them(engine, examples, tmp_path):
    for path in (tmp_path / "examples").glob("0*.arrow"):
        path.write_bytes(bytes(path.stat().st_size))
    before = threading.enumerate()
    with pytest.raises(Exception, match="shard was cut or altered"):
        next(walk(engine, examples, engine.tiny_model()))
    assert threading.enumerate() == before
