"""Fit: what it does between steps."""

import numpy as np
import pytest
import torch

from pipeline.problems import Problem
from pipeline.training.checkpoint import every
from pipeline.training.finished import curves
from pipeline.training.fit import fit
from pipeline.training.progress import ProgressFile, read
from pipeline.training.weights import average


@pytest.fixture(scope="module")
def examples(engine, tmp_path_factory):
    return engine.write_examples(tmp_path_factory.mktemp("examples"))


def notes(folder):
    return [(r.step, r.note) for r in read(folder) if r.kind == "event"]


def test_a_run_tells_of_its_start_its_steps_its_validations_and_its_end(engine, examples, tmp_path):
    _, outcome = engine.run(tmp_path, examples, engine.training())
    records = list(read(tmp_path))
    assert notes(tmp_path) == [(0, "started"), (12, "finished")]
    valid = [r for r in records if r.kind == "valid"]
    assert [r.step for r in valid] == [4, 8, 12]
    assert [dict(r.values) for r in valid] == [dict(v.scores) for v in outcome.state.curve]
    first = next(r for r in records if r.kind == "train")
    assert first.step == 1
    assert {"loss", "rate", "gradient_norm", "tokens", "seconds", "epoch", "skipped"} <= set(
        first.values
    )
    assert first.values["count_cross_entropy"] == first.values["tokens"]


def test_the_result_is_the_best_weights(engine, examples, tmp_path):
    scores = iter([3.0, 1.0, 2.0])
    kept = {}

    def validate(model):
        score = next(scores)
        kept[score] = engine.weights(model)
        return {"loss": score}

    model = engine.tiny_model()
    outcome = fit(model, examples, engine.training(), engine.place(tmp_path), validate=validate)
    assert outcome.scores == {"loss": 1.0}
    assert outcome.state.best == (8,)
    assert engine.largest_difference(engine.weights(model), kept[1.0]) == 0


def test_the_result_is_the_average_of_the_best_and_is_scored(engine, examples, tmp_path):
    scores = iter([3.0, 1.0, 2.0, 0.5])
    kept = []

    def validate(model):
        kept.append(engine.weights(model))
        return {"loss": next(scores)}

    model = engine.tiny_model()
    settings = engine.training(average_best=2)
    outcome = fit(model, examples, settings, engine.place(tmp_path), validate=validate)
    assert outcome.scores == {"loss": 0.5}
    assert outcome.state.best == (8, 12)
    for name, weight in engine.weights(model).items():
        assert torch.equal(weight, (kept[1][name] + kept[2][name]) / 2)


def test_best_by_bleu_means_the_highest(engine, examples, tmp_path):
    scores = iter([(1.0, 10.0), (0.5, 30.0), (0.4, 20.0)])
    settings = engine.training(best_by="bleu")
    outcome = fit(
        engine.tiny_model(),
        examples,
        settings,
        engine.place(tmp_path),
        validate=lambda _: dict(zip(("loss", "bleu"), next(scores), strict=True)),
    )
    assert outcome.state.best == (8,)
    assert curves(outcome.state).splitlines()[0] == "step,train_loss,valid_loss,valid_bleu,rate"
    assert [line.split(",")[::3] for line in curves(outcome.state).splitlines()[1:]] == [
        ["4", "10.0"], ["8", "30.0"], ["12", "20.0"],
    ]  # fmt: skip


def test_it_stops_early_where_nothing_gets_better(engine, examples, tmp_path):
    scores = iter([1.0, 2.0, 3.0])
    settings = engine.training(steps=40, patience=2)
    outcome = fit(
        engine.tiny_model(),
        examples,
        settings,
        engine.place(tmp_path),
        validate=lambda _: {"loss": next(scores)},
    )
    assert (outcome.finished, outcome.state.step, outcome.state.best) == (True, 12, (4,))
    assert (12, "stopped early") in notes(tmp_path)


