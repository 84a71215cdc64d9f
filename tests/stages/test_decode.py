"""The stage decode: run in an empty folder, it writes a file a test set, the same on any cores."""

import json

import pyarrow as pa
import pytest

from pipeline.alignments import read_alignments
from pipeline.decoding.decode import Decoding
from pipeline.decoding.decode import decode as decode_ids
from pipeline.decoding.texts import hypotheses
from pipeline.machine import Machine
from pipeline.models.seq2seq import build
from pipeline.models.settings import ModelSettings
from pipeline.models.stored import read_model, write_model
from pipeline.normalise import Normaliser
from pipeline.outputs import read_outputs
from pipeline.pieces import TRAINERS
from pipeline.pieces.pieces import Pieces, write_pieces
from pipeline.problems import Problem
from pipeline.records import Row
from pipeline.rows import RowWriter, row_batch
from pipeline.shards.schema import EXAMPLES
from pipeline.shards.write import write_shards
from pipeline.stages import decode

TEXTS = [f"Hund {i} sieht {i * 7 % 11} Katzen im Haus Nummer {i * i}" for i in range(40)]
NAMES = ["flickr"] * 7 + ["coco"] * 4
SETTINGS = decode.Settings(
    decoding={
        "search": {
            "kind": "beam", "beam_size": 3, "max_length_ratio": 0, "max_length_extra": 6,
        },
        "n_best": 2,
    }
)  # fmt: skip


def row(number, corpus):
    references = (f"dog {number}", f"a  dog\u00a0{number}")
    return Row(
        f"{corpus}:{number}", corpus, "test", f"g:{number}", TEXTS[number], references[0],
        references, "de", "en",
    )  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Rows, pieces, shards and an untrained model, as the earlier stages leave them."""
    folder = tmp_path_factory.mktemp("artifacts")
    trainer = TRAINERS["bpe"](vocabulary=300)
    write_pieces(folder / "pieces", (trainer.train(TEXTS),), Normaliser())
    pieces = Pieces.read(folder / "pieces")
    rows = [row(number, corpus) for number, corpus in enumerate(NAMES)]
    with RowWriter(folder / "rows" / "test") as writer:
        writer.write(row_batch(rows))
    sources = pieces.encode_source([one.source for one in rows])
    sources[2] = [*sources[2][:4], 3]  # cut, as encode cuts what is too long
    columns = [[one.id for one in rows], sources, pieces.encode_target(["x"] * len(rows))]
    batch = pa.record_batch(columns, schema=EXAMPLES)
    write_shards(
        folder / "shards" / "test", [batch], shard_rows=8, block_rows=4, pieces_digest=pieces.digest
    )
    part = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 16}
    settings = ModelSettings(
        width=16, front={"kind": "ids"}, encoder=part, decoder=part, generator={"kind": "softmax"}
    )
    write_model(folder / "model", build(settings, 300, 300, shared=True, precision="bf16", seed=1))
    return folder


@pytest.fixture(scope="module")
def written(inputs, tmp_path_factory):
    """The stage's outs, made by one process."""
    outputs = tmp_path_factory.mktemp("out")
    decode.run(SETTINGS, Machine(data_processes=1, decode_batch=2, device="cpu"), inputs, outputs)
    return outputs


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}


def test_each_test_set_is_a_file_with_its_rows_byte_for_byte(written):
    assert sorted(files(written)) == [
        "alignments/coco.jsonl", "alignments/flickr.jsonl",
        "hypotheses/coco.jsonl", "hypotheses/flickr.jsonl",
    ]  # fmt: skip
    outputs = read_outputs(written / "hypotheses")
    found = [one for corpus in ("flickr", "coco") for one in outputs[corpus]]
    for number, (one, corpus) in enumerate(zip(found, NAMES, strict=True)):
        expected = row(number, corpus)
        assert (one.id, one.corpus, one.group) == (expected.id, corpus, expected.group)
        assert (one.source, one.references) == (expected.source, expected.references)
        assert (one.source_language, one.target_language) == ("de", "en")
        assert 1 <= len(one.hypotheses) <= 2
        assert all(hypothesis.pieces <= 6 for hypothesis in one.hypotheses)


def test_hypotheses_are_those_of_each_text_alone_but_for_cut_sources(inputs, written):
    rows = [row(number, corpus) for number, corpus in enumerate(NAMES)]
    model = read_model(inputs / "model", precision="fp32")
    pieces = Pieces.read(inputs / "pieces")
    sources = pieces.encode_source([one.source for one in rows])
    found = decode_ids(model, sources, SETTINGS.decoding.search, n_best=2, batch_sentences=1)
    texts = hypotheses(pieces, found, "s / n, EOS counts in n")
    outputs = read_outputs(written / "hypotheses")
    found = [one.hypotheses for corpus in ("flickr", "coco") for one in outputs[corpus]]
    for number, (one, again) in enumerate(zip(found, texts, strict=True)):
        if number != 2:
            assert [h.text for h in one] == [h.text for h in again]
            assert one[0].score == pytest.approx(again[0].score, abs=1e-4)


