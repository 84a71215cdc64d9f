"""Pieces: what the texts are made of.

clean/train/  ─►  pieces/{joint.model | source.model, target.model}
                  pieces/pieces.json, manifest.json
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import SerializeAsAny

from pipeline.choose import chosen
from pipeline.files import empty_folder
from pipeline.fingerprints import mix
from pipeline.machine import Machine
from pipeline.normalise import Normaliser
from pipeline.pieces import TRAINERS
from pipeline.pieces.pieces import write_pieces
from pipeline.pieces.trainer import Trainer
from pipeline.rows import count_rows, read_rows
from pipeline.settings import Settings as Base
from pipeline.tasks import TASKS
from pipeline.tasks.task import COLUMNS, Task


class Settings(Base):
    """Parameters of the stage."""

    normaliser: Normaliser
    """How texts are normalised before they become pieces, here and wherever the model works."""
    pieces: Annotated[SerializeAsAny[Trainer], chosen(TRAINERS)]
    """What kind of pieces, and how many."""
    task: Annotated[SerializeAsAny[Task], chosen(TASKS)]
    """What a row becomes."""


def run(settings: Settings, machine: Machine, inputs: Path, outputs: Path) -> None:
    """Learn the pieces of a sample of the clean training rows."""
    rows = inputs / "clean" / "train"
    pieces = settings.pieces
    sides = [(pieces, ("source",)), (pieces.of_target(), ("target",))]
    models = tuple(
        trainer.train(_texts(rows, names, trainer.sample_rows, settings))
        for trainer, names in ([(pieces, ("source", "target"))] if pieces.shared else sides)
    )
    empty_folder(outputs / "pieces")
    write_pieces(outputs / "pieces", models, settings.normaliser)


def _texts(
    rows: Path, sides: tuple[str, ...], sample_rows: int, settings: Settings
) -> Iterator[str]:
    """Normalised texts of the sampled rows; a row is drawn by the hash of its place."""
    bound = min(sample_rows / max(count_rows(rows), 1), 1.0)
    first = 0
    for batch in read_rows(rows, COLUMNS):
        places = np.arange(first, first + batch.num_rows, dtype=np.uint64)
        drawn = mix(places + np.uint64(1)).astype(np.float64) * 2.0**-64 <= bound
        first += batch.num_rows
        examples = settings.task.examples(batch.filter(drawn))
        for side in sides:
            yield from settings.normaliser.array(examples[side]).to_pylist()
