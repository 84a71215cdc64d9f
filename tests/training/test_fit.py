"""Fit: what it does between steps."""

import fcntl
import os
import time
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from pipeline.metrics import METRICS, higher_is_better
from pipeline.problems import Problem
from pipeline.training.averaging import average
from pipeline.training.background import Background
from pipeline.training.checkpoint import every, read_state
from pipeline.training.finished import curves
from pipeline.training.fit import fit
from pipeline.training.gauge import gauge_of
from pipeline.training.lease import LostLeaseError, take_lease, this_process
from pipeline.training.pace import Pace
from pipeline.training.progress import ProgressFile, read
from pipeline.training.settings import BestBy
from pipeline.training.standby import Standby
from pipeline.training.state import FALLING, TrainingState
from pipeline.training.step import Step
from pipeline.training.team import Team
from pipeline.training.watchdog import Watchdog
from pipeline.training.writer import Writer


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
    assert {"loss", "rate", "gradient_norm", "tokens", "epoch", "skipped"} <= set(first.values)
    assert first.values["processor_seconds"] > 0
    assert first.values["seconds"] > 0
    assert first.values["count_cross_entropy"] == first.values["tokens"]


def test_what_the_speed_is_held_against_changes_no_bit_and_is_told(engine, examples, tmp_path):
    plain, _ = engine.run(tmp_path / "plain", examples, engine.training())
    model, settings = engine.tiny_model(), engine.training()
    gauge = gauge_of(model, torch.float64, Team())
    fit(
        model,
        examples,
        settings,
        engine.place(tmp_path / "held"),
        validate=engine.Loss(examples),
        gauge=gauge,
    )
    assert engine.largest_difference(engine.weights(model), engine.weights(plain)) == 0
    told = [r.values for r in read(tmp_path / "held") if r.kind == "train"]
    assert all(0 < values["padding"] < 0.5 for values in told)
    assert all(0 < values["mfu"] < 1 for values in told)
    beside = {r.step: r.values for r in read(tmp_path / "plain") if r.kind == "train"}
    assert beside[1].keys() == told[0].keys() - {"padding", "mfu", "peak_gflops_per_second"}


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


def scored(engine, examples, folder, metric, *scores):
    """A run that is compared by a metric, whose validations find these losses and scores."""
    found = iter(scores)
    return fit(
        engine.tiny_model(),
        examples,
        engine.training(best_by=metric),
        engine.place(folder),
        validate=lambda _: dict(zip(("loss", metric), next(found), strict=True)),
    )


def test_best_by_bleu_means_the_highest(engine, examples, tmp_path):
    outcome = scored(engine, examples, tmp_path, "bleu", (1.0, 10.0), (0.5, 30.0), (0.4, 20.0))
    assert outcome.state.best == (8,)
    assert curves(outcome.state).splitlines()[0] == "step,train_loss,valid_loss,valid_score,rate"
    assert [line.split(",")[::3] for line in curves(outcome.state).splitlines()[1:]] == [
        ["4", "10.0"], ["8", "30.0"], ["12", "20.0"],
    ]  # fmt: skip


def test_best_by_an_error_rate_means_the_lowest(engine, examples, tmp_path):
    scores = (1.0, 30.0), (0.5, 10.0), (0.4, 20.0)
    outcome = scored(engine, examples, tmp_path, "row_error_rate", *scores)
    assert outcome.state.best == (8,)
    header = "step,train_loss,valid_loss,valid_score,rate"
    assert curves(outcome.state).splitlines()[0] == header


def test_what_validations_are_compared_by_is_better_as_the_metric_says():
    names = set(get_args(BestBy)) - {"loss"}
    assert names <= set(METRICS)
    assert {name for name in names if not higher_is_better(name)} == set(FALLING) - {"loss"}


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
    assert (2, "step 2 not taken: its loss is not finite") in notes(tmp_path)


def test_too_many_of_them_end_the_run_with_a_message(engine, examples, tmp_path):
    model = Broken(engine.tiny_model(), range(5, 100))
    settings = engine.training(steps=40, recovery={"max_skipped_steps": 3, "max_rollbacks": 0})
    with pytest.raises(Problem, match="3 steps in a row, the last of them step 7"):
        engine.run(tmp_path, examples, settings, model=model)


def test_a_validation_that_is_not_finite_takes_the_run_back_and_in_the_end_ends_it(
    engine, examples, tmp_path
):
    settings = engine.training(recovery={"max_rollbacks": 1})
    with pytest.raises(Problem, match="validation after step 4 gave loss inf; the run went back 1"):
        fit(
            engine.tiny_model(),
            examples,
            settings,
            engine.place(tmp_path),
            validate=lambda _: {"loss": float("inf")},
        )
    assert (4, "validation after step 4 gave loss inf: back to step 0, learning rates x 0.5") in (
        notes(tmp_path)
    )


def test_a_clock_makes_unplanned_checkpoints(engine, examples, tmp_path):
    """Steps wait for the first one: while it is written, none is due."""

    def stop():
        while not (tmp_path / "checkpoints" / "00000000").exists():
            time.sleep(0.001)
        return False

    settings = engine.training(checkpoint_every_steps=100)
    place = replace(engine.place(tmp_path, checkpoint_seconds=1e-9), stop=stop)
    fit(engine.tiny_model(), examples, settings, place, validate=engine.Loss(examples))
    last, unplanned, first = every(tmp_path / "checkpoints")
    assert (last.name, first.name) == ("00000012", "00000000")
    assert [read_state(path)[1] for path in (last, unplanned, first)] == [True, False, True]


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix == ".safetensors"
    }