def test_the_first_rows_of_each_test_set_are_aligned(written):
    outputs = read_outputs(written / "hypotheses")
    for corpus, lines in read_alignments(written / "alignments").items():
        assert [one.id for one in lines] == [one.id for one in outputs[corpus][:4]]
        for one, output in zip(lines, outputs[corpus], strict=False):
            assert output.source.startswith("".join(one.source))  # the third was cut
            assert "".join(one.target) == output.text
            assert len(one.target) == output.hypotheses[0].pieces
            assert (one.source[-1], one.target[-1]) == ("", "")
            assert all(sum(row) == pytest.approx(1, abs=0.01) for row in one.weights)
            assert {len(row) for row in one.weights} == {len(one.source)}


def test_how_many_rows_are_aligned_changes_nothing_else(inputs, written, tmp_path):
    settings = decode.Settings(decoding=SETTINGS.decoding.model_dump() | {"alignments": 0})
    decode.run(settings, Machine(data_processes=1, decode_batch=2, device="cpu"), inputs, tmp_path)
    assert read_alignments(tmp_path / "alignments") == {"coco": [], "flickr": []}
    assert files(tmp_path / "hypotheses") == files(written / "hypotheses")


def test_a_model_without_attention_has_no_alignments(inputs, tmp_path):
    for name in ("pieces", "shards", "rows"):
        (tmp_path / name).symlink_to(inputs / name)
    fixed = {"kind": "gru", "units": 8, "attention": {"kind": "none"}}
    encoder = {"kind": "gru", "units": 8}
    parts = {"front": {"kind": "ids"}, "encoder": encoder, "decoder": fixed}
    model = ModelSettings(width=16, **parts, generator={"kind": "softmax"})
    write_model(tmp_path / "model", build(model, 300, 300, shared=True, precision="fp32", seed=1))
    decode.run(SETTINGS, Machine(device="cpu"), tmp_path, tmp_path / "out")
    assert read_alignments(tmp_path / "out" / "alignments") == {"coco": [], "flickr": []}


def test_two_processes_write_the_same_bytes_as_one(inputs, written, tmp_path):
    decode.run(SETTINGS, Machine(data_processes=2, decode_batch=2, device="cpu"), inputs, tmp_path)
    assert files(tmp_path) == files(written)


def test_only_what_is_allowed_is_written_and_the_batch_changes_no_bit(inputs, tmp_path):
    search = {"kind": "beam", "beam_size": 3}
    allowed = {"kind": "texts", "texts": ["Hund", "Hund 3", "Katzen im Haus"]}
    settings = decode.Settings(
        decoding={"search": search, "allowed": allowed, "n_best": 3, "batch_invariant": True}
    )
    for batch, processes in ((1, 1), (9, 2)):
        machine = Machine(data_processes=processes, decode_batch=batch, device="cpu")
        decode.run(settings, machine, inputs, tmp_path / str(batch))
    assert files(tmp_path / "1") == files(tmp_path / "9")
    for rows in read_outputs(tmp_path / "1" / "hypotheses").values():
        for one in rows:
            assert {hypothesis.text for hypothesis in one.hypotheses} == set(allowed["texts"])
            assert one.hypotheses[0].formula == "s / n, EOS counts in n"


def test_rows_without_their_sources_are_a_problem(inputs, tmp_path):
    for name in ("model", "pieces", "shards"):
        (tmp_path / name).symlink_to(inputs / name)
    with RowWriter(tmp_path / "rows" / "test") as writer:
        writer.write(row_batch([row(0, "flickr")]))
    with pytest.raises(Problem, match="1 test rows have 11 encoded sources"):
        decode.run(SETTINGS, Machine(device="cpu"), tmp_path, tmp_path / "out")


def test_shards_of_other_pieces_are_a_problem(inputs, tmp_path):
    for name in ("model", "rows", "shards"):
        (tmp_path / name).symlink_to(inputs / name)
    other = TRAINERS["bpe"](vocabulary=290)
    write_pieces(tmp_path / "pieces", (other.train(TEXTS),), Normaliser())
    with pytest.raises(Problem, match="made with other pieces") as caught:
        decode.run(SETTINGS, Machine(device="cpu"), tmp_path, tmp_path / "out")
    assert caught.value.where == str(tmp_path / "shards" / "test")


def test_a_gpu_that_is_not_there_is_a_problem(inputs, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    with pytest.raises(Problem, match="torch finds no GPU here") as caught:
        decode.run(SETTINGS, Machine(device="cuda"), inputs, tmp_path)
    assert caught.value.where == "machine.yaml, device"


def test_settings_are_the_section_decoding():
    assert list(decode.Settings.model_fields) == ["decoding"]
    assert isinstance(SETTINGS.decoding, Decoding)
    json.dumps(SETTINGS.model_dump())
