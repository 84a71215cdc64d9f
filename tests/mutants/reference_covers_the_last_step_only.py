"""Coverage that holds the attention of the last step alone."""

from pipeline.models.recurrent_decoder import RecurrentDecoder

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_recurrence.py::test_coverage_is_the_sum_of_the_attention_so_far"
)
WHY = "What was attended to two steps ago counts as new."


def mutate(monkeypatch):
    original = RecurrentDecoder._advance

    def advance(self, vectors, fixed, moving, keys, sequences):
        output, weights, after = original(self, vectors, fixed, moving, keys, sequences)
        if "coverage" in after:
            after["coverage"] = weights.to(after["coverage"].dtype)
        return output, weights, after

    monkeypatch.setattr(RecurrentDecoder, "_advance", advance)
