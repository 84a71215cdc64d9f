"""A leak rule that knows only the rows that it was shown last, those of the test."""

from pipeline.cleaning.leak import Known

LAW = "leak"
TEST = "tests/laws/test_leak.py::test_no_held_out_source_is_in_train_in_any_disguise[NFC]"
WHY = "Sentences of valid stay in train."


def mutate(monkeypatch):
    original = Known.of
    monkeypatch.setattr(Known, "of", classmethod(lambda cls, parts: original(parts[-1:])))
