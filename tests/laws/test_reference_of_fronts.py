"""Law: each front end = torch's own convolutions over each source alone, gradients included."""

import pytest
import reference
import torch
from reference import random
from torch import nn
from torch.nn import functional

from pipeline.batches.batch import Ragged
from pipeline.models.frames import Frames
from pipeline.models.patches import Patches
from pipeline.models.pixels import Pixels

WIDTH = 8
LENGTHS = (7, 1, 4, 10)


def filled(settings):
    """The front end with random weights, biases too."""
    return reference.filled(settings.build(WIDTH))


def check(front, shape, alone):
    """`alone(source)` gives the vectors of one source `[positions, …]`, by torch's modules."""
    sources = [random(length, *shape, seed=length) for length in LENGTHS]
    found = front(Ragged(torch.cat(sources), LENGTHS), None, None)
    expected = [alone(source) for source in sources]
    assert found.layout.lengths == tuple(map(len, expected))
    assert float((found.values - torch.cat(expected)).detach().abs().max()) < 1e-9
    pull = random(*found.values.shape, seed=5)
    parameters = list(front.parameters())
    ours = torch.autograd.grad((found.values * pull).sum(), parameters)
    theirs = torch.autograd.grad((torch.cat(expected) * pull).sum(), parameters)
    for one, other in zip(ours, theirs, strict=True):
        assert float((one - other).abs().max()) < 1e-9
        assert float(one.abs().max()) > 1e-3


def convolved(module, values, weight, bias):
    """A convolution of torch's with our weights."""
    return torch.func.functional_call(module, {"weight": weight, "bias": bias}, (values,))


def test_frames_are_two_strided_convolutions():
    front = filled(Frames(features=3))
    first, second = (nn.Conv1d(n, WIDTH, 3, stride=2, padding=1) for n in (3, WIDTH))

    def alone(frames):
        values = frames.T[None]
        for module, ours in ((first, front.first), (second, front.second)):
            values = functional.gelu(convolved(module, values, ours.weight, ours.bias))
        return values[0].T

    check(front, (3,), alone)


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("height", [8, 6, 3])
def test_pixels_are_two_strided_convolutions_of_the_image(colours, height):
    front = filled(Pixels(height=height, colours=colours, channels=4))
    first, second = (nn.Conv2d(n, 4, 3, stride=2, padding=1) for n in (colours, 4))

    def alone(columns):
        values = columns.permute(2, 1, 0)[None]  # as images lie: [1, colours, rows, columns]
        for module, ours in ((first, front.first), (second, front.second)):
            weight = ours.weight.transpose(2, 3)
            values = functional.gelu(convolved(module, values, weight, ours.bias))
        return front.project(values[0].permute(2, 1, 0).flatten(1))

    check(front, (height, colours), alone)


@pytest.mark.parametrize("colours", [1, 3])
def test_patches_are_a_convolution_with_steps_as_wide_as_its_kernel(colours):
    front = filled(Patches(height=6, colours=colours, patch=3))
    module = nn.Conv2d(colours, WIDTH, 3, stride=3)
    weight = front.project.weight.view(WIDTH, 3, 3, colours).permute(0, 3, 1, 2)

    def alone(columns):
        whole = functional.pad(columns, (0, 0, 0, 0, 0, -len(columns) % 3))
        image = whole.permute(2, 0, 1)[None]  # [1, colours, columns, rows]
        values = convolved(module, image, weight, front.project.bias)
        patches = values[0].permute(1, 2, 0) + front.row.weight  # [columns, rows, width]
        return patches.flatten(0, 1)

    check(front, (6, colours), alone)
