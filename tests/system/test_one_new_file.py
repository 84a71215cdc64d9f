"""A reader, a cleaning rule, a metric, an encoder: each costs one new file and its line in a table.

All four are added to a copy of the project and really used there: the stages read, clean and score
with them, and a model is built with the encoder, trained for a step, and searched.
"""

import json
import os
import shutil
import subprocess
import sys

import pytest

READER = '''
"""Word lists, German and English around an equals sign. Example: "Haus = house"."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from pipeline.arrow import RecordBatch
from pipeline.corpora.filed import PARTS, FileCorpus
from pipeline.corpora.lines import read_lines


class WordList(FileCorpus):
    """One file with a pair a line."""

    file: Path
    """The file, relative to corpora.folder."""

    def files(self, folder: Path) -> tuple[Path, ...]:
        """The one file."""
        return (folder / self.file,)

    def parts(self, folder: Path) -> Iterator[RecordBatch]:
        """Rows of the file."""
        for lines in read_lines(folder / self.file, self.line_end):
            pairs = [line.split(" = ") for line in lines.to_pylist()]
            rows = [(source, target, [target], None) for source, target in pairs]
            yield pa.RecordBatch.from_arrays(
                [pa.array(column, field.type) for column, field in zip(zip(*rows), PARTS)],
                schema=PARTS,
            )
'''

RULE = '''
"""Shouting: the source has capitals only. Example: "ACHTUNG"."""

from pipeline.arrow import Array, RecordBatch
from pipeline.arrow import compute as pc
from pipeline.cleaning.rule import RowRule


class Shouting(RowRule):
    """Drop rows whose source is written in capitals."""

    def drop(self, rows: RecordBatch) -> Array:
        """See `RowRule`."""
        return pc.utf8_is_upper(rows["source"])
'''

METRIC = '''
"""The share of hypotheses that begin with the letter with which a reference begins."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.metric import Statistics
from pipeline.settings import Settings


class FirstLetter(Settings):
    """Share of right first letters, 0 to 1."""

    higher_is_better: ClassVar[bool] = True

    def statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], language: str
    ) -> Statistics:
        """[1 if it is right, 1] of every row."""
        pairs = zip(hypotheses, references, strict=True)
        rows = [[float(text[:1] in {r[:1] for r in accepted}), 1.0] for text, accepted in pairs]
        return Statistics(np.array(rows), "letters:1")

    def score(self, sums: NDArray[np.float64]) -> float:
        """Right ones over rows."""
        return float(sums[0] / sums[1])

    def sentence(self, row: NDArray[np.float64]) -> float:
        """1 or 0."""
        return self.score(row)
'''

ENCODER = '''
"""An encoder without order: each position keeps its vector, the summary is their mean."""

import torch
from torch import nn

from pipeline.models.linear import Linear
from pipeline.models.parts import Encoder, EncoderSettings, Examples
from pipeline.models.seam import Memory, Vectors


class BagSettings(EncoderSettings):
    """A projection of every position."""

    def check(self, width: int) -> None:
        """Any width does."""

    def longest(self) -> int | None:
        """Any number of positions."""

    def build(self, width: int) -> Encoder:
        """The encoder with weights that are not yet filled."""
        return Bag(width)


class Bag(Encoder):
    """states = tanh(W vectors)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.states = Linear(width, width)

    def forward(self, vectors: Vectors, examples: Examples) -> Memory:
        """States in the layout of the vectors."""
        states = torch.tanh(self.states(vectors.values))
        layout = vectors.layout
        sums = layout.pad(states).sum(1)
        return Memory(states, layout, sums / layout.device_lengths[:, None], vectors.ids)
'''

# Table → (file of the member, its text, the import, its line).
NEW = {
    "corpora": ("word_list", READER, "WordList", '"word_list": WordList,', "READERS"),
    "cleaning": ("shouting", RULE, "Shouting", '"shouting": Shouting,', "RULES"),
    "metrics": ("first_letter", METRIC, "FirstLetter", '"first_letter": FirstLetter,', "METRICS"),
    "models": ("bag", ENCODER, "BagSettings", '"bag": BagSettings,', "ENCODERS"),
}

USE = """
import json
from pathlib import Path

import torch
import yaml

from pipeline.batches.collate import batch_of
from pipeline.decoding.decode import decode
from pipeline.decoding.greedy import Greedy
from pipeline.machine import Machine
from pipeline.models.seam import Chance
from pipeline.models.seq2seq import build
from pipeline.models.settings import ModelSettings
from pipeline.outputs import Output, write_outputs
from pipeline.records import Hypothesis
from pipeline.settings import load, parse
from pipeline.stages import clean, evaluate, ingest

out = Path("artifacts")
write_outputs(out / "hypotheses/test.jsonl", [
    Output("test:1", "test", "test:1", "Baum", ("tree",), "de", "en",
           (Hypothesis("trees", -1.0, -1.0, 2),)),
    Output("test:2", "test", "test:2", "Hund", ("dog",), "de", "en",
           (Hypothesis("cat", -1.0, -1.0, 2),)),
])
for stage in (ingest, clean, evaluate):
    stage.run(load(stage.Settings, Path("params.yaml")), Machine(data_processes=1), out, out)

settings = parse(ModelSettings, yaml.safe_load(Path("params.yaml").read_text())["model"], "params")
model = build(settings, 12, 12, shared=True, precision="fp32", seed=1)
import numpy as np
ids = [np.array([5, 6, 3]), np.array([7, 3])]
batch = batch_of(ids, [np.array([8]), np.array([9, 10])], np.array([0, 1]))
loss = sum(model.losses(batch, Chance(1, 1)).values())
loss.backward()
missing = [name for name, weight in model.named_parameters() if weight.grad is None]
found = decode(model, ids, Greedy(), batch_sentences=2)
print(json.dumps({"encoder": type(model.encoder).__name__, "loss": loss.item() > 0,
                  "missing": missing, "found": len(found)}))
"""

