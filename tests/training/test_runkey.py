"""The run key: everything that determines weights, and nothing else; and the engine number."""

import shutil
from pathlib import Path

import pytest

from pipeline.problems import Problem
from pipeline.training import runkey


@pytest.fixture
def parts(engine, tmp_path):
    def make(*, shards="s", pieces="p", **changes):
        start = changes.pop("start", tmp_path / "none")
        start.mkdir(exist_ok=True)
        training = engine.training(**changes, start=str(start))
        model = engine.tiny_model().settings
        return runkey.key_parts(model, training, shards={"train": shards}, pieces=pieces)

    return make


def test_a_key_is_short_and_the_same_for_the_same_parts(parts):
    key = runkey.run_key(parts())
    assert key == runkey.run_key(parts())
    assert len(key) == 16
    assert int(key, 16) >= 0


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 2},
        {"precision": "bf16"},
        {"schedule": {"kind": "cosine", "peak_rate": 0.02, "warmup_steps": 3}},
        {"optimizer": {"kind": "adamw", "clip_norm": None}},
        {"shards": "other"},
        {"pieces": "other"},
    ],
)
def test_whatever_determines_weights_changes_the_key(parts, change):
    assert runkey.run_key(parts(**change)) != runkey.run_key(parts())


def test_another_kind_with_equal_fields_is_another_key(parts):
    kinds = [{"kind": kind, "peak_rate": 0.02, "warmup_steps": 3} for kind in ("linear", "cosine")]
    linear, cosine = (runkey.run_key(parts(schedule=kind)) for kind in kinds)
    assert linear != cosine


def test_a_warm_start_counts_by_its_content_not_its_place(parts, tmp_path):
    cold = runkey.run_key(parts())
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "weights").write_text("1")
        (folder / ".gitkeep").write_text("")
    warm = runkey.run_key(parts(start=first))
    assert warm != cold
    assert runkey.run_key(parts(start=second)) == warm
    (second / "weights").write_text("2")
    assert runkey.run_key(parts(start=second)) != warm


def test_a_start_that_is_not_there_is_a_problem(tmp_path):
    with pytest.raises(Problem, match=r"training\.start"):
        runkey.folder_digest(tmp_path / "absent")


def test_the_version_of_what_chooses_the_best_weights_counts_where_it_chooses(parts):
    assert sorted(parts(best_by="bleu")["versions"]) == ["numpy", "sacrebleu", "torch"]
    assert sorted(parts(best_by="chrf")["versions"]) == ["numpy", "sacrebleu", "torch"]
    assert sorted(parts(best_by="loss")["versions"]) == ["numpy", "torch"]
    assert sorted(parts(best_by="row_error_rate")["versions"]) == ["numpy", "torch"]


@pytest.mark.parametrize("room", ["batches", "decoding", "metrics", "models", "training"])
def test_the_digest_of_the_code_covers_what_makes_and_what_chooses_weights(
    room, tmp_path, monkeypatch
):
    package = tmp_path / "pipeline"
    shutil.copytree(Path(runkey.pipeline.__file__).parent, package)
    monkeypatch.setattr(runkey.pipeline, "__file__", str(package / "__init__.py"))
    before = runkey.rooms_digest()
    (package / room / "more.py").write_text("# a comment\n")
    comment = runkey.rooms_digest()
    (package / room / "more.py").write_text("ONE = 1\n")
    assert len({before, comment, runkey.rooms_digest()}) == 3


def test_the_record_holds_the_digests_of_every_code_that_worked_on_a_run(parts, tmp_path):
    assert runkey.recorded_rooms(tmp_path / "key") == []
    for code in ("one", "other", "other", "one"):
        runkey.write_record(tmp_path / "key", parts(), code)
    assert runkey.recorded_rooms(tmp_path / "key") == ["one", "other"]


# Sum, and sum of magnitudes, of all weights after five steps. Where these change, the mathematics
# of a step has changed: raise ENGINE, so that no run goes on from other mathematics, and write down
# the new ones beside it.
ENGINE_WEIGHTS = {
    1: {"transformer": (56.541012635, 447.458698752), "gru": (1.963078712, 378.786698653)},
    # Other bits of the same sums: products are added up in place, bf16 rounds no scale.
    2: {"transformer": (56.541012635, 447.458698752), "gru": (1.963078712, 378.786698653)},
}


@pytest.mark.parametrize("kind", ["transformer", "gru"])
def test_the_engine_number_is_raised_when_the_mathematics_change(engine, tmp_path, kind):
    examples = engine.write_examples(tmp_path / "examples")
    settings = engine.training(steps=5)
    model, _ = engine.run(tmp_path / "run", examples, settings, model=engine.tiny_model(kind))
    weights = [weight for _, weight in sorted(engine.weights(model).items())]
    found = sum(float(w.sum()) for w in weights), sum(float(w.abs().sum()) for w in weights)
    assert found == pytest.approx(ENGINE_WEIGHTS[runkey.ENGINE][kind], abs=1e-8)
