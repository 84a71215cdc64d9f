"""Pixels of a column read as if channels came first."""

import torch

import pipeline.models.pixels as pixels

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_fronts.py::"
    "test_pixels_are_two_strided_convolutions_of_the_image[8-1]"
)
WHY = "The second convolution works on an image that is upside down."


def mutate(monkeypatch):
    original = pixels.functional.gelu

    class Upside:
        @staticmethod
        def gelu(values):
            return torch.flip(original(values), [1])

    monkeypatch.setattr(pixels, "functional", Upside)
