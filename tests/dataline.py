"""The data stages in an empty folder: a small corpus through ingest, clean, pieces and encode."""

from pathlib import Path

from pipeline.machine import Machine
from pipeline.rows import read_rows, to_rows
from pipeline.settings import load
from pipeline.stages import clean, encode, ingest, pieces

STAGES = {"ingest": ingest, "clean": clean, "pieces": pieces, "encode": encode}
LANGUAGES = {"source_language": "de", "target_language": "en"}
ROLES = ("train", "valid", "test")

PARAMS = {
    "normaliser": {"form": "NFC", "whitespace": "collapse", "control": "remove"},
    "cleaning": {
        "rules": [
            {"kind": "empty"},
            {"kind": "too_long", "max_characters": 100},
            {"kind": "length_ratio", "max_ratio": 5.0, "min_characters": 20},
            {"kind": "same"},
            {"kind": "odd_script", "min_share": 0.5},
            {"kind": "duplicate"},
            {"kind": "leak", "leak_key": "source"},
        ]
    },
    "pieces": {"kind": "unigram", "vocabulary": 300, "threads": 1},
    "task": {"kind": "translation"},
    "encoding": {"max_source_pieces": 60, "max_target_pieces": 60},
}


def write_corpus(folder: Path, pairs: dict[str, list[tuple[str, str]]]) -> dict:
    """Two files a split; the section `corpora` that reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in pairs.items():
        for side, language in enumerate(("de", "en")):
            text = "".join(row[side] + "\n" for row in rows)
            (folder / f"{split}.{language}").write_bytes(text.encode())
    sources = [parallel(split, split) for split in pairs]
    return {"folder": str(folder), "sources": sources}


def parallel(name: str, role: str) -> dict:
    """A corpus of two files."""
    files = {"source": f"{name}.de", "target": f"{name}.en"}
    return {"name": name, "format": "parallel", "role": role, **files, **LANGUAGES}


def sentences(count: int, first: int = 0) -> list[tuple[str, str]]:
    """Distinct pairs that survive every rule."""
    animals = [("Hund", "dog"), ("Vogel", "bird"), ("Fisch", "fish"), ("Bär", "bear")]
    verbs = [("läuft", "runs"), ("schläft", "sleeps"), ("singt", "sings")]
    return [
        (
            f"Der {animals[i % 4][0]} Nummer {i} {verbs[i % 3][0]}.",
            f"The {animals[i % 4][1]} number {i} {verbs[i % 3][1]}.",
        )
        for i in range(first, first + count)
    ]


def corpus(folder: Path, train: list[tuple[str, str]] | None = None) -> dict:
    """Ten pairs each in valid and test, and `train` or 200 others."""
    rows = {"train": sentences(200) if train is None else train}
    return write_corpus(folder, rows | {"valid": sentences(10, 1000), "test": sentences(10, 2000)})


def run(folder: Path, corpora: dict, stages=tuple(STAGES), machine: dict | None = None, **params):
    """Run the stages; artifacts lie under the folder that is returned."""
    values = PARAMS | {"corpora": corpora} | params
    hands = Machine(state=folder / "state", **(machine or {"data_processes": 1}))
    for name in stages:
        settings = load(STAGES[name].Settings, Path("params.yaml"), values=values)
        STAGES[name].run(settings, hands, folder / "artifacts", folder / "artifacts")
    return folder / "artifacts"


def rows(folder: Path) -> list:
    """All rows of a folder of rows."""
    return [row for batch in read_rows(folder) for row in to_rows(batch)]
