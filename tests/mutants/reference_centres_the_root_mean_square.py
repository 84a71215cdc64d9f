"""A root mean square taken about the mean: layer norm again."""

import pipeline.models.linear as linear

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_transformer.py::test_norms_and_their_gradients[rms-torch.float64]"
)
WHY = "RMS norm subtracts the mean of the channels first."


def mutate(monkeypatch):
    original = linear.RMSNorm.forward

    def forward(self, vectors):
        return original(self, vectors - vectors.mean(-1, keepdim=True))

    monkeypatch.setattr(linear.RMSNorm, "forward", forward)
