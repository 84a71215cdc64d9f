"""Warm start: the first weights are those of a package (`seqline start-from VERSION`)."""

from pathlib import Path

from pipeline.files import read_json
from pipeline.problems import Problem
from pipeline.training.checkpoint import load_tensors
from pipeline.training.weights import Learner, set_weights


def take_start(model: Learner, folder: Path, pieces_digest: str) -> None:
    """Copy the weights of the package in `folder` into `model`; an empty folder changes nothing.

    A Problem where ids mean other pieces there, or where the weights are of other shapes.
    """
    if not any(path for path in folder.iterdir() if not path.name.startswith(".")):
        return
    found = read_json(folder / "model" / "pieces" / "pieces.json")["digest"]
    if found != pieces_digest:
        raise Problem(
            "the package to start from has other pieces: its ids mean something else",
            where=str(folder),
            value=found[:16],
            remedy="start from a version with the same corpora, normaliser and pieces, "
            "or set training.start to data/none",
        )
    path = folder / "model" / "weights.safetensors"
    remedy = "start from a model of the same shape, or set training.start to data/none"
    set_weights(model, load_tensors(path), where=str(path), remedy=remedy)
