"""Several packages as one predictor: an ensemble, for a request.

Their models are read with the code at hand, as a warm start reads them, and must write with the
same pieces; searches, bounds and precision are those of the first.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.decoding.decode import Decoding
from pipeline.decoding.ensemble import Ensemble
from pipeline.files import read_json, read_manifest
from pipeline.models.stored import read_model
from pipeline.package.predictor import DECODING, Predictor
from pipeline.pieces.pieces import Pieces
from pipeline.problems import Problem
from pipeline.settings import parse


def together(folders: Sequence[Path]) -> Predictor:
    """The predictor of the packages' mean distribution."""
    for folder in folders:
        read_manifest(folder)
    models = [folder / "model" for folder in folders]
    pieces = [Pieces.read(folder / "pieces") for folder in models]
    for folder, other in zip(folders, pieces, strict=True):
        if other.digest != pieces[0].digest:
            raise Problem(
                "the models of an ensemble need the same pieces",
                where=str(folder),
                value=f"other pieces than those of {folders[0]}",
                remedy="take versions that were trained with the same pieces",
            )
    facts: dict[str, Any] = read_json(models[0] / DECODING)
    decoding = parse(Decoding, facts["decoding"], str(models[0] / DECODING))
    ensemble = Ensemble([read_model(one, precision=decoding.precision) for one in models])
    return Predictor(ensemble, pieces[0], decoding, facts["max_source_pieces"])
