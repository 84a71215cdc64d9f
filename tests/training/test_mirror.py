"""The mirror: a run in a folder that a store is kept like, on a real server that speaks S3."""

import shutil
import threading
import time

import pytest
import torch

import pipeline.store as store_of
import pipeline.training.mirror as mirror_of
from pipeline.problems import Problem
from pipeline.store import Store, complete
from pipeline.training.checkpoint import every, load
from pipeline.training.claim import take_claim
from pipeline.training.fetched import Progress, fetch_finished, followed, parted
from pipeline.training.finished import is_finished, keep
from pipeline.training.fit import fit
from pipeline.training.lease import LostLeaseError, this_process
from pipeline.training.mirror import Mirror, mirrored
from pipeline.training.progress import FILE, ProgressFile, read

pytestmark = pytest.mark.system
RUN = Store("s3://tests/state/key")


@pytest.fixture(autouse=True)
def often(monkeypatch):
    """Looks come quickly, so that a short run has many."""
    monkeypatch.setattr(mirror_of, "LOOK", 0.05)


@pytest.fixture(scope="module")
def examples(engine, tmp_path_factory):
    return engine.write_examples(tmp_path_factory.mktemp("examples"))


def train(engine, examples, folder, *, at_step=None, settings=None):
    """A run in `folder` that is kept in the store; `at_step(number)` is called before each step."""
    model, begun = engine.tiny_model(), set()
    original = model.losses

    def losses(batch, chance):
        if at_step and chance is not None and chance.step not in begun:
            begun.add(chance.step)
            at_step(chance.step)
        return original(batch, chance)

    model.losses = losses
    with mirrored(folder, RUN, this_process()) as mirror:
        place = engine.Place(folder, this_process(), 40, 1e9, mirror.stop)
        outcome = fit(
            model, examples, settings or engine.training(), place,
            validate=engine.Loss(examples),
            keep=lambda outcome: keep(folder, "key", outcome, written),
        )  # fmt: skip
        mirror.end(finished=outcome.finished)
    return engine.weights(model)


def written(folder):
    (folder / "model.json").write_text("{}")
    (folder / "weights.safetensors").write_text("")


class KilledError(BaseException):
    """As good as a SIGKILL: nothing is put away."""


def killed_at(number):
    def at_step(step):
        if step == number:
            raise KilledError

    return at_step


def there(kind):
    return sorted(number for k, number in map(parted, complete(RUN.listed())) if k == kind)


def same(ours, theirs):
    return all(torch.equal(ours[name], theirs[name]) for name in theirs)


def notes(folder):
    return [record.note for record in read(folder) if record.note]


def test_the_store_ends_as_the_folder_does_and_a_driver_elsewhere_has_the_result(
    bucket, engine, examples, tmp_path
):
    driver = tmp_path / "driver"
    fetch_finished(RUN, driver)
    assert not is_finished(driver)
    progress = Progress(RUN, driver)
    progress.begin()
    with followed(progress):
        train(engine, examples, tmp_path / "a")
    checkpoints = [path.name for path in reversed(every(tmp_path / "a" / "checkpoints"))]
    assert (
        there("checkpoints")
        == checkpoints
        == ["00000005", "00000010", "00000012"][-len(checkpoints) :]
    )
    assert there("best") == [path.name for path in reversed(every(tmp_path / "a" / "best"))]
    assert (driver / FILE).read_bytes() == (tmp_path / "a" / FILE).read_bytes()
    assert notes(driver) == ["started", "finished"]
    fetch_finished(RUN, driver)
    assert is_finished(driver)


def test_another_host_goes_on_from_the_store_to_the_same_bits(bucket, engine, examples, tmp_path):
    expected, _ = engine.run(tmp_path / "undisturbed", examples, engine.training())
    with pytest.raises(KilledError):
        train(engine, examples, tmp_path / "a", at_step=killed_at(9))
    shutil.rmtree(tmp_path / "a")  # the host is gone, with its disk
    found = train(engine, examples, tmp_path / "b")
    assert same(found, engine.weights(expected))
    assert notes(tmp_path / "b") == ["started", "resumed", "finished"]