def test_checkpoints_of_another_model_are_a_problem_and_stay(engine, examples, tmp_path):
    """As after an edit of the model's code that did not raise ENGINE."""
    engine.run(tmp_path, examples, engine.training(), stop_at=5)
    before = contents(tmp_path)
    gru = engine.tiny_model("gru")
    with pytest.raises(Problem, match="weights do not fit the model") as caught:
        engine.run(tmp_path, examples, engine.training(), model=gru, fresh=False)
    assert caught.value.where == str(tmp_path / "checkpoints" / "00000005")
    assert "raise ENGINE" in caught.value.remedy
    assert contents(tmp_path) == before
    _, outcome = engine.run(tmp_path, examples, engine.training(), fresh=False)
    assert outcome.finished


def test_a_torn_checkpoint_is_kept_aside_and_the_one_before_is_used(engine, examples, tmp_path):
    engine.run(tmp_path, examples, engine.training(), stop_at=7)
    (tmp_path / "checkpoints/00000007/weights.safetensors").write_bytes(b"")
    _, outcome = engine.run(tmp_path, examples, engine.training(), fresh=False)
    assert outcome.finished
    assert (5, "resumed") in notes(tmp_path)
    assert any("kept as torn-00000007" in note for _, note in notes(tmp_path))
    assert (tmp_path / "checkpoints/torn-00000007/optimizer.safetensors").exists()


def test_a_damaged_older_checkpoint_does_not_keep_a_run_from_saving(engine, examples, tmp_path):
    (tmp_path / "checkpoints/00000001").mkdir(parents=True)
    _, outcome = engine.run(
        tmp_path, examples, engine.training(checkpoint_every_steps=4), fresh=False
    )
    assert outcome.finished
    assert [path.name for path in every(tmp_path / "checkpoints")] == ["00000012", "00000008"]
    told = [note for _, note in notes(tmp_path) if "00000001" in note]
    assert len(told) == 1


def test_what_killed_runs_left_half_written_goes_when_a_run_begins(engine, examples, tmp_path):
    for name in (".finished.77.tmp", "checkpoints/.00000003.77.tmp", "best/.00000004.77.tmp"):
        (tmp_path / name).mkdir(parents=True)
    engine.run(tmp_path, examples, engine.training(), fresh=False)
    assert list(tmp_path.rglob("*.tmp")) == []


def test_the_result_is_kept_once_under_the_lease_when_the_model_holds_it(
    engine, examples, tmp_path
):
    """An flock that is held refuses a second one, of the same process too."""
    kept, model = [], engine.tiny_model()

    def keep(outcome):
        with (tmp_path / "lease.lock").open() as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        kept.append((outcome, engine.weights(model)))

    def train(**where):
        return fit(
            model,
            examples,
            engine.training(),
            engine.place(tmp_path, **where),
            validate=engine.Loss(examples),
            keep=keep,
        )

    train(stop_at=5)
    assert kept == []
    outcome = train()
    assert [one for one, _ in kept] == [outcome]
    assert engine.largest_difference(kept[0][1], engine.weights(model)) == 0


def test_a_trainer_that_was_left_behind_writes_nothing_more(engine, examples, tmp_path):
    """Another one takes the lease while the first validates."""

    def validate(model):
        take_lease(tmp_path, this_process())
        return {"loss": 1.0}

    with pytest.raises(LostLeaseError):
        fit(
            engine.tiny_model(),
            examples,
            engine.training(),
            engine.place(tmp_path),
            validate=validate,
            keep=lambda outcome: pytest.fail("it was kept"),
        )
    assert {r.kind for r in read(tmp_path)} <= {"event", "train", "system"}
    assert len(notes(tmp_path)) == 1
    assert not (tmp_path / "best").exists()


def test_a_step_that_is_told_shows_that_the_trainer_lives(tmp_path):
    lease = take_lease(tmp_path, this_process())
    watchdog, standby = Watchdog(None, None, 0.0), Standby(dict, dict)
    pace = Pace(None, torch.device("cpu"))
    writer = Writer(
        lease, Background(), watchdog, standby, pace, checkpoint_seconds=1e9, overdue=bool
    )
    os.utime(tmp_path / "lease.json", (0, 0))
    step = Step(1, 1.0, {}, {}, 1.0, 0.1, tokens=9, taken=True, stop=False)
    writer.step(step, TrainingState(step=1))
    assert time.time() - (tmp_path / "lease.json").stat().st_mtime < 60


def test_every_checkpoint_has_a_record_of_its_step(engine, examples, tmp_path):
    """However fast the steps are: who waits for a step with a checkpoint does not wait in vain."""
    engine.run(tmp_path, examples, engine.training(), stop_at=11)
    told = {r.step for r in read(tmp_path) if r.kind == "train"}
    assert {1, 5, 10, 11} <= told
    steps = [r.step for r in read(tmp_path) if r.kind == "train"]
    assert len(steps) == len(set(steps))


def test_workers_that_begin_with_different_weights_are_a_problem(engine, examples, tmp_path):
    def work(team):
        model = engine.tiny_model(seed=3 + (team.rank == 2))
        return engine.run(
            tmp_path, examples, engine.training(), model=model, team=team, fresh=False
        )

    with pytest.raises(Problem, match="not all workers begin with the same weights") as caught:
        engine.Threads(3).run(work)
    assert caught.value.where == "worker 2 of 3"
    assert not (tmp_path / "checkpoints").exists()


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
