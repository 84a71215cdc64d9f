"""The loop: what is made early, when it ends, and what a step tells of its supply."""

import threading
from contextlib import closing
from itertools import islice

import numpy as np
import pytest
import torch

from pipeline.batches.padding import padding
from pipeline.batches.plan import Position
from pipeline.training.loop import course_of, early, steps
from pipeline.training.step import hands_of
from pipeline.training.team import Team


class Breaks(RuntimeError):
    """Raised by a model on purpose."""


@pytest.fixture
def examples(engine, tmp_path):
    return engine.write_examples(tmp_path / "examples")


def walk(engine, examples, model, **changes):
    """Steps of a model over the examples, from the first one on."""
    settings = engine.training(**changes)
    optimizer = settings.optimizer.build(dict(model.named_parameters()))
    hands = hands_of(model, optimizer, Team(), None)
    course = course_of(examples, settings, 40)
    return steps(
        hands, course, settings, start=Position(), done=0, rate_factor=1.0, stop=lambda: False
    )


@pytest.fixture
def unpinned(monkeypatch):
    """Where there is no GPU torch pins nothing: a copy stands for what it would make."""
    monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.clone)


GPU = torch.device("cuda")


def shares_of(engine, examples, rank=0, workers=1):
    return course_of(examples, engine.training(), 40).shares(Position(), rank, workers)


def test_the_next_share_is_made_while_a_gpu_uses_the_present_one(engine, examples, unpinned):
    second = threading.Event()

    def shares():
        for number, share in enumerate(shares_of(engine, examples)):
            if number == 1:
                second.set()
            yield share

    before = threading.enumerate()
    with closing(early(shares(), GPU)) as supply:
        next(supply)
        assert second.wait(30), "nobody made it"
        assert len(threading.enumerate()) == len(before) + 1
    assert threading.enumerate() == before


def test_what_is_made_early_is_the_same_in_the_same_order(engine, examples, unpinned):
    for rank in range(2):
        direct = islice(shares_of(engine, examples, rank, 2), 30)
        with closing(early(shares_of(engine, examples, rank, 2), GPU)) as supply:
            for ours, theirs in zip(islice(supply, 30), direct, strict=True):
                assert contents(ours) == contents(theirs)
                assert (ours.position, ours.padding) == (theirs.position, theirs.padding)


def contents(share):
    """Everything that a step gets."""
    return [
        (batch.index.tolist(), *[(side.values.tolist(), side.lengths) for side in sides(batch)])
        for batch in share.batches(torch.device("cpu"))
    ]


def sides(batch):
    return batch.source, batch.prefix, batch.target


def test_data_that_cannot_be_made_fail_the_step_that_needs_them_and_leave_no_thread(
    engine, examples, unpinned
):
    def broken():
        yield from islice(shares_of(engine, examples), 2)
        raise Breaks

    before = threading.enumerate()
    with closing(early(broken(), GPU)) as supply:
        assert [share.position.group for share in islice(supply, 2)] == [1, 2]
        with pytest.raises(Breaks):
            next(supply)
    assert threading.enumerate() == before


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
