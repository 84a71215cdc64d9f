"""A model that is never told where a target ends."""

import pipeline.models.softmax as softmax
from pipeline.batches.batch import EOS

LAW = "learning"
TEST = "tests/laws/test_learning.py::test_copying_is_learned[rnn, reversed to a fixed context-1]"
WHY = "EOS does not count in the loss, so hypotheses do not end where they should."


def mutate(monkeypatch):
    original = softmax.CrossEntropy.forward

    def forward(ctx, outputs, weight, targets, smoothing):
        targets = targets.clone()
        targets[targets == EOS] = EOS - 1
        return original(ctx, outputs, weight, targets, smoothing)

    monkeypatch.setattr(softmax.CrossEntropy, "forward", staticmethod(forward))
