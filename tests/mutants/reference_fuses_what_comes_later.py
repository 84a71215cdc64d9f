"""A GPU's kernel is asked for attention to all of a target."""

import pipeline.models.multihead as multihead

LAW = "reference"
TEST = "tests/models/test_fused.py::test_fused_attention_is_attention_to_padded_views[transformer]"
WHY = "On a GPU alone a decoder is taught what it is to predict."


def mutate(monkeypatch):
    original = multihead.attended

    def attended(*tensors, causal):
        return original(*tensors, causal=False)

    monkeypatch.setattr(multihead, "attended", attended)
