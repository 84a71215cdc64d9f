"""Post-norm blocks whose sublayers read normalised vectors too."""

import pipeline.models.block as block

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_transformer.py"
    "::test_the_transformers_decoder_block[False-layer-relu-torch.float64]"
)
WHY = "With norms last, each sublayer has its norm twice."


def mutate(monkeypatch):
    monkeypatch.setattr(block, "_before", lambda values, norm, norm_first: norm(values))
