"""Fixtures of the package's tests: pieces and an untrained model, as stages leave them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import Decoding
from pipeline.models.seq2seq import build
from pipeline.models.settings import ModelSettings
from pipeline.models.stored import write_model
from pipeline.normalise import Normaliser
from pipeline.package.write import write_package
from pipeline.pieces import TRAINERS
from pipeline.pieces.pieces import Pieces, write_pieces
from pipeline.settings import parse

DECODING = Decoding(search=Beam(beam_size=3, max_length_extra=4, max_length_ratio=0.5), n_best=2)
TEXTS = [f"{a} {b} {c}." for a in ("Ein", "Das") for b in ("Hund", "Kind") for c in ("lief", "aß")]
LAYER = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 16}
MODEL = {
    "width": 16,
    "front": {"kind": "ids"},
    "encoder": LAYER,
    "decoder": LAYER,
    "generator": {"kind": "softmax"},
    "embeddings": "tied",
}


@pytest.fixture(scope="session")
def outs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `pieces` and `model`."""
    folder = tmp_path_factory.mktemp("outs")
    trainer = TRAINERS["unigram"](vocabulary=276, threads=1, character_coverage=1.0)
    write_pieces(folder / "pieces", (trainer.train(TEXTS * 9),), Normaliser())
    size = Pieces.read(folder / "pieces").source_vocabulary
    settings = parse(ModelSettings, MODEL, "test")
    model = build(settings, size, size, shared=True, precision="fp32", seed=3)
    write_model(folder / "model", model)
    return folder


@pytest.fixture(scope="session")
def make_package(outs: Path) -> Callable[..., Path]:
    """Write a package of the model into a folder."""

    def make(folder: Path, decoding: Decoding = DECODING, max_source_pieces: int = 64) -> Path:
        write_package(
            folder,
            model=outs / "model",
            pieces=outs / "pieces",
            decoding=decoding,
            max_source_pieces=max_source_pieces,
            versions={"mlflow": "3.17.2", "torch": "2.13.0"},
        )
        return folder

    return make


@pytest.fixture(scope="session")
def package(make_package, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One package, not to be changed."""
    return make_package(tmp_path_factory.mktemp("package") / "package")
