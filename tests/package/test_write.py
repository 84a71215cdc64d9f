"""A package is the same bytes twice, holds what it needs, and is known by what it does."""

import subprocess
import sys
from pathlib import Path

from pipeline.decoding.decode import Decoding
from pipeline.files import read_json, read_manifest
from pipeline.package import closure as closures
from pipeline.package.closure import closure


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_two_packagings_of_one_model_are_equal_byte_for_byte(make_package, package, tmp_path):
    assert contents(make_package(tmp_path / "again")) == contents(package)


def test_a_package_holds_these_files(package):
    name = closure().name
    code = {f"code/{name}/{path}" for path in closure().sources}
    assert set(contents(package)) - code == {
        "MLmodel",
        "entry.py",
        "manifest.json",
        "model/decoding.json",
        "model/model.json",
        "model/pieces/joint.model",
        "model/pieces/manifest.json",
        "model/pieces/pieces.json",
        "model/weights.safetensors",
        "python_env.yaml",
        "requirements.txt",
    }
    assert f"code/{name}/package/predictor.py" in code
    assert (package / "requirements.txt").read_text() == (
        "jaxtyping\nmlflow==3.17.2\nnumpy\npyarrow\npydantic\npyyaml\nsafetensors\n"
        "sentencepiece\ntorch==2.13.0\n"
    )
    assert read_json(package / "model" / "decoding.json")["decoding"]["search"]["kind"] == "beam"


def test_the_modules_of_a_package_import_nothing_of_ours_but_themselves(package):
    name = closure().name
    for path in (package / "code").rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        imports = [line.strip() for line in lines if line.strip().startswith(("from ", "import "))]
        assert not [line for line in imports if line.split()[1].split(".")[0] == "pipeline"], path
        assert name.startswith("seqline_")


def test_settings_change_the_digest_and_comments_do_not(
    make_package, package, tmp_path, monkeypatch
):
    longer = make_package(tmp_path / "longer", max_source_pieces=65)
    digest = read_manifest(package)["package_digest"]
    assert read_manifest(longer)["package_digest"] != digest
    read = Path.read_text

    def commented(path: Path, *arguments, **named) -> str:
        text = read(path, *arguments, **named)
        return f"{text}\n# Nothing.\n" if path.name == "predictor.py" else text

    monkeypatch.setattr(closures.Path, "read_text", commented)
    again = make_package(tmp_path / "commented")
    monkeypatch.undo()
    assert read_manifest(again)["package_digest"] == digest
    assert contents(again) != contents(package)


def test_what_is_drawn_in_the_report_is_no_part_of_a_package(make_package, package, tmp_path):
    facts = read_json(package / "model" / "decoding.json")["decoding"]
    assert "alignments" not in facts
    others = Decoding(**facts, alignments=9)
    assert contents(make_package(tmp_path / "again", others)) == contents(package)


def test_a_package_is_written_without_importing_mlflow():
    code = "import sys, pipeline.stages.package; sys.exit('mlflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
