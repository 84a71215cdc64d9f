"""A package that stores a search's kind and forgets its fields."""

LAW = "package"
TEST = "tests/laws/test_package.py::test_a_package_predicts_what_the_stages_decode[transformer]"
WHY = "A package that searches with default settings answers otherwise than the tests did."


def mutate(monkeypatch) -> None:
    from pipeline.package import write

    plain = write.canonical_json

    def forgetful(value: object, *, indent: int | None = None) -> str:
        if isinstance(value, dict) and "decoding" in value:
            value = {**value, "decoding": {"search": {"kind": "beam"}}}
        return plain(value, indent=indent)

    monkeypatch.setattr(write, "canonical_json", forgetful)
