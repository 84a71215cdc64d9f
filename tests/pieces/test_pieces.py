import shutil
import subprocess
import sys

import pyarrow as pa
import pytest

from pipeline.batches import batch
from pipeline.normalise import Normaliser
from pipeline.pieces.bpe import Bpe
from pipeline.pieces.ids import BOS, EOS, PAD, UNKNOWN
from pipeline.pieces.pieces import Pieces, write_pieces
from pipeline.pieces.unigram import Unigram
from pipeline.problems import Problem

GERMAN = [f"Der {a} Nummer {i} läuft." for i in range(60) for a in ("Hund", "Vogel")]
ENGLISH = [f"The {a} number {i} runs." for i in range(60) for a in ("dog", "bird")]
KINDS = {"unigram": Unigram, "bpe": Bpe}


def trainer(kind="unigram", **fields):
    return KINDS[kind](**{"vocabulary": 300, "threads": 1} | fields)


@pytest.fixture(scope="module")
def joint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joint")
    write_pieces(folder, (trainer().train(GERMAN + ENGLISH),), Normaliser())
    return folder


@pytest.fixture(scope="module")
def separate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("separate")
    models = (trainer(vocabulary=290).train(GERMAN), trainer(vocabulary=290).train(ENGLISH))
    write_pieces(folder, models, Normaliser())
    return folder


def test_a_source_ends_with_eos_and_a_target_is_bare(joint):
    pieces = Pieces.read(joint)
    (source,) = pieces.encode_source(["Der  Hund\u200b läuft. "])
    (target,) = pieces.encode_target(["Der Hund läuft."])
    assert source == [*target, EOS]
    assert not {PAD, UNKNOWN, BOS, EOS} & set(target)
    assert pieces.encode_source([""]) == [[EOS]]
    assert pieces.encode_target([]) == [] and pieces.decode([]) == []


def test_what_follows_eos_is_not_spoken(joint):
    pieces = Pieces.read(joint)
    (ids,) = pieces.encode_target(["The dog runs."])
    assert pieces.decode([[BOS, *ids, EOS, *ids], [PAD, *ids, PAD], [EOS], []]) == [
        "The dog runs.",
        "The dog runs.",
        "",
        "",
    ]


def test_an_arrow_array_gives_the_ids_that_its_texts_give(joint):
    pieces = Pieces.read(joint)
    texts = ["Der Hund", "  zwei\tLeerzeichen ", "a\u0308 ▁ \ue000", ""]
    assert pieces.source_ids(pa.array(texts)) == pieces.encode_source(texts)
    assert pieces.target_ids(pa.array(texts)) == pieces.encode_target(texts)


def test_separate_models_have_their_own_ids(separate):
    pieces = Pieces.read(separate)
    assert (pieces.shared, pieces.source_vocabulary, pieces.target_vocabulary) == (False, 290, 290)
    assert pieces.decode(pieces.encode_target(["The bird"])) == ["The bird"]
    assert pieces.decode_source(pieces.encode_source(["Der Vogel"])) == ["Der Vogel"]
    assert sorted(path.name for path in separate.iterdir()) == [
        "manifest.json", "pieces.json", "source.model", "target.model",
    ]  # fmt: skip


def test_the_digest_covers_models_and_normaliser(joint, tmp_path):
    model = (joint / "joint.model").read_bytes()
    write_pieces(tmp_path / "other", (model,), Normaliser(form="NFKC"))
    write_pieces(tmp_path / "again", (model,), Normaliser())
    digest = Pieces.read(joint).digest
    assert Pieces.read(tmp_path / "again").digest == digest
    assert Pieces.read(tmp_path / "other").digest != digest


@pytest.mark.parametrize("name", ["joint.model", "pieces.json"])
def test_an_altered_file_is_a_problem(joint, tmp_path, name):
    folder = tmp_path / "pieces"
    shutil.copytree(joint, folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(Problem, match="altered") as caught:
        Pieces.read(folder)
    assert caught.value.where == str(folder / name)


def test_half_a_surrogate_pair_is_a_problem_not_a_crash(joint):
    with pytest.raises(Problem, match="no valid text"):
        Pieces.read(joint).encode_source(["a\ud800b"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_texts_give_the_same_bytes_in_another_process(kind):
    code = (
        "import hashlib\n"
        "from pipeline.pieces.bpe import Bpe\nfrom pipeline.pieces.unigram import Unigram\n"
        f"texts = {GERMAN!r}\n"
        f"kind = {{'bpe': Bpe, 'unigram': Unigram}}[{kind!r}]\n"
        "model = kind(vocabulary=290, threads=2).train(texts)\n"
        "print(hashlib.sha256(model).hexdigest())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.strip()) == 64


def test_the_special_ids_are_those_of_batches():
    assert (PAD, UNKNOWN, BOS, EOS) == (batch.PAD, batch.UNKNOWN, batch.BOS, batch.EOS)
