"""Package: weights, pieces and settings → a self-contained model folder.

artifacts/model/        model.json, weights.safetensors
artifacts/pieces/       piece models, normaliser
└─ package
   └─ artifacts/package/    what MLflow loads and serves, with the modules that it needs
"""

from importlib.metadata import version
from pathlib import Path

import pipeline.settings
from pipeline.decoding.decode import Decoding
from pipeline.machine import Machine
from pipeline.package.write import write_package
from pipeline.shards.encoding import Encoding

# Libraries whose version can change what the package predicts; the stage's `versions.yaml` params.
PINNED = ("mlflow", "numpy", "pyarrow", "safetensors", "sentencepiece", "torch")


class Settings(pipeline.settings.Settings):
    """What this stage reads of params.yaml."""

    decoding: Decoding
    """How the packaged model searches unless a request says otherwise."""
    encoding: Encoding
    """Of these, the bound of a source: longer ones are cut as they were for the tests."""


def run(settings: Settings, machine: Machine, inputs: Path, outputs: Path) -> None:
    """Write the package. The local suffix of a version (+cpu) is the machine's business."""
    write_package(
        outputs / "package",
        model=inputs / "model",
        pieces=inputs / "pieces",
        decoding=settings.decoding,
        max_source_pieces=settings.encoding.max_source_pieces,
        versions={name: version(name).split("+")[0] for name in PINNED},
    )