WORDS = "".join(
    f"{german} = {english}\n"
    for german, english in [
        ("Haus", "house"), ("ACHTUNG", "attention"), ("Baum", "tree"), ("Hund", "dog"),
    ]
)  # fmt: skip


def source(role):
    file = {"train": "words.txt", "valid": "valid.txt", "test": "test.txt"}[role]
    languages = {"source_language": "de", "target_language": "en"}
    return {"name": role, "format": "word_list", "role": role, "file": file, **languages}


@pytest.fixture(scope="module")
def used(tmp_path_factory, root):
    """A copy of the project with four members more, after their use; what the use printed."""
    import yaml

    copy = tmp_path_factory.mktemp("project")
    shutil.copytree(root / "pipeline", copy / "pipeline", ignore=shutil.ignore_patterns("*.pyc"))
    for room, (stem, text, name, line, table) in NEW.items():
        add_member(copy / "pipeline" / room, stem, text, name, line, table)
    words = copy / "data/words"
    words.mkdir(parents=True)
    (words / "words.txt").write_text(WORDS)
    (words / "valid.txt").write_text("Katze = cat\n")
    (words / "test.txt").write_text("Maus = mouse\n")
    params = yaml.safe_load((root / "params.yaml").read_text())
    roles = [source(role) for role in ("train", "valid", "test")]
    params["corpora"] = {"folder": "data/words", "sources": roles}
    params["cleaning"] |= {"rules": [{"kind": "shouting"}], "limits": {}}
    params["evaluation"]["metrics"] = ["exact_match", "first_letter"]
    params["model"]["encoder"] = {"kind": "bag"}
    (copy / "params.yaml").write_text(yaml.safe_dump(params))
    # The copy comes before the installed project on the path: `python -c` looks here first.
    done = subprocess.run(
        [sys.executable, "-c", USE], cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return copy, json.loads(done.stdout.splitlines()[-1])


def add_member(room, stem, text, name, line, table):
    """One new file, and the member's line in the table beside its import."""
    (room / f"{stem}.py").write_text(text.lstrip())
    init = room / "__init__.py"
    lines = init.read_text().splitlines()
    first = next(
        n for n, found in enumerate(lines) if found.startswith(f"from pipeline.{room.name}")
    )
    lines.insert(first, f"from pipeline.{room.name}.{stem} import {name}")
    opened = next(n for n, found in enumerate(lines) if found.startswith(f"{table}:"))
    lines.insert(opened + 1, f"    {line}")
    init.write_text("\n".join(lines) + "\n")


def test_the_new_reader_made_the_rows(used):
    folder, _ = used
    ledger = json.loads((folder / "artifacts/ledgers/ingest.json").read_text())["ledgers"]
    assert {one["corpus"]: one["kept"] for one in ledger} == {"train": 4, "valid": 1, "test": 1}


def test_the_new_rule_dropped_and_its_name_is_the_reason(used):
    folder, _ = used
    [ledger] = json.loads((folder / "artifacts/ledgers/clean.json").read_text())["ledgers"]
    assert (ledger["rows_in"], ledger["kept"], ledger["dropped"]) == (4, 3, {"shouting": 1})


def test_the_new_metric_stands_among_the_metrics(used):
    folder, _ = used
    metrics = json.loads((folder / "artifacts/metrics.json").read_text())
    assert metrics == {"test": {"exact_match": 0.0, "first_letter": 0.5}}


def test_the_new_encoder_was_trained_and_searched(used):
    _, printed = used
    assert printed == {"encoder": "Bag", "loss": True, "missing": [], "found": 2}


def test_nothing_else_was_changed(used, root):
    folder, _ = used
    ours = {p.relative_to(root): p for p in (root / "pipeline").rglob("*.py")}
    theirs = {p.relative_to(folder): p for p in (folder / "pipeline").rglob("*.py")}
    added = {str(path) for path in theirs.keys() - ours.keys()}
    changed = {str(p) for p in ours if ours[p].read_text() != theirs[p].read_text()}
    assert added == {f"pipeline/{room}/{new[0]}.py" for room, new in NEW.items()}
    assert changed == {f"pipeline/{room}/__init__.py" for room in NEW}
