"""How a team holds what it trains. Parts on each worker: tests/laws/test_additivity_sharded.py."""

import pytest
import torch

from pipeline.models.lesson import Lesson
from pipeline.training.holding import Copies, held
from pipeline.training.moving_average import MovingAverage
from pipeline.training.step import hands_of, take
from pipeline.training.team import Team


@pytest.mark.parametrize(("shared", "workers"), [(True, 1), (False, 1), (False, 2)])
def test_nothing_is_shared_out_unasked_or_by_one_worker(engine, shared, workers):
    model = engine.tiny_model()
    lesson = Lesson(model, None, None)
    holding = held(model, lesson, Team(0, workers), shared=shared)
    assert isinstance(holding, Copies)
    assert holding.learner is lesson
    assert holding.idle(1, 3) == 0


def test_the_average_is_shown_where_there_is_one(engine):
    model = engine.tiny_model()
    holding = Copies(model)
    average = MovingAverage(0.5, holding.parameters)
    first = engine.weights(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    with holding.shown(average) as shown:
        assert engine.largest_difference(shown, first) == 0
    with holding.shown(None) as shown:
        assert engine.largest_difference(shown, first) == 1.0


def test_empty_slots_count_nothing(engine, tiny):
    """What a worker adds that has fewer slots than another."""
    settings, batch = engine.training(), tiny.batch(tiny.examples(4))
    found = []
    for idle in (0, 2):
        model = engine.tiny_model()
        optimizer = settings.optimizer.build(dict(model.named_parameters()))
        hands = hands_of(model, optimizer, Team(), 1.0)
        step = take(hands, [batch], tiny.CHANCE, rate=0.1, tokens=9, stop=False, idle=idle)
        found.append((step, engine.weights(model)))
    (one, expected), (other, weights) = found
    assert one == other
    assert engine.largest_difference(weights, expected) == 0
