"""Patches that are cut in another order than they are told apart by."""

from torch.nn import functional

import pipeline.models.patches as patches

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_fronts.py::"
    "test_patches_are_a_convolution_with_steps_as_wide_as_its_kernel[1]"
)
WHY = "A patch's columns and its rows change places with those of the image."


def mutate(monkeypatch):
    def cut(self, images):
        whole = functional.pad(images, (0, 0, 0, 0, 0, -images.shape[1] % self.patch))
        squares = whole.unflatten(2, (self.rows, self.patch)).unflatten(1, (-1, self.patch))
        return squares.flatten(3).flatten(1, 2)

    monkeypatch.setattr(patches.PatchesFrontEnd, "_cut", cut)
