"""Law: scheduled sampling, R-Drop, their decays and the moving average = what their papers say."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import Parameter, functional

from pipeline.batches.batch import BOS
from pipeline.models import DECAYS
from pipeline.models.lesson import Lesson
from pipeline.models.rdrop import RDrop
from pipeline.models.scheduled_sampling import ScheduledSampling, predictions
from pipeline.settings import parse
from pipeline.training.moving_average import MovingAverage

R_DROPPED = ("transformer", "gru, copying", "frames")


def sampling(truth, passes=1):
    """Scheduled sampling that keeps the target's own ids with this probability."""
    decay = {"kind": "linear", "over_steps": 1, "least": truth}
    return parse(ScheduledSampling, {"decay": decay, "passes": passes}, "tests")


@pytest.fixture
def model(tiny, combination):
    return tiny.model_of(combination)


@pytest.fixture
def batch(tiny):
    return tiny.batch(tiny.examples(5))


def test_without_sampling_a_lesson_is_teacher_forcing_to_the_bit(tiny, model, batch):
    lesson = Lesson(model, sampling(1.0), None)
    ours, theirs = lesson.losses(batch, tiny.CHANCE), model.losses(batch, tiny.CHANCE)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[term], theirs[term]) for term in theirs)


def test_with_sampling_only_the_second_pass_reads_the_predictions_of_the_first(tiny, model, batch):
    with torch.no_grad():
        first = predictions(model, batch, model.read(batch, None)).tolist()
    mixed = sampling(0.0).mixed(model, batch, tiny.CHANCE)
    read = tiny.by_example(mixed.prefix.values, mixed.prefix.lengths)
    said = torch.tensor(first).split(list(batch.prefix.lengths))
    assert [ids.tolist() for ids in read] == [[BOS, *ids.tolist()[:-1]] for ids in said]
    assert mixed.target is batch.target


def test_as_many_passes_as_positions_are_the_free_run(tiny, model, batch):
    # Prefixes are as long as the examples', so the free run goes on where it said EOS: steadily.
    state, ids = model.encode(batch, steady=True), torch.full((batch.count, 1), BOS)
    free = []
    for _ in range(batch.prefix.longest):
        free.append(ids)
        log_probs, _, state = model.advance(ids, state)
        ids = log_probs.argmax(-1)
    whole = torch.cat(free, 1)
    mixed = sampling(0.0, batch.prefix.longest).mixed(model, batch, tiny.CHANCE)
    read = tiny.by_example(mixed.prefix.values, mixed.prefix.lengths)
    for ids, expected in zip(read, whole, strict=True):
        assert ids.tolist() == expected[: len(ids)].tolist()


def test_the_second_pass_learns_from_what_it_reads(tiny, model, batch):
    """The loss is that of the mixed prefixes, with dropout on; predictions have no gradient."""
    lesson = Lesson(model, sampling(0.4), None)
    mixed = sampling(0.4).mixed(model, batch, tiny.CHANCE)
    assert not torch.equal(mixed.prefix.values, batch.prefix.values)
    assert not mixed.prefix.values.requires_grad
    ours, theirs = lesson.losses(batch, tiny.CHANCE), model.losses(mixed, tiny.CHANCE)
    assert all(torch.equal(ours[term], theirs[term]) for term in theirs)


def decay(kind, **fields):
    return parse(DECAYS[kind], fields, "tests")


def test_decays_are_those_of_the_paper():
    linear = decay("linear", over_steps=8, least=0.25)
    assert [linear.truth(step) for step in (0, 2, 4, 6, 7)] == [1, 0.75, 0.5, 0.25, 0.25]
    assert decay("exponential", k=0.9).truth(3) == pytest.approx(0.9**3, rel=1e-12)
    sigmoid = decay("inverse_sigmoid", k=20)
    for step in (1, 20, 60, 200):
        assert sigmoid.truth(step) == pytest.approx(20 / (20 + math.exp(step / 20)), rel=1e-9)
    assert sigmoid.truth(10**6) == 0
    assert sigmoid.truth(round(20 * math.log(20))) == pytest.approx(0.5, abs=0.01)


FALLING = {
    "exponential": {"k": 0.99},
    "inverse_sigmoid": {"k": 100},
    "linear": {"over_steps": 900},
}


@pytest.mark.parametrize("kind", sorted(DECAYS))
def test_every_decay_falls_from_1_to_its_least(kind):
    falls = [decay(kind, least=0.1, **FALLING[kind]).truth(step) for step in range(1000)]
    assert falls[0] == 1
    assert falls[1] > 0.98
    assert falls == sorted(falls, reverse=True)
    assert falls[-1] == 0.1


def test_a_decay_may_begin_later():
    late = decay("linear", over_steps=4, after_steps=10)
    assert [late.truth(step) for step in (1, 10, 11, 14)] == [1, 1, 0.75, 0]


@pytest.mark.parametrize("named", R_DROPPED)
def test_r_drop_is_the_mean_of_two_passes_and_both_divergences(tiny, named, batch):
    model = tiny.model_of(named)
    turns = [tiny.CHANCE, replace(tiny.CHANCE, turn=1)]
    with torch.no_grad():
        ours = Lesson(model, None, RDrop(weight=2.0)).losses(batch, tiny.CHANCE)
        one, other = (model.losses(batch, turn) for turn in turns)
    for term in one:
        assert float(ours[term]) == pytest.approx(float(one[term] + other[term]) / 2, abs=1e-9)
    p, q = (tiny.log_probs(model, batch, turn)[0] for turn in turns)
    both = [functional.kl_div(b, a, reduction="sum", log_target=True) for a, b in ((p, q), (q, p))]
    assert float(ours["r_drop"]) == pytest.approx(float(sum(both)) / 2, abs=1e-9)
    assert float(ours["r_drop"]) > 0.01


def test_r_drop_counts_target_positions_and_is_no_part_of_validation(tiny, batch):
    model = tiny.model_of("gru")
    lesson = Lesson(model, None, RDrop(weight=2.0))
    assert lesson.weights == {"cross_entropy": 1.0, "r_drop": 2.0}
    assert lesson.counts(batch)["r_drop"] == lesson.counts(batch)["cross_entropy"]
    assert lesson.losses(batch, None).keys() == {"cross_entropy"}


def test_the_average_is_the_sum_of_the_paper():
    parameter = Parameter(torch.tensor([5.0], dtype=torch.float64))  # drawn: has no part in it
    average = MovingAverage(0.9, {"w": parameter})
    weights = [3.0, -1.0, 4.0, 1.5]
    for weight in weights:
        parameter.data.fill_(weight)
        average.add()
    factors = [0.9 ** (len(weights) - k) for k in range(1, len(weights) + 1)]
    expected = sum(f * w for f, w in zip(factors, weights, strict=True)) / sum(factors)
    with average.shown(), torch.no_grad():
        assert float(parameter) == pytest.approx(expected, abs=1e-12)
    assert parameter.tolist() == [1.5]
