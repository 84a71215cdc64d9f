"""The commands of the Makefile, of the service that runs the tests, and of pre-commit."""

import os
import re
import subprocess

import pytest
import yaml


def dry(root, target):
    """What make would run."""
    return make(root, "--dry-run", "--always-make", target)


def make(folder, *arguments, **variables):
    """What make prints."""
    environment = {k: v for k, v in os.environ.items() if k not in ("SEQLINE_DATA", "MAKEFLAGS")}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments], cwd=folder, env=environment | variables,
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


@pytest.mark.parametrize("target", ["run", "test", "check", "lock", "docs"])
def test_a_target_makes_the_environment_first(target, root):
    said = dry(root, target)
    assert said.index("-m venv --clear .venv") < said.index("touch .venv/.complete")
    assert "--find-links" in said
    assert said.index("touch .venv/.complete") < len(said) - 30


def test_clean_touches_no_data_result_or_registry(root):
    said = dry(root, "clean")
    assert not re.search(r"\b(data|artifacts|registry|state|report|\.dvc)\b", said)


def test_the_folder_of_real_corpora_reaches_the_tests(root, tmp_path):
    script = "test:\n\t@echo $$SEQLINE_DATA\n"
    (tmp_path / "Makefile").write_text((root / "Makefile").read_text().split("\ntest:")[0])
    with (tmp_path / "Makefile").open("a") as file:
        file.write(f"\n{script}")
    for folder in ("", str(tmp_path)):
        assert make(tmp_path, "test", SEQLINE_DATA=folder).strip() == folder


def test_the_service_runs_tests_then_checks(root):
    script = root / ".ci/run"
    assert os.access(script, os.X_OK)
    lines = script.read_text().splitlines()
    assert lines.index("make test") < lines.index("make check")
    assert subprocess.run(["bash", "-n", script], check=True).returncode == 0


def test_pre_commit_downloads_nothing(root):
    content = yaml.safe_load((root / ".pre-commit-config.yaml").read_text())
    assert [one["repo"] for one in content["repos"]] == ["local"]
    hooks = content["repos"][0]["hooks"]
    assert {hook["language"] for hook in hooks} == {"system"}
    assert all(hook["entry"].startswith(".venv/bin/") for hook in hooks)


def test_no_test_is_skipped_or_expected_to_fail(root):
    pattern = re.compile(r"pytest\.skip|mark\.skip|mark\.xfail|importorskip|pytest\.xfail")
    this = root / "tests/policies/test_make.py"
    for path in root.glob("tests/**/*.py"):
        assert path == this or not pattern.search(path.read_text()), path
