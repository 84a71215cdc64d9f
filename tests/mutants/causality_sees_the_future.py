"""Self-attention of the decoder without its triangle."""

import pipeline.models.transformer_decoder as transformer_decoder

LAW = "causality"
TEST = "tests/laws/test_causality.py::test_what_comes_later_changes_nothing[transformer-2]"
WHY = "A position attends to the ids that it is to predict."


def mutate(monkeypatch):
    def causal(mask):
        return mask[:, None].expand(-1, mask.shape[1], -1)

    monkeypatch.setattr(transformer_decoder, "causal", causal)
