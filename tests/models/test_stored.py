import json

import pytest
import torch

from pipeline.models.stored import read_model, write_model
from pipeline.problems import Problem


@pytest.fixture
def folder(tiny, tmp_path, combination):
    write_model(tmp_path, tiny.model_of(combination, precision="fp32"))
    return tmp_path


def test_a_stored_model_is_the_model(tiny, folder, combination):
    model, stored = tiny.model_of(combination, precision="fp32"), tiny.seeing(read_model(folder))
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "weights.safetensors"]
    assert stored.settings == model.settings
    pairs = zip(model.named_parameters(), stored.named_parameters(), strict=True)
    assert all(name == other and torch.equal(a, b) for (name, a), (other, b) in pairs)
    batch = tiny.batch(tiny.examples(3))
    assert torch.equal(tiny.loss(model, batch, None), tiny.loss(stored, batch, None))


def test_a_model_is_stored_as_the_same_bytes_twice(tiny, folder, combination, tmp_path):
    again = tmp_path / "again"
    write_model(again, read_model(folder))
    for name in ("model.json", "weights.safetensors"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_a_model_is_read_in_another_precision(folder):
    assert read_model(folder).precision == "fp32"
    assert read_model(folder, precision="bf16").table("target").dtype == torch.bfloat16
    assert next(read_model(folder, precision="fp64").parameters()).dtype == torch.float64


def test_weights_cut_in_half_are_a_problem(tiny, tmp_path):
    write_model(tmp_path, tiny.model_of("gru"))
    path = tmp_path / "weights.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(Problem, match="no valid safetensors file"):
        read_model(tmp_path)


def test_weights_of_another_model_are_a_problem(tiny, tmp_path):
    write_model(tmp_path / "gru", tiny.model_of("gru"))
    write_model(tmp_path / "other", tiny.model_of("transformer"))
    (tmp_path / "other" / "weights.safetensors").replace(tmp_path / "gru" / "weights.safetensors")
    with pytest.raises(Problem, match=r"weights do not belong to model\.json"):
        read_model(tmp_path / "gru")


def test_weights_of_another_shape_are_a_problem(tiny, tmp_path):
    write_model(tmp_path, tiny.model_of("gru"))
    facts = json.loads((tmp_path / "model.json").read_text())
    facts["settings"]["decoder"]["attention"]["attention_units"] = 4
    (tmp_path / "model.json").write_text(json.dumps(facts))
    with pytest.raises(Problem, match=r"has another shape than model\.json says"):
        read_model(tmp_path)


def test_a_missing_model_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="file not found"):
        read_model(tmp_path)
