"""Law: additivity, compiled: the steps of torch.compile are those without, dropout on.

The compiler is the real one, and compiles what it makes with g++.
"""

import pytest
import torch

from pipeline.models.compiled import compiled, compiles, compiling
from pipeline.models.dropout import Dropout, mix
from pipeline.problems import Problem
from pipeline.training.compiler import compiled_steps
from pipeline.training.loop import course_of

pytestmark = [
    pytest.mark.compiles,
    # torch's compiler hides this one of its own, but from whoever makes warnings errors.
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),
]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def examples(engine, tmp_path_factory):
    return engine.write_examples(tmp_path_factory.mktemp("examples"))


def graphs():
    """How many the compiler has made."""
    return torch._dynamo.utils.counters["stats"]["unique_graphs"]


@pytest.mark.parametrize(("name", "regions"), [("transformer", 5), ("gru", 1)])
def test_compiled_steps_are_those_without_a_compiler(engine, examples, tmp_path, name, regions):
    """Slots of other lengths in each step; nothing is compiled after the first one."""
    torch._dynamo.reset()  # another model's graph may do
    settings, eager, model = engine.training(), engine.tiny_model(name), engine.tiny_model(name)
    engine.run(tmp_path / "eager", examples, settings, model=eager, slot_cost=25)
    course, before = course_of(examples, settings, 25), graphs()
    with compiled_steps(True, model, course, CPU, report=print):
        assert graphs() == before + regions
        with torch._dynamo.config.patch(error_on_recompile=True):
            engine.run(tmp_path / "compiled", examples, settings, model=model, slot_cost=25)
    assert graphs() == before + regions
    assert engine.largest_difference(engine.weights(model), engine.weights(eager)) < 1e-10


def test_a_compiled_run_that_goes_on_comes_to_the_same_bits(engine, examples, tmp_path):
    """It is compiled anew, as if by another process."""
    settings, found = engine.training(steps=6), []
    for stops in ((None,), (3, None)):
        for number, stop in enumerate(stops):
            torch._dynamo.reset()
            model = engine.tiny_model("gru")
            with compiled_steps(True, model, course_of(examples, settings, 25), CPU, report=print):
                engine.run(
                    tmp_path, examples, settings, model=model, slot_cost=25, stop_at=stop,
                    fresh=not number,
                )  # fmt: skip
        found.append(engine.weights(model))
    assert engine.largest_difference(*found) == 0


def test_a_compiled_mask_is_the_same():
    layer, keys = Dropout(0.3), mix(torch.arange(50))
    with compiling():
        found = compiled(mask, keys, layer)
    assert torch.equal(found, mask(keys, layer))


def mask(keys, layer):
    return layer.mask(keys, 7, torch.float32)


def test_what_the_compiler_writes_is_nobody_elses_and_goes_at_the_end(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with compiling():
        compiled(squared, torch.ones(3))
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o777 == 0o700
        written = {path.suffix for path in folder.rglob("*") if path.is_file()}
        assert ".so" in written
        assert not written & {".pkl", ".pickle", ""}
    assert list(tmp_path.iterdir()) == []


def squared(rows):
    return rows.square().sum()


class Broken:
    """A model that cannot be compiled."""

    def __init__(self, model):
        self.named_parameters, self.weights, self.counts = (
            model.named_parameters, model.weights, model.counts
        )  # fmt: skip

    def losses(self, batch, chance):
        raise RuntimeError("\nCppCompileError: no header\nmore")


def test_a_compiler_that_fails_is_a_problem_where_it_was_asked_for(engine, examples):
    course = course_of(examples, engine.training(), 25)
    model = Broken(engine.tiny_model())
    with (
        pytest.raises(Problem, match=r"torch\.compile fails") as caught,
        compiled_steps(True, model, course, CPU, report=print),
    ):
        pass
    assert caught.value.value == "CppCompileError: no header"


def test_a_compiler_that_fails_by_itself_is_told_and_left_out(engine, examples, monkeypatch):
    told, course = [], course_of(examples, engine.training(), 25)
    model = Broken(engine.tiny_model())
    monkeypatch.setattr("pipeline.training.compiler.wanted", lambda setting, device: True)
    with compiled_steps("auto", model, course, CPU, report=told.append):
        assert not compiles()
    assert told == ["training is not compiled: CppCompileError: no header"]


@pytest.mark.parametrize(("setting", "device"), [(False, "cuda"), ("auto", "cpu")])
def test_nothing_is_compiled_where_nobody_asks(engine, examples, setting, device):
    course = course_of(examples, engine.training(), 25)
    model = Broken(engine.tiny_model())
    with compiled_steps(setting, model, course, torch.device(device), report=print):
        assert not compiles()
