"""Long short-term memory whose input and forget gates have changed places."""

from pipeline.models.lstm import LSTM

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_recurrence.py::"
    "test_one_step_is_torchs_cell_with_and_without_gradients[lstm]"
)
WHY = "The gate that starts open is the one for what is new."


def mutate(monkeypatch):
    original = LSTM.step

    def step(self, gates, product, state, bias):
        units = state.shape[-1] // 2
        for rows in (gates, product):
            rows[..., : 2 * units] = rows[..., : 2 * units].roll(units, -1)
        return original(self, gates, product, state, bias)

    monkeypatch.setattr(LSTM, "step", step)
