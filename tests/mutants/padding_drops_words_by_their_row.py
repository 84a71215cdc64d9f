"""Words are dropped by where they lie in the batch."""

import torch

from pipeline.models.dropout import Dropout

LAW = "padding"
TEST = (
    "tests/laws/test_padding.py"
    "::test_losses_and_gradients_add_up_whatever_lies_side_by_side[gru to transformer]"
)
WHY = "What lies before an example decides which of its words are dropped."


def mutate(monkeypatch):
    def words(self, vectors, examples, layout):
        if examples is None or self.rate == 0:
            return vectors
        keys = examples.keys[0] + torch.arange(len(vectors))
        return vectors * self.mask(keys, 1, vectors.dtype) * self.scale

    monkeypatch.setattr(Dropout, "words", words)
