"""Law "package": the package predicts what the training code predicts.

The training code's way is the stages': encode (task, pieces, cut), search, pieces to text.
"""

from pathlib import Path

import pytest

from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import Decoding, decode
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.normalisation import Sum
from pipeline.decoding.texts import hypotheses
from pipeline.models.seq2seq import build
from pipeline.models.settings import ModelSettings
from pipeline.models.stored import read_model, write_model
from pipeline.normalise import Normaliser
from pipeline.package.load import load
from pipeline.package.write import write_package
from pipeline.pieces import TRAINERS
from pipeline.pieces.pieces import Pieces, write_pieces
from pipeline.records import Row
from pipeline.rows import row_batch
from pipeline.settings import parse
from pipeline.shards.encode import Encoder
from pipeline.tasks import TASKS

TEXTS = [f"{a} {b} {c}." for a in ("Ein", "Das") for b in ("Hund", "Kind") for c in ("lief", "aß")]
ASKED = ["Das Hund\tlief .", "", "Ein Kind aß. " * 9, "Unbekanntes: ß→日本"]
TRANSFORMER = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 16}
LIMIT = 12


def outs(folder: Path, parts: dict, normaliser: Normaliser) -> None:
    """Pieces and an untrained model, as the stages leave them."""
    trainer = TRAINERS["unigram"](vocabulary=276, threads=1, character_coverage=1.0)
    write_pieces(folder / "pieces", (trainer.train(TEXTS * 9),), normaliser)
    fields = {
        "width": 16,
        "front": {"kind": "ids"},
        "generator": {"kind": "softmax"},
        "embeddings": "tied",
        **parts,
    }
    settings = parse(ModelSettings, fields, "test")
    count = Pieces.read(folder / "pieces").source_vocabulary
    model = build(settings, count, count, shared=True, precision="fp32", seed=3)
    write_model(folder / "model", model)


def trained_code(folder: Path, decoding: Decoding) -> list[list[str]]:
    """What the stages encode and decode would find."""
    pieces = Pieces.read(folder / "pieces")
    rows = [
        Row(f"t:{n}", "t", "test", "t", text, "x", ("x",), "de", "en")
        for n, text in enumerate(ASKED)
    ]
    encoder = Encoder(pieces, TASKS["translation"](), LIMIT, 64)
    sources = encoder(row_batch(rows))["source"].to_pylist()
    model = read_model(folder / "model", precision=decoding.precision)
    found = decode(model, sources, decoding.search, n_best=decoding.n_best)
    return [[one.text for one in n_best] for n_best in hypotheses(pieces, found, "")]


def packaged(folder: Path, decoding: Decoding) -> list[list[str]]:
    write_package(
        folder / "package",
        model=folder / "model",
        pieces=folder / "pieces",
        decoding=decoding,
        max_source_pieces=LIMIT,
        versions={"mlflow": "3.17.2"},
    )
    found = load(folder / "package").predict(ASKED)
    return [[one.text for one in n_best] for n_best in found]


BOTH = {"encoder": TRANSFORMER, "decoder": TRANSFORMER}
GRU = {"encoder": {"kind": "gru"}, "decoder": {"kind": "gru"}}
COPYING = {"generator": {"kind": "pointer", "coverage": 1.0}, "ctc": {"weight": 0.3}}
BEAM = Decoding(search=Beam(beam_size=3, normalisation=Sum(), max_length_extra=4), n_best=3)


@pytest.mark.parametrize(
    ("parts", "decoding", "normaliser"),
    [
        (BOTH, BEAM, Normaliser()),
        (GRU, Decoding(search=Greedy(max_length_extra=4)), Normaliser(form="NFKC")),
        ({**BOTH, **COPYING}, BEAM, Normaliser()),
        ({**GRU, **COPYING}, BEAM, Normaliser()),
    ],
    ids=["transformer", "gru", "transformer, copying", "gru, copying"],
)
def test_a_package_predicts_what_the_stages_decode(tmp_path: Path, parts, decoding, normaliser):
    outs(tmp_path, parts, normaliser)
    assert packaged(tmp_path, decoding) == trained_code(tmp_path, decoding)
