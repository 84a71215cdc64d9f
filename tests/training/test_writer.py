"""The writer: saving while steps go on, what becomes of its failures, and what cannot wait."""

import threading
import time

import pytest
import torch

import pipeline.training.writer as writer_of
from pipeline.problems import Problem
from pipeline.training.background import Background
from pipeline.training.checkpoint import Checkpoint, every, load, save
from pipeline.training.fit import fit
from pipeline.training.lease import LostLeaseError, take_lease, this_process
from pipeline.training.pace import Pace
from pipeline.training.progress import read
from pipeline.training.standby import Standby
from pipeline.training.state import TrainingState
from pipeline.training.validation import StoppedError
from pipeline.training.watchdog import Watchdog
from pipeline.training.writer import Writer


@pytest.fixture(scope="module")
def examples(engine, tmp_path_factory):
    return engine.write_examples(tmp_path_factory.mktemp("examples"))


@pytest.fixture
def slow(monkeypatch):
    """Saving waits for a gate; what was opened, and how far the run had come at each."""
    gate, original = threading.Event(), writer_of.save

    def save(*arguments):
        assert gate.wait(60)
        return original(*arguments)

    monkeypatch.setattr(writer_of, "save", save)
    return gate


def test_steps_go_on_while_a_checkpoint_is_written_and_it_holds_what_it_was_given(
    engine, examples, tmp_path, slow
):
    """The gate opens at a step after the checkpoint's own."""
    model, seen = engine.tiny_model(), {}
    original = model.losses

    def losses(batch, chance):
        if chance is not None:
            seen.setdefault(chance.step, engine.weights(model))
            if chance.step == 7:
                slow.set()
        return original(batch, chance)

    model.losses = losses
    settings = engine.training(steps=9, validate_every_steps=100)
    engine.run(tmp_path, examples, settings, model=model)
    found = load(tmp_path / "checkpoints" / "00000005").weights
    assert all(torch.equal(found[name], weight) for name, weight in seen[6].items())


def test_a_failure_of_the_writer_is_raised_between_steps_and_no_thread_is_left(
    engine, examples, tmp_path, monkeypatch
):
    def save(*arguments):
        raise Problem("cannot write: No space left on device")

    before = threading.active_count()
    monkeypatch.setattr(writer_of, "save", save)
    with pytest.raises(Problem, match="No space left"):
        engine.run(tmp_path, examples, engine.training(steps=10**6))
    assert threading.active_count() == before


def test_a_lease_lost_while_writing_is_no_fault_of_the_disk(tmp_path, monkeypatch):
    """Whoever took it over has swept up what was half written."""
    lease = take_lease(tmp_path, this_process())
    original = writer_of.save

    def save(*arguments):
        take_lease(tmp_path, this_process())
        (tmp_path / "checkpoints").write_text("in the way")
        return original(*arguments)

    monkeypatch.setattr(writer_of, "save", save)
    with pytest.raises(LostLeaseError), Background() as background:
        writer = writer_with(lease, background)
        writer.save(Checkpoint({}, {}, TrainingState(), True))
        writer.wait()


def test_whoever_lost_the_lease_meanwhile_gives_no_checkpoint_its_name(tmp_path, monkeypatch):
    lease = take_lease(tmp_path, this_process())
    original = writer_of.save

    def save(folder, checkpoint, under):
        def taken():
            take_lease(tmp_path, this_process())
            return under()

        return original(folder, checkpoint, taken)

    monkeypatch.setattr(writer_of, "save", save)
    with pytest.raises(LostLeaseError), Background() as background:
        writer = writer_with(lease, background)
        writer.save(Checkpoint({}, {}, TrainingState(), True))
        writer.wait()
    assert list((tmp_path / "checkpoints").iterdir()) == []


def writer_with(lease, background, *, standby=None, overdue=lambda: False, silence=None):
    standby = standby or Standby(dict, dict)
    watchdog = Watchdog(None, silence, time.monotonic())
    pace = Pace(None, torch.device("cpu"))
    return Writer(
        lease, background, watchdog, standby, pace, checkpoint_seconds=1e9, overdue=overdue
    )


def test_while_one_is_written_no_other_is_due_by_the_clock(tmp_path):
    gate = threading.Event()
    with Background() as background:
        writer = writer_with(take_lease(tmp_path, this_process()), background)
        writer.checkpoint_seconds = 0.0
        assert writer.late()
        background.do(lambda: gate.wait(60))
        assert not writer.late()
        gate.set()


def test_a_silence_is_an_event_of_the_progress(tmp_path):
    with Background() as background:
        writer = writer_with(take_lease(tmp_path, this_process()), background, silence=1e-9)
        writer.look()
    told = [r.note for r in read(tmp_path) if r.kind == "event"]
    assert told == ["no step or validation has ended for 0 s"]


