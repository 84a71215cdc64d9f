import numpy as np
import pytest

from pipeline.problems import Problem
from pipeline.tensors import read_tensors, write_tensors


def test_arrays_come_back_and_the_same_arrays_are_the_same_bytes(tmp_path):
    arrays = {"b": np.arange(6, dtype=np.float32).reshape(2, 3).T, "a": np.array([1, 2])}
    write_tensors(tmp_path / "one", arrays)
    write_tensors(tmp_path / "two", dict(reversed(arrays.items())))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    found = read_tensors(tmp_path / "one")
    assert {name: value.tolist() for name, value in found.items()} == {
        "a": [1, 2],
        "b": [[0.0, 3.0], [1.0, 4.0], [2.0, 5.0]],
    }


def test_a_cut_file_is_a_problem_that_names_it(tmp_path):
    path = tmp_path / "weights.safetensors"
    write_tensors(path, {"a": np.zeros(100)})
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(Problem, match="no valid safetensors file") as caught:
        read_tensors(path)
    assert caught.value.where == str(path)


def test_a_missing_file_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="file not found"):
        read_tensors(tmp_path / "none")
