"""A validation that was cut short is not done when the run goes on."""

import pipeline.training.run as run

LAW = "resume"
TEST = (
    "tests/training/test_writer.py::test_a_validation_cut_short_is_done_first_when_the_run_goes_on"
)
WHY = "A row of the curves is missing, and with it weights that may be the best."


def mutate(monkeypatch):
    advanced, unjudged = run._advanced, run._unjudged

    def passing(one, state):
        asked = []

        def later(*arguments):
            asked.append(arguments)
            return len(asked) > 1 and unjudged(*arguments)

        with monkeypatch.context() as inner:
            inner.setattr(run, "_unjudged", later)
            return advanced(one, state)

    monkeypatch.setattr(run, "_advanced", passing)
