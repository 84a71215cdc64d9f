"""Write a package: from outs and settings alone, the same bytes twice, without importing mlflow.

PACKAGE/
├─ MLmodel, python_env.yaml, requirements.txt    what MLflow reads
├─ entry.py                                      what MLflow runs
├─ code/seqline_DIGEST/                          the predictor and all that it imports
├─ model/                                        model.json, weights.safetensors, decoding.json,
│  └─ pieces/                                    piece models and normaliser
└─ manifest.json                                 every file's checksum, package_digest
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from pipeline.decoding.decode import Decoding
from pipeline.files import (
    canonical_json,
    checksum,
    digest,
    disk_problem,
    empty_folder,
    write_manifest,
)
from pipeline.package.closure import Closure, closure
from pipeline.package.mlmodel import entry, mlmodel, python_env, requirements

MODEL_FILES = ("model.json", "weights.safetensors")


def write_package(
    folder: Path,
    *,
    model: Path,
    pieces: Path,
    decoding: Decoding,
    max_source_pieces: int,
    versions: Mapping[str, str],
) -> str:
    """Make the package in `folder`; returns its digest.

    `versions` are those of mlflow and of the libraries whose version can change a result.
    """
    code = closure()
    empty_folder(folder)
    facts = {
        "decoding": decoding.model_dump(mode="json", exclude={"alignments"}),
        "max_source_pieces": max_source_pieces,
        "score": str(decoding.search.formula()),
    }
    texts = {
        "MLmodel": mlmodel(versions, decoding.search.most()),
        "entry.py": entry(code.name),
        "model/decoding.json": canonical_json(facts, indent=2) + "\n",
        "python_env.yaml": python_env(),
        "requirements.txt": requirements(code.libraries, versions),
    }
    modules = {f"code/{code.name}/{path}": text for path, text in code.renamed().items()}
    try:
        _copy(folder / "model", model, pieces)
        _write(folder, texts)
        package_digest = _digest(folder, code)
        _write(folder, modules)
    except OSError as error:
        raise disk_problem(error, folder) from error
    write_manifest(folder, package_digest=package_digest, modules=code.name)
    return package_digest


def _copy(folder: Path, model: Path, pieces: Path) -> None:
    shutil.copytree(pieces, folder / "pieces")
    for name in MODEL_FILES:
        shutil.copyfile(model / name, folder / name)


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    """Plain files: the manifest, which is written last and flushed, vouches for all of them."""
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())


def _digest(folder: Path, code: Closure) -> str:
    """What the package does: all files as they are, the modules without what they only say."""
    files = {
        path.relative_to(folder).as_posix(): checksum(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return digest({"files": files, "code": code.digest})