def test_a_store_that_is_away_stops_no_step_and_has_everything_afterwards(
    bucket, engine, examples, tmp_path
):
    """The server is killed, and comes back empty."""
    expected, _ = engine.run(tmp_path / "undisturbed", examples, engine.training())

    def at_step(step):
        if step == 4:
            bucket.kill()
            until(lambda: any("nothing can be uploaded" in note for note in notes(tmp_path / "a")))
        if step == 12:
            bucket.start()
            until(lambda: any("uploading again" in note for note in notes(tmp_path / "a")))

    found = train(engine, examples, tmp_path / "a", at_step=at_step)
    assert same(found, engine.weights(expected))
    assert there("checkpoints") == [p.name for p in reversed(every(tmp_path / "a" / "checkpoints"))]
    assert there("finished") == ["finished"]
    assert [note.partition(":")[0].partition(",")[0] for note in notes(tmp_path / "a")] == [
        "started", "nothing can be uploaded", "uploading again", "finished",
    ]  # fmt: skip


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_a_store_that_is_away_when_a_team_starts_is_waited_for(
    bucket, engine, examples, tmp_path, monkeypatch
):
    """It was there when the run began: its driver looked."""
    bucket.kill()
    monkeypatch.setattr(store_of, "PATIENCE", 0.0)
    with pytest.raises(Problem, match="the store does not answer"):
        train(engine, examples, tmp_path / "a")
    monkeypatch.setattr(store_of, "PATIENCE", 60.0)
    timer = threading.Timer(1.0, bucket.start)
    timer.start()
    train(engine, examples, tmp_path / "a")
    timer.join()
    assert there("finished") == ["finished"]


def test_a_store_that_stays_away_keeps_a_finished_run_and_lets_a_stopped_one_go(
    bucket, engine, tmp_path, monkeypatch
):
    mirror = Mirror(tmp_path, take_claim(RUN, this_process()))
    ProgressFile(tmp_path).append(3, "event", note="started")
    bucket.kill()
    monkeypatch.setattr(mirror_of, "PATIENCE", 0.0)
    monkeypatch.setattr(mirror_of, "PATIENCE_AT_A_STOP", 0.0)
    with pytest.raises(Problem, match="the store does not answer"):
        mirror.end(finished=True)
    mirror.end(finished=False)
    assert notes(tmp_path)[-1].startswith("stopped; what was made last is only on this host")


def test_a_checkpoint_that_is_torn_in_the_store_is_told_and_the_one_before_is_used(
    bucket, engine, examples, tmp_path
):
    expected, _ = engine.run(tmp_path / "undisturbed", examples, engine.training())
    with pytest.raises(KilledError):
        train(engine, examples, tmp_path / "a", at_step=killed_at(11))
    (name,) = [n for n in RUN.listed() if n.startswith("checkpoints/00000010") and "weights" in n]
    content = RUN.read(name)
    RUN.write(name, content[:-1] + bytes([content[-1] ^ 1]))
    found = train(engine, examples, tmp_path / "b")
    assert same(found, engine.weights(expected))
    assert any("checkpoint 00000010 skipped" in note for note in notes(tmp_path / "b"))
    assert (tmp_path / "b" / "checkpoints" / "torn-00000010").is_dir()


def test_half_an_upload_is_no_checkpoint(bucket, engine, examples, tmp_path):
    with pytest.raises(KilledError):
        train(engine, examples, tmp_path / "a", at_step=killed_at(11))
    (name,) = [n for n in RUN.listed() if n.startswith("checkpoints/00000010") and "manifest" in n]
    RUN.delete(name)
    train(engine, examples, tmp_path / "b")
    assert not any("skipped" in note for note in notes(tmp_path / "b"))


def test_a_trainer_that_was_left_behind_ends_and_its_words_count_no_more(
    bucket, engine, examples, tmp_path
):
    def at_step(step):
        if step == 7:
            take_claim(RUN, this_process())
            time.sleep(0.3)

    with pytest.raises(LostLeaseError, match="another trainer has taken over"):
        train(engine, examples, tmp_path / "a", at_step=at_step)


def test_what_is_removed_while_it_is_uploaded_is_no_fault(bucket, engine, examples, tmp_path):
    engine.run(tmp_path / "a", examples, engine.training())
    mirror = Mirror(tmp_path / "a", take_claim(RUN, this_process()))
    path = every(tmp_path / "a" / "checkpoints")[0]
    with mirror_of._held(path) as held:
        shutil.rmtree(path)
        assert load(held).state.step == 12
    with mirror_of._held(path) as held:
        assert held is None
    mirror.look()
    assert path.name not in there("checkpoints")


def test_the_progress_is_sent_in_pieces_that_grow_and_read_in_their_order(
    bucket, tmp_path, monkeypatch
):
    monkeypatch.setattr(mirror_of, "SEGMENT", 200)
    file, driver = ProgressFile(tmp_path), Progress(RUN, tmp_path / "driver")
    driver.begin()
    mirror = Mirror(tmp_path, take_claim(RUN, this_process()))
    for step in range(12):
        file.append(step, "event", note="x" * 20)
        mirror.look()
        driver.look()
        assert (tmp_path / "driver" / FILE).read_bytes() == (tmp_path / FILE).read_bytes()
    assert len(RUN.listed("progress")) > 3
    again = tmp_path / "again"
    Progress(RUN, again).begin()
    assert (again / FILE).read_bytes() == (tmp_path / FILE).read_bytes()
