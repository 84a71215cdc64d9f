"""The moving average in a run: what is validated, kept and exported."""

import pytest

from pipeline.problems import Problem
from pipeline.training.checkpoint import every, load
from pipeline.training.fit import fit


@pytest.fixture(scope="module")
def examples(engine, tmp_path_factory):
    return engine.write_examples(tmp_path_factory.mktemp("examples"))


def validated(engine, examples, folder, **changes):
    """A run, and the weights that each validation saw."""
    seen = []

    def validate(model):
        seen.append(engine.weights(model))
        return {"loss": 1.0 / len(seen)}

    model, settings = engine.tiny_model(), engine.training(**changes)
    fit(model, examples, settings, engine.place(folder), validate=validate)
    return model, seen


def test_the_average_is_validated_and_exported_and_the_steps_are_the_same(
    engine, examples, tmp_path
):
    every_step = {"steps": 6, "validate_every_steps": 1, "checkpoint_every_steps": 6}
    _, plain = validated(engine, examples, tmp_path / "plain", **every_step)
    model, averaged = validated(
        engine, examples, tmp_path / "averaged", moving_average=0.5, **every_step
    )
    factors = [0.5 ** (6 - k) for k in range(1, 7)]
    expected = {
        name: sum(f * weights[name] for f, weights in zip(factors, plain, strict=True))
        / sum(factors)
        for name in plain[0]
    }
    assert engine.largest_difference(averaged[-1], expected) < 1e-12
    assert engine.largest_difference(engine.weights(model), averaged[-1]) == 0
    assert engine.largest_difference(plain[-1], averaged[-1]) > 1e-3
    newest = load(every(tmp_path / "averaged" / "checkpoints")[0])
    assert engine.largest_difference(newest.weights, plain[-1]) == 0
    kept = {name.removeprefix("average/"): t for name, t in newest.optimizer.items()}
    assert all((kept[name] == weight).all() for name, weight in averaged[-1].items())


def test_a_step_that_is_not_taken_adds_nothing(engine, examples, tmp_path):
    class Broken:
        def __init__(self, model):
            self.model, self.weights, self.counts = model, model.weights, model.counts

        def named_parameters(self):
            return self.model.named_parameters()

        def losses(self, batch, chance):
            factor = float("nan") if chance and chance.step > 2 else 1.0
            return {t: loss * factor for t, loss in self.model.losses(batch, chance).items()}

    seen = []
    model = Broken(engine.tiny_model())

    def validate(_):
        seen.append(engine.weights(model))
        return {"loss": 1.0}

    settings = engine.training(steps=4, validate_every_steps=2, moving_average=0.5)
    fit(model, examples, settings, engine.place(tmp_path), validate=validate)
    assert engine.largest_difference(*seen) == 0


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.5])
def test_a_decay_is_between_0_and_1(engine, decay):
    with pytest.raises(Problem, match=r"moving_average"):
        engine.training(moving_average=decay)
