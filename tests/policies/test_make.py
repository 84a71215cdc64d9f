"""The commands of the Makefile, of the service that runs the tests, and of pre-commit."""

import os
import re
import subprocess

import pytest
import yaml


def dry(root, *arguments, **variables):
    """What make would run."""
    environment = {k: v for k, v in os.environ.items() if k not in ("SEQLINE_DATA", "MAKEFLAGS")}
    return subprocess.run(
        ["make", "--dry-run", "--always-make", *arguments],
        cwd=root, env=environment | variables, capture_output=True, text=True, check=True,
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


def test_tests_on_real_corpora_are_left_out_where_there_are_none(root):
    said = dry(root, "test", SEQLINE_DATA="")
    assert 'pytest -q -m "not data"' in said
    assert "are left out" in said


def test_tests_on_real_corpora_run_where_a_folder_is_named(root, tmp_path):
    said = dry(root, "test", SEQLINE_DATA=str(tmp_path))
    assert '"not data"' not in said
    assert str(tmp_path) in said


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
