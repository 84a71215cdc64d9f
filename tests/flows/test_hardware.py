"""What params.yaml and machine.yaml ask of the hardware is compared with what there is."""

from pathlib import Path

import pytest

from flows.hardware import (
    capabilities,
    check_compiler,
    check_hardware,
    check_precision,
    cpu_flags,
)
from pipeline.machine import Machine
from pipeline.problems import Problem

NONE = "this processor has no instructions for bf16: "


@pytest.mark.parametrize(
    ("section", "precision", "gpus", "flags", "note"),
    [
        ("training", "fp32", [], set(), ""),
        ("training", "fp32", [(7, 5)], set(), ""),
        ("training", "bf16", [], {"avx2", "avx512_bf16"}, ""),
        ("training", "bf16", [], {"avx2"}, NONE + "training is many times slower than in fp32"),
        ("decoding", "bf16", [], {"avx2"}, NONE + "decoding is a fourth slower than in fp32"),
        ("training", "bf16", [(8, 0), (9, 0)], set(), ""),
    ],
)
def test_bf16_is_at_home_on_new_hardware_and_slow_on_an_old_processor(
    section: str, precision: str, gpus: list[tuple[int, int]], flags: set[str], note: str
) -> None:
    assert check_precision(section, precision, gpus, flags) == note


def test_a_gpu_that_cannot_compute_in_bf16_is_a_problem() -> None:
    with pytest.raises(Problem) as caught:
        check_precision("decoding", "bf16", [(9, 0), (7, 5)], set())
    assert str(caught.value) == (
        "params.yaml, decoding.precision: this GPU does not compute in bf16\n"
        "  found:  compute capability 7.5\n"
        "  remedy: precision: fp32; or a GPU of capability 8.0; or machine.yaml, device: cpu"
    )


def test_the_flags_are_those_of_the_first_core(tmp_path: Path) -> None:
    (tmp_path / "x86").write_text("processor\t: 0\nflags\t\t: fpu avx2\n\nflags\t: other\n")
    (tmp_path / "arm").write_text("processor\t: 0\nFeatures\t: fp bf16\n")
    (tmp_path / "other").write_text("hart: 0\n")
    assert [cpu_flags(tmp_path / name) for name in ("x86", "arm", "other")] == [
        {"fpu", "avx2"},
        {"fp", "bf16"},
        set(),
    ]
    assert cpu_flags(Path("/proc/cpuinfo"))


def test_a_gpu_that_is_asked_for_has_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    (tmp_path / "params.yaml").write_text("training: {precision: bf16}\n")
    assert capabilities() == []
    with pytest.raises(Problem, match="torch finds no GPU here"):
        check_hardware(Machine(device="cuda"))
    assert all(note.startswith(NONE) for note in check_hardware(Machine(device="cpu")))
    assert check_hardware(Machine(device="cuda", ray_address="10.0.0.1:6379")) == []


def test_whoever_asks_for_compiled_steps_needs_a_compiler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    for quiet in ("auto", False):
        check_compiler(Machine(compile=quiet), [])
    with pytest.raises(Problem) as caught:
        check_compiler(Machine(compile=True), [])
    assert str(caught.value) == (
        "machine.yaml, compile: torch.compile needs g++\n"
        "  found:  True\n"
        "  remedy: install it, name another in CXX, or set `auto` or `false`"
    )
    with pytest.raises(Problem, match="gcc or clang"):
        check_compiler(Machine(compile=True), [(9, 0)])
    (tmp_path / "other").write_text("#!/bin/sh\n")
    (tmp_path / "other").chmod(0o755)
    monkeypatch.setenv("CXX", "other")
    check_compiler(Machine(compile=True), [])
