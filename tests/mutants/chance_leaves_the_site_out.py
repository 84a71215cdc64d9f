"""A dropout whose mask does not depend on where in the model it stands."""

import pipeline.models.dropout as dropout

LAW = "chance"
TEST = (
    "tests/laws/test_chance.py::"
    "test_two_places_of_a_model_drop_other_channels_of_the_same_positions"
)
WHY = "Every layer drops the same channels of a position."


def mutate(monkeypatch):
    def mask(self, keys, channels, dtype):
        if keys is None or self.rate == 0:
            return None
        return dropout.kept(keys, channels, self.rate, dtype)

    monkeypatch.setattr(dropout.Dropout, "mask", mask)
