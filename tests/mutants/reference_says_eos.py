"""A loss on the encoder that asks for the end of the target, too."""

import pipeline.models.ctc as ctc

LAW = "reference"
TEST = "tests/laws/test_reference_of_losses.py::test_ctc_is_torchs_over_each_example_alone"
WHY = "EOS is one of the labels, so that a source has to say it."


def mutate(monkeypatch):
    original = ctc.functional.ctc_loss

    class Longer:
        linear = staticmethod(ctc.functional.linear)

        @staticmethod
        def ctc_loss(log_probs, labels, states, lengths, **options):
            return original(log_probs, labels, states, lengths + 1, **options)

    monkeypatch.setattr(ctc, "functional", Longer)
