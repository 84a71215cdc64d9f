"""Warm start: the weights of a package, where they fit."""

import pytest

from pipeline.files import write_json
from pipeline.models.stored import write_model
from pipeline.problems import Problem
from pipeline.training.warmstart import take_start


def package(folder, model, digest="pieces"):
    write_model(folder / "model", model)
    write_json(folder / "model/pieces/pieces.json", {"digest": digest})
    return folder


def test_an_empty_folder_changes_nothing(engine, tmp_path):
    (tmp_path / ".gitkeep").write_text("")
    model = engine.tiny_model()
    before = engine.weights(model)
    take_start(model, tmp_path, "pieces")
    assert engine.largest_difference(engine.weights(model), before) == 0


def test_the_packages_weights_become_the_first_ones(engine, tmp_path):
    other = engine.tiny_model(seed=8)
    model = engine.tiny_model()
    take_start(model, package(tmp_path, other), "pieces")
    assert engine.largest_difference(engine.weights(model), engine.weights(other)) == 0


def test_other_pieces_are_a_problem(engine, tmp_path):
    with pytest.raises(Problem, match="other pieces"):
        take_start(engine.tiny_model(), package(tmp_path, engine.tiny_model(), "old"), "pieces")


def test_another_shape_is_a_problem(engine, tmp_path):
    with pytest.raises(Problem, match="do not fit"):
        take_start(engine.tiny_model("gru"), package(tmp_path, engine.tiny_model()), "pieces")