class Broken:
    """A model whose loss is not a number in some steps."""

    def __init__(self, model, steps):
        self.model, self.steps = model, steps
        self.weights, self.counts = model.weights, model.counts

    def named_parameters(self):
        return self.model.named_parameters()

    def losses(self, batch, chance):
        broken = chance is not None and chance.step in self.steps
        factor = float("nan") if broken else 1.0
        return {term: loss * factor for term, loss in self.model.losses(batch, chance).items()}


def test_a_step_without_a_finite_gradient_is_not_taken_and_counted(engine, examples, tmp_path):
    kept = []
    model = Broken(engine.tiny_model(), {2, 3})

    def validate(_):
        kept.append(engine.weights(model))
        return {"loss": 1.0}

    settings = engine.training(steps=3, validate_every_steps=1)
    outcome = fit(model, examples, settings, engine.place(tmp_path), validate=validate)
    assert outcome.state.skipped == 2
    assert engine.largest_difference(kept[0], kept[2]) == 0
    assert (2, "step 2 not taken: its gradient is not finite") in notes(tmp_path)


def test_too_many_of_them_end_the_run_with_a_message(engine, examples, tmp_path):
    model = Broken(engine.tiny_model(), range(5, 100))
    settings = engine.training(steps=40, max_skipped_steps=3)
    with pytest.raises(Problem, match="3 steps in a row, the last of them step 7"):
        engine.run(tmp_path, examples, settings, model=model)


def test_a_validation_that_is_not_finite_ends_the_run(engine, examples, tmp_path):
    with pytest.raises(Problem, match="validation after step 4"):
        fit(
            engine.tiny_model(),
            examples,
            engine.training(),
            engine.place(tmp_path),
            validate=lambda _: {"loss": float("inf")},
        )


def test_a_clock_makes_unplanned_checkpoints(engine, examples, tmp_path):
    settings = engine.training(checkpoint_every_steps=100)
    engine.run(tmp_path, examples, settings, checkpoint_seconds=1e-9)
    assert [path.name for path in every(tmp_path / "checkpoints")] == ["00000012", "00000011"]


def test_a_checkpoint_of_another_model_is_told_and_not_used(engine, examples, tmp_path):
    engine.run(tmp_path, examples, engine.training(), stop_at=5)
    gru = engine.tiny_model("gru")
    _, outcome = engine.run(tmp_path, examples, engine.training(), model=gru, fresh=False)
    assert outcome.finished
    assert any("weights of another model" in note for _, note in notes(tmp_path))
    assert (0, "started") in notes(tmp_path)[1:]


def test_reseeding_torch_changes_nothing(engine, examples, tmp_path):
    first, _ = engine.run(tmp_path / "a", examples, engine.training())
    torch.manual_seed(99)
    np.random.seed(99)
    second, _ = engine.run(tmp_path / "b", examples, engine.training())
    assert engine.largest_difference(engine.weights(first), engine.weights(second)) == 0


def test_a_torn_line_of_progress_is_ended_and_passed_over(tmp_path):
    progress = ProgressFile(tmp_path)
    progress.append(1, "event", note="one")
    with progress.path.open("a") as file:
        file.write('{"step": 2, "kind"')
    progress.append(3, "train", {"loss": float("nan"), "rate": 0.5})
    assert [(r.step, dict(r.values)) for r in read(tmp_path)] == [(1, {}), (3, {"rate": 0.5})]


def test_the_average_is_taken_in_double_precision(tmp_path):
    from pipeline.training.checkpoint import save_weights

    values = [1.0, 2.0**-24, 2.0**-24, 2.0**-24]
    for step, value in enumerate(values):
        save_weights(tmp_path / f"{step:08d}", {"w": torch.tensor([value])})
    folders = sorted(tmp_path.iterdir())
    exact = torch.tensor([sum(values) / 4], dtype=torch.float64).to(torch.float32)
    assert torch.equal(average(folders)["w"], exact)
