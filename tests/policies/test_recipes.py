"""Recipes are complete params files: each is valid for every stage and every command."""

import importlib

import pytest
import yaml

from pipeline.settings import load, read_yaml

RECIPES = [
    "cmudict-g2p",
    "multi30k-de-en",
    "multi30k-de-en-gru",
    "multi30k-de-en-quick",
    "multi30k-en-de",
    "sample-de-en",
    "scan-jump",
    "scan-length",
    "scan-simple",
    "sigmorphon-bg",
    "sigmorphon-fr",
    "sigmorphon-ko",
    "transformer-base-en-de",
]


def keys(value, before=""):
    """Every key at any depth, with the way to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"{before}{key}"
            yield from keys(inner, f"{before}{key}.")
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, before)


def test_these_are_the_recipes(root):
    assert sorted(path.stem for path in (root / "recipes").iterdir()) == RECIPES


def test_the_project_starts_with_the_sample(root):
    assert read_yaml(root / "params.yaml") == read_yaml(root / "recipes/sample-de-en.yaml")
    assert (root / "params.yaml").read_bytes() == (root / "recipes/sample-de-en.yaml").read_bytes()


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_fits_every_stage(recipe, root, graph):
    for stage in graph:
        module = importlib.import_module(f"pipeline.stages.{stage}")
        load(module.Settings, root / "recipes" / f"{recipe}.yaml")


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_fits_the_registry_and_the_gate(recipe, root):
    from pipeline.registry.gate import Gate
    from pipeline.registry.server import Registry
    from pipeline.settings import parse

    content = read_yaml(root / "recipes" / f"{recipe}.yaml")
    parse(Registry, content["registry"], recipe)
    parse(Gate, content["gate"], recipe)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_has_the_sections_of_the_graph_and_no_other(recipe, root, graph):
    used = {p for stage in graph.values() for p in stage["params"] if isinstance(p, str)}
    content = yaml.safe_load((root / "recipes" / f"{recipe}.yaml").read_text())
    assert set(content) == used | {"registry", "gate"}


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_parameter_has_a_name_that_the_run_cache_ignores(recipe, root):
    content = yaml.safe_load((root / "recipes" / f"{recipe}.yaml").read_text())
    assert {key for key in keys(content) if key.split(".")[-1] in {"size", "nfiles"}} == set()
