"""The softmax generator: the same log-probabilities for whoever learns and for whoever searches."""

import torch

from pipeline.models.seam import Step
from pipeline.models.softmax import SoftmaxGenerator
from pipeline.models.table import Table


def test_log_probabilities_have_the_same_bits_with_and_without_a_gradient():
    """Without one they are written over the logits, which torch promises nowhere."""
    table = Table(700, 16, scale=1.0, dtype=torch.float32)
    with torch.no_grad():
        table.fill(lambda name: torch.Generator().manual_seed(1))
    step = Step(torch.randn((6, 5, 16), generator=torch.Generator().manual_seed(2)), None)
    taught = SoftmaxGenerator(0.1).log_probs(step, None, table)
    with torch.no_grad():
        found = SoftmaxGenerator(0.1).log_probs(step, None, table)
    assert taught.requires_grad
    assert torch.equal(found, taught)
