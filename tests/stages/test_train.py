"""The stage train before it trains; whole trainings are in tests/system."""

import os
import socket
from typing import get_args

import pyarrow as pa
import pytest

from pipeline.batches.collate import open_examples
from pipeline.job import valid_score, work
from pipeline.machine import Machine
from pipeline.metrics.bleu import Tokenizer
from pipeline.metrics.evaluation import Evaluation, evaluate
from pipeline.normalise import Normaliser
from pipeline.outputs import Output
from pipeline.pieces import TRAINERS
from pipeline.pieces.pieces import write_pieces
from pipeline.problems import Problem
from pipeline.records import Hypothesis
from pipeline.seats import Seat
from pipeline.shards.read import open_shards
from pipeline.shards.schema import EXAMPLES
from pipeline.shards.write import write_shards
from pipeline.stages import train
from pipeline.training import finished, lease, runkey
from pipeline.training.lease import take_lease
from pipeline.training.progress import read
from pipeline.training.run import Outcome
from pipeline.training.settings import BleuTokenizer
from pipeline.training.state import TrainingState

PART = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 16}
SETTINGS = train.Settings(
    model={
        "width": 8, "front": {"kind": "ids"}, "encoder": PART, "decoder": PART,
        "generator": {"kind": "softmax"},
    },
    training={
        "steps": 10, "tokens_per_step": 100,
        "schedule": {"kind": "linear", "peak_rate": 0.01, "warmup_steps": 2},
        "optimizer": {"kind": "adamw"}, "validate_every_steps": 5, "checkpoint_every_steps": 5,
    },
)  # fmt: skip


def test_shards_of_other_pieces_are_a_problem(dataline, tmp_path):
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"))
    machine = Machine(state=tmp_path / "state")
    job, _ = train.job_of(SETTINGS, machine, out)
    assert job.folder == tmp_path / "state" / job.key
    trainer = TRAINERS["bpe"](vocabulary=299)
    other = trainer.train([source for source, _ in dataline.sentences(50)])
    write_pieces(out / "pieces", (other,), Normaliser())
    with pytest.raises(Problem, match="made with other pieces") as caught:
        train.job_of(SETTINGS, machine, out)
    assert caught.value.where == str(out / "shards" / "train")


def test_sequences_longer_than_learned_positions_are_a_problem_before_the_first_step(
    dataline, tmp_path
):
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"))
    machine = Machine(state=tmp_path / "state")
    longest = max(open_shards(out / "shards" / split).longest for split in ("train", "valid"))

    def settings(**limits):
        parts = {
            part: PART | {"positions": "learned", "max_positions": limits.get(part, 200)}
            for part in ("encoder", "decoder")
        }
        model = SETTINGS.model.model_dump() | parts
        return train.Settings(model=model, training=SETTINGS.training)

    train.job_of(settings(encoder=longest[0]), machine, out)
    with pytest.raises(Problem, match=f"longer than the {longest[0] - 1} positions") as caught:
        train.job_of(settings(encoder=longest[0] - 1), machine, out)
    assert caught.value.where == "params.yaml, model.encoder"
    assert f"to {longest[0]} at least" in caught.value.remedy
    with pytest.raises(Problem, match="positions that the decoder takes"):
        train.job_of(settings(decoder=5), machine, out)


def test_ids_beyond_the_vocabulary_are_a_problem_before_the_first_step(dataline, tmp_path):
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"))
    train_shards = open_shards(out / "shards" / "train")
    rows = train_shards.block(0).to_pylist()
    rows[3]["target"][0] = 300
    block = pa.RecordBatch.from_pylist(rows, schema=EXAMPLES)
    sizes = {"shard_rows": 65536, "block_rows": 1024}
    digest = train_shards.pieces_digest
    write_shards(out / "shards" / "train", [block], **sizes, pieces_digest=digest)
    with pytest.raises(Problem, match="a target id is beyond the vocabulary") as caught:
        train.job_of(SETTINGS, Machine(state=tmp_path / "state"), out)
    assert caught.value.value == f"300 in example {rows[3]['id']}"


def in_language(dataline, folder, *languages):
    """The artifacts of a corpus whose valid rows have targets in these languages."""
    corpora = dataline.corpus(folder / "corpora")
    valid = next(one for one in corpora["sources"] if one["name"] == "valid")
    corpora["sources"].remove(valid)
    corpora["sources"] += [
        valid | {"name": f"valid_{to}", "target_language": to} for to in languages
    ]
    return dataline.run(folder, corpora, cleaning={"rules": []})


def test_validation_cuts_words_by_the_target_language_as_evaluation_does(dataline, tmp_path):
    hypotheses, references = ["我们走吧，朋友", "好"], ["我们走吧，朋友", "好吗"]

    def scores(*languages, **training):
        out = in_language(dataline, tmp_path / "-".join(languages), *languages)
        _, bleu = valid_score(
            open_examples(out / "shards" / "valid"),
            train.Training(**SETTINGS.training.model_dump() | training),
        )
        return bleu(hypotheses, references)

    def tested(language, **fields):
        rows = [
            Output("", "", "", "", (reference,), "", language, (Hypothesis(text, 0.0, 0.0, 1),))
            for text, reference in zip(hypotheses, references, strict=True)
        ]
        return evaluate(Evaluation(metrics=[{"kind": "bleu", **fields}]), rows).scores["bleu"].value

    assert scores("zh") == tested("zh") != tested("en")
    assert scores("en") == scores("en", "zh") == tested("en")
    assert scores("en", bleu_tokenizer="char") == tested("en", tokenizer="char") != tested("en")


