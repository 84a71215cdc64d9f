"""Convolutions that see what lies behind a source's end."""

import torch

import pipeline.models.convolution as convolution

LAW = "padding"
TEST = (
    "tests/laws/test_padding.py::"
    "test_losses_and_gradients_add_up_whatever_lies_side_by_side[frames]"
)
WHY = "Behind the end of a short source stands its last position again, not nothing."


def mutate(monkeypatch):
    class Repeating(convolution.Layout):
        def pad(self, flat):
            rows = super().pad(flat)
            last = flat[self.starts + self.device_lengths - 1]
            empty = ~self.mask.view(*self.mask.shape, *[1] * (flat.ndim - 1))
            return torch.where(empty, last[:, None], rows)

    original = convolution.Convolution.forward

    def forward(self, values, layout):
        return original(self, values, Repeating(layout.lengths, layout.device))

    monkeypatch.setattr(convolution.Convolution, "forward", forward)
