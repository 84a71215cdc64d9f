"""Law: every parameter's gradient = the central difference of the group's loss; none is missing."""

import numpy as np
import pytest
import torch

import pipeline.training.step as step
from pipeline.batches.slots import deal
from pipeline.models.lesson import Lesson
from pipeline.models.rdrop import RDrop
from pipeline.models.scheduled_sampling import ScheduledSampling
from pipeline.settings import parse
from pipeline.training.gradient import Gradient
from pipeline.training.team import Team

STEP = 1e-5


def difference(loss, parameter, direction):
    """The central difference of `loss()` along a direction of a parameter's numbers."""
    start, values = parameter.data.clone(), []
    for way in (STEP, -STEP):
        parameter.data.copy_(start + way * direction)
        values.append(float(loss().detach()))
    parameter.data.copy_(start)
    return (values[0] - values[1]) / (2 * STEP)


def compare(loss, parameters, gradients):
    """Each gradient along a direction at random, in which every number of it has its part."""
    draw = torch.Generator().manual_seed(0)
    for name, parameter in parameters.items():
        direction = torch.randn(parameter.shape, generator=draw, dtype=parameter.dtype)
        direction /= direction.norm()
        expected = difference(loss, parameter, direction)
        slope = float((gradients[name] * direction).sum())
        assert slope == pytest.approx(expected, abs=1e-8), name


def check(tiny, model, names, lesson=None):
    """Of a batch's summed loss, as the model or the lesson makes it."""
    batch, taught = tiny.batch(tiny.examples(3, seed=2, longest=4)), lesson or model
    model.zero_grad()
    tiny.loss(taught, batch).backward()
    parameters = {name: model.get_parameter(name) for name in names}
    gradients = {name: parameter.grad.clone() for name, parameter in parameters.items()}
    compare(lambda: tiny.loss(taught, batch), parameters, gradients)


def test_gradients_with_dropout_are_central_differences(tiny, combination):
    parts = {part: dict(tiny.MODELS[combination][part]) for part in ("encoder", "decoder")}
    for part in parts.values():
        if part["kind"] == "transformer":  # two recurrent layers differ, two blocks do not
            part["layers"] = 1
    model = tiny.model_of(combination, **parts)
    check(tiny, model, [name for name, _ in model.named_parameters()])


@pytest.mark.parametrize("embeddings", ["target", "separate"])
def test_gradients_of_separate_tables_are_central_differences(tiny, embeddings):
    model = tiny.model_of("transformer", embeddings=embeddings)
    names = [name for name, _ in model.named_parameters() if name.startswith("tables.")]
    assert len(names) == {"target": 2, "separate": 3}[embeddings]
    check(tiny, model, names)


@pytest.mark.trains
def test_a_steps_gradient_is_the_central_difference_of_the_groups_loss(
    engine, tiny, tmp_path, combination
):
    """Two terms with weights and counts of their own; the group is cut into slots, its loss not."""
    examples, rows = engine.write_examples(tmp_path, rows=12), np.arange(12)
    model = engine.TwoTerms(engine.tiny_model(combination))
    lengths = examples.source_lengths, examples.target_lengths
    (share,) = deal(*lengths, workers=1, slot_cost=30)
    batches = [examples.batch(places, places) for places in share]
    counts = step.group_counts(model, batches, Team())
    assert len(batches) > 2
    assert len(set(counts.values())) >= 2

    def loss():
        sums = model.losses(examples.batch(rows, rows), tiny.CHANCE)
        return sum(model.weights[term] * sums[term] / counts[term] for term in sums)

    gradient = Gradient([parameter for _, parameter in model.named_parameters()], extras=0)
    gradient.clear()
    step.backward(model, batches, counts, tiny.CHANCE)
    parameters = dict(model.named_parameters())
    compare(loss, parameters, {name: p.grad.clone() for name, p in parameters.items()})


@pytest.mark.parametrize("named", ["gru, copying", "transformer"])
def test_gradients_of_lessons_are_central_differences(tiny, named):
    decay = {"kind": "linear", "over_steps": 14}  # half of it in step 7
    sampling = parse(ScheduledSampling, {"decay": decay}, "tests")
    model = tiny.model_of(named)
    names = [name for name, parameter in model.named_parameters() if parameter.ndim > 1]
    check(tiny, model, names, Lesson(model, sampling, RDrop()))


def test_every_parameter_has_a_gradient(tiny, combination):
    model = tiny.model_of(combination)
    _, gradients = tiny.gradients(model, [tiny.batch(tiny.examples(4))])
    dead = [name for name, value in gradients.items() if float(value.abs().max()) == 0]
    # A bias of attention's keys moves all scores of a query alike, which a softmax does not see;
    # it is stacked with those of queries and values, so no parameter is dead as a whole.
    assert dead == []