def test_a_tokenizer_that_is_not_installed_is_a_problem_before_the_first_step(dataline, tmp_path):
    out = in_language(dataline, tmp_path, "ja")
    with pytest.raises(Problem, match="not installed") as caught:
        train.job_of(SETTINGS, Machine(state=tmp_path / "state"), out)
    assert caught.value.where == "params.yaml, training.bleu_tokenizer"
    assert caught.value.remedy == "pip install 'sacrebleu[ja]', or training.bleu_tokenizer: char"


def test_validation_has_every_tokenizer_that_the_tests_have():
    assert get_args(BleuTokenizer) == get_args(Tokenizer)


def started_from(folder):
    """SETTINGS with an empty folder to start from."""
    folder.mkdir()
    training = SETTINGS.training.model_copy(update={"start": folder})
    return SETTINGS.model_copy(update={"training": training})


def test_a_run_that_another_trains_is_left_as_it_is(dataline, tmp_path):
    """A living process, our parent, holds its lease: not even its record is written anew."""
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"))
    settings, machine = started_from(tmp_path / "none"), Machine(state=tmp_path / "state")
    job, _ = train.job_of(settings, machine, out)
    parent = os.getppid()
    take_lease(job.folder, f"{socket.gethostname()}:{parent}:{lease._started(parent)}")
    runkey.write_record(job.folder, {}, "theirs")
    before = files(job.folder)
    with pytest.raises(Problem, match="being trained by another process"):
        train.run(settings, machine, out, tmp_path / "out")
    assert files(job.folder) == before


def test_a_finished_run_says_where_other_code_worked_on_it(dataline, tmp_path, capsys):
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"))
    machine, outputs = Machine(state=tmp_path / "state"), tmp_path / "out"
    settings = started_from(tmp_path / "none")
    job, parts = train.job_of(settings, machine, out)

    def write(folder):
        for name in ("model.json", "weights.safetensors"):
            (folder / name).write_text("{}")

    def said(*codes):
        (job.folder / "record.json").unlink(missing_ok=True)
        for code in codes:
            runkey.write_record(job.folder, parts, code)
        train.run(settings, machine, out, outputs)
        return capsys.readouterr().out.splitlines()

    finished.keep(job.folder, job.key, Outcome(TrainingState(), True, {}), write)
    ours = runkey.rooms_digest()
    used = f"run {job.key} is finished: its result is used"
    assert said(ours) == [used]
    now = f"now {ours[:16]}"
    assert said() == [used, f"  other code worked on it: digest unknown, {now}"]
    assert said("a", "b") == [used, f"  other code worked on it: digest a b, {now}"]
    assert said("a", ours)[1].startswith("  other code worked on it: digest a ")
    assert (outputs / "model" / "model.json").read_text() == "{}"


def test_a_worker_stops_when_its_driver_wishes_and_goes_on_to_a_result_that_is_kept(
    dataline, tmp_path
):
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"))
    settings, machine = started_from(tmp_path / "none"), Machine(state=tmp_path / "state")
    job, _ = train.job_of(settings, machine, out)
    work(Seat(0, 1, "cpu", stop=lambda: True), job)
    assert [record.note for record in read(job.folder) if record.note] == ["started", "stopped"]
    assert not finished.is_finished(job.folder)
    job, _ = train.job_of(settings, machine, out)  # of another driver, whom nobody stops
    work(Seat(0, 1, "cpu"), job)
    assert finished.is_finished(job.folder)
    assert [record.note for record in read(job.folder) if record.note][2:] == [
        "resumed", "finished",
    ]  # fmt: skip


def test_a_worker_tells_what_its_machine_makes_of_the_steps(dataline, tmp_path):
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"))
    job, _ = train.job_of(started_from(tmp_path / "none"), Machine(state=tmp_path / "state"), out)
    work(Seat(0, 1, "cpu"), job)
    told = [record.values for record in read(job.folder) if record.kind == "train"]
    assert {"gradient_norm", "mfu", "padding", "tokens_per_second", "waiting_share"} <= {*told[0]}
    assert all(0 <= values["padding"] < 0.5 for values in told)
    columns = (job.folder / "finished" / "curves.csv").read_text().splitlines()[0].split(",")
    assert [name for name in columns if not name.startswith("gradient_")] == [
        "step",
        "train_loss",
        "valid_loss",
        "valid_score",
        "rate",
    ]


@pytest.mark.system
def test_a_run_that_is_kept_in_a_store_comes_from_a_host_with_which_no_folder_is_shared(
    bucket, dataline, tmp_path, monkeypatch, capsys
):
    """To the same bytes as one that is kept here; another workspace finds it finished."""
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"))
    settings = started_from(tmp_path / "none")
    jobs = []

    def worked(work, job, crew):
        jobs.append(job)
        work(Seat(0, 1, "cpu"), job)

    monkeypatch.setattr(train, "train_workers", worked)
    train.run(settings, Machine(state=tmp_path / "here"), out, tmp_path / "expected")

    machine = Machine(state="s3://tests/state", cache=tmp_path / "cache")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        train.run(settings, machine, out, tmp_path / name / "outs")
        found = {path.name: content for path, content in files(tmp_path / name / "outs").items()}
        expected = files(tmp_path / "expected")
        assert found == {path.name: content for path, content in expected.items()}
    assert len(jobs) == 2
    for name in ("a", "b"):
        folder = tmp_path / name / "state" / jobs[1].key
        assert runkey.recorded_rooms(folder) == [runkey.rooms_digest()]
    assert not jobs[1].work_folder.exists()
    notes = [record.note for record in read(tmp_path / "a" / "state" / jobs[1].key) if record.note]
    assert notes == ["started", "finished"]
    assert f"run {jobs[1].key} is finished: its result is used" in capsys.readouterr().out

    bucket.kill()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Problem, match="the store does not answer"):
        train.run(settings, machine, out, tmp_path / "c")


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
