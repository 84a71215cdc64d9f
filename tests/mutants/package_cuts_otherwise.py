"""A package that cuts long sources otherwise than the stage encode does."""

LAW = "package"
TEST = "tests/laws/test_package.py::test_a_package_predicts_what_the_stages_decode[transformer]"
WHY = "A packaged predictor that loses EOS where it cuts a source answers otherwise than the tests."


def mutate(monkeypatch) -> None:
    from pipeline.package import closure

    rename = closure._renamed

    def forgetful(source: str, name: str) -> str:
        changed = source.replace("[*ids[: most - 1], ids[-1]]", "ids[:most]")
        return rename(changed, name)

    monkeypatch.setattr(closure, "_renamed", forgetful)
