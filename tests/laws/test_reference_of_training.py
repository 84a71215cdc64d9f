"""Law: each schedule and optimiser = torch's own or a closed formula, on fixed numbers."""

import math

import pytest
import torch
from torch.nn import Parameter

from pipeline.problems import Problem
from pipeline.settings import parse
from pipeline.training import OPTIMIZERS, SCHEDULES
from pipeline.training.gradient import Gradient


def rates(kind, warmup, steps, at):
    schedule = parse(SCHEDULES[kind], {"peak_rate": 2.0, "warmup_steps": warmup}, "tests")
    return [schedule.rate(step, steps) for step in at]


def test_linear_rises_to_its_peak_and_falls_to_zero_after_the_last_step():
    assert rates("linear", 4, 9, range(1, 10)) == pytest.approx(
        [0.5, 1.0, 1.5, 2.0, 2 * 5 / 6, 2 * 4 / 6, 2 * 3 / 6, 2 * 2 / 6, 2 * 1 / 6]
    )


def test_cosine_falls_along_half_a_wave():
    quarter = 1 + math.cos(math.pi / 4)
    assert rates("cosine", 2, 5, range(1, 6)) == pytest.approx(
        [1.0, 2.0, quarter, 1.0, 2 - quarter]
    )


def test_inverse_sqrt_is_that_of_the_transformers_paper():
    width, warmup = 512, 4000
    peak = width**-0.5 * warmup**-0.5
    schedule = parse(
        SCHEDULES["inverse_sqrt"], {"peak_rate": peak, "warmup_steps": warmup}, "tests"
    )
    for step in (1, 3999, 4000, 4001, 100_000):
        paper = width**-0.5 * min(step**-0.5, step * warmup**-1.5)
        assert schedule.rate(step, 100_000) == pytest.approx(paper, rel=1e-12)


@pytest.mark.parametrize("kind", sorted(SCHEDULES))
def test_every_schedule_starts_at_its_peak_without_warm_up_or_near_it(kind):
    first, *_, last = rates(kind, 0, 100, range(1, 101))
    assert 1.95 < first <= 2.0
    assert 0 < last < first


def adamw_by_hand(weight, gradients, rates, *, betas, epsilon, decay):
    """Algorithm 2 of Loshchilov & Hutter 2019, with the rate as the schedule's multiplier."""
    first = second = torch.zeros_like(weight)
    for count, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        first = betas[0] * first + (1 - betas[0]) * gradient
        second = betas[1] * second + (1 - betas[1]) * gradient**2
        step = first / (1 - betas[0] ** count)
        step = step / ((second / (1 - betas[1] ** count)).sqrt() + epsilon)
        weight = weight - rate * step - rate * decay * weight
    return weight


@pytest.mark.parametrize("betas", [[1.0, 0.9], [0.9, 1.0], [-0.1, 0.9], [0.9]])
def test_averages_that_keep_everything_or_less_than_nothing_are_refused(betas):
    with pytest.raises(Problem, match="betas"):
        parse(OPTIMIZERS["adamw"], {"betas": betas}, "tests")


@pytest.mark.parametrize("kind", sorted(OPTIMIZERS))
def test_what_an_optimizer_stores_is_all_that_its_next_step_needs(kind):
    def parameters():
        return {"w": Parameter(torch.tensor([[1.0, 2.0]])), "b": Parameter(torch.tensor([3.0]))}

    def step(optimizer, factor):
        for parameter in optimizer.parameters.values():
            parameter.grad = factor * torch.ones_like(parameter)
        optimizer.step(0.1)

    settings = parse(OPTIMIZERS[kind], {}, "tests")
    whole, other = settings.build(parameters()), settings.build(parameters())
    step(whole, 1.0)
    state = {name: tensor.clone() for name, tensor in whole.state().items()}
    with torch.no_grad():
        for name, parameter in other.parameters.items():
            parameter.copy_(whole.parameters[name])
    other.load(state)
    step(whole, -2.0)
    step(other, -2.0)
    for name, parameter in other.parameters.items():
        assert torch.equal(parameter, whole.parameters[name])
        assert not torch.equal(parameter, parameters()[name])


def test_adamw_is_its_papers_algorithm():
    generator = torch.Generator().manual_seed(1)
    start = {
        "matrix": torch.randn(3, 4, generator=generator, dtype=torch.float64),
        "bias": torch.randn(4, generator=generator, dtype=torch.float64),
    }
    gradients = {
        name: torch.randn(5, *value.shape, generator=generator, dtype=torch.float64)
        for name, value in start.items()
    }
    parameters = {name: Parameter(value.clone()) for name, value in start.items()}
    values = {"betas": [0.8, 0.95], "epsilon": 1e-6, "weight_decay": 0.1}
    optimizer = parse(OPTIMIZERS["adamw"], values, "tests").build(parameters)
    steps = [0.1, 0.2, 0.05, 0.01, 0.3]
    for number, rate in enumerate(steps):
        for name, parameter in parameters.items():
            parameter.grad = gradients[name][number].clone()
        optimizer.step(rate)
    for name, decay in [("matrix", 0.1), ("bias", 0.0)]:
        expected = adamw_by_hand(
            start[name], gradients[name], steps, betas=(0.8, 0.95), epsilon=1e-6, decay=decay
        )
        assert torch.allclose(parameters[name], expected, rtol=0, atol=1e-14)


def test_clipping_is_by_the_norm_of_the_whole_gradient():
    parameters = [Parameter(torch.zeros(2)), Parameter(torch.zeros(1, 1))]
    gradient = Gradient(parameters, extras=1)
    gradient.clear()
    gradient.flat.copy_(torch.tensor([3.0, 4.0, 12.0]))
    gradient.extras.fill_(100.0)
    assert gradient.norm() == 13.0
    gradient.clip(13.0, 6.5)
    assert [p.grad.flatten().tolist() for p in parameters] == [[1.5, 2.0], [6.0]]
    gradient.clip(6.5, None)
    gradient.clip(6.5, 7.0)
    assert gradient.flat.tolist() == [1.5, 2.0, 6.0]