def test_the_host_is_told_of_now_and_then(tmp_path, monkeypatch):
    with Background() as background:
        writer = writer_with(take_lease(tmp_path, this_process()), background)
        for _ in range(2):
            writer.look()
        monkeypatch.setattr(writer_of, "SECONDS_PER_HOST", 0.0)
        writer.look()
    first, second = read(tmp_path)
    assert first.kind == second.kind == "system"
    assert second.values.keys() - first.values.keys() == {"cpu_utilization_percentage"}


def test_a_wish_to_stop_that_waits_for_long_has_the_last_whole_state_kept_once(tmp_path):
    weights = {"a": torch.ones(2)}
    standby, wishes = Standby(lambda: weights, dict), []
    with Background() as background:
        lease = take_lease(tmp_path, this_process())
        writer = writer_with(lease, background, standby=standby, overdue=lambda: bool(wishes))
        standby.reached(TrainingState(step=7))
        writer.look()
        background.wait()
        assert every(tmp_path / "checkpoints") == []
        wishes.append(True)
        for _ in range(2):
            writer.look()
            background.wait()
        standby.changing()
        weights["a"].add_(1)
        standby.reached(TrainingState(step=8))
        writer.look()
    newest, older = (load(path) for path in every(tmp_path / "checkpoints"))
    assert (newest.state.step, older.state.step, newest.planned) == (8, 7, False)
    assert newest.weights["a"].tolist() == [2.0, 2.0]
    assert older.weights["a"].tolist() == [1.0, 1.0]


def test_what_is_copied_while_weights_change_is_no_checkpoint():
    standby = Standby(lambda: standby.changing() or {}, dict)
    assert standby.checkpoint(-1) is None
    standby.reached(TrainingState(step=1))
    assert standby.checkpoint(-1) is None
    still = Standby(dict, dict)
    still.reached(TrainingState(step=1))
    assert still.checkpoint(0) == Checkpoint({}, {}, TrainingState(step=1), False)
    assert still.checkpoint(1) is None


def test_a_wish_that_waits_right_after_resuming_leaves_the_planned_checkpoint_planned(tmp_path):
    """A run that goes back later must find the one that an undisturbed run would."""
    place = save(tmp_path / "checkpoints", Checkpoint({}, {}, TrainingState(step=5), True))
    standby = Standby(dict, dict)
    with Background() as background:
        lease = take_lease(tmp_path, this_process())
        writer = writer_with(lease, background, standby=standby, overdue=lambda: True)
        assert writer.resume() == "00000005"
        standby.reached(TrainingState(step=5))
        writer.look()
    assert load(place).planned


def test_a_validation_cut_short_is_done_first_when_the_run_goes_on(engine, examples, tmp_path):
    whole = engine.run(tmp_path / "whole", examples, engine.training())
    validated = []

    def validate(model):
        validated.append(True)
        if len(validated) in (2, 3):  # as where someone wishes to stop, twice
            raise StoppedError
        return engine.Loss(examples)(model)

    def part():
        model = engine.tiny_model()
        place = engine.place(tmp_path / "cut")
        return model, fit(model, examples, engine.training(), place, validate=validate)

    steps = [part()[1].state.step for _ in range(2)]
    assert steps == [8, 8]
    model, outcome = part()
    assert outcome == whole[1]
    assert engine.largest_difference(engine.weights(model), engine.weights(whole[0])) == 0


def test_a_stop_in_the_last_validation_loses_nothing(engine, examples, tmp_path):
    """The result, an average, is scored once more: that may be cut short, too."""
    settings = engine.training(average_best=2)
    whole = engine.run(tmp_path / "whole", examples, settings)
    validated = []

    def part():
        def validate(model):
            validated.append(True)
            if len(validated) in (3, 5):
                raise StoppedError
            return engine.Loss(examples)(model)

        model = engine.tiny_model()
        place = engine.place(tmp_path / "cut")
        return model, fit(model, examples, settings, place, validate=validate)

    assert [part()[1].finished for _ in range(2)] == [False, False]
    model, outcome = part()
    assert outcome == whole[1]
    assert engine.largest_difference(engine.weights(model), engine.weights(whole[0])) == 0


def test_the_scores_of_a_stopped_validation_are_nobodys(engine, examples):
    """One of three workers hears of the wish: all stop, and none waits for another."""
    from pipeline.training.validation import Validation

    def work(team):
        stop = (lambda: True) if team.rank == 1 else (lambda: False)
        validation = Validation(
            examples, team, 5, lambda ids: ["" for _ in ids], lambda *_: 1.0, stop=stop
        )
        with torch.no_grad(), pytest.raises(StoppedError):
            validation(engine.tiny_model())
        return True

    assert engine.Threads(3).run(work) == [True] * 3
