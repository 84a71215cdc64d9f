"""dvc.yaml says what the code needs: no less, or results go stale; no more, or work is repeated."""

import ast
import copy
import importlib

import pytest
import yaml

from pipeline.training.finished import COLUMNS

STAGES = ["ingest", "clean", "pieces", "encode", "train", "decode", "evaluate", "package"]


def libraries_of(stage):
    """The names after versions.yaml in a stage's params."""
    return {
        name
        for entry in stage.get("params", [])
        if isinstance(entry, dict)
        for name in entry.get("versions.yaml", [])
    }


def sections_of(stage):
    return {entry for entry in stage.get("params", []) if isinstance(entry, str)}


def code_of(stage):
    return {dep for dep in stage["deps"] if dep.startswith("pipeline/")}


def data_of(stage):
    return {dep for dep in stage["deps"] if not dep.startswith("pipeline/")}


def outs_of(stage):
    entries = [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def faults(name, stage, root, closures):
    """What dvc.yaml and a stage's code disagree about, as sentences."""
    module = importlib.import_module(f"pipeline.stages.{name}")
    tree = ast.parse((root / "pipeline/stages" / f"{name}.py").read_text())
    versions = set(yaml.safe_load((root / "versions.yaml").read_text()))
    fields = {f"${{{key}}}" for key in paths(module.Settings)}
    pairs = {
        "code": (code_of(stage), closures[name].rooms()),
        "parameters": (sections_of(stage), set(module.Settings.model_fields)),
        "libraries": (libraries_of(stage), closures[name].libraries & versions),
        "data": (data_of(stage), folders(tree, "inputs") | fields),
    }
    return [
        f"{name}, {what}: {verb} {item}"
        for what, (stated, used) in pairs.items()
        for verb, items in (("forgotten", used - stated), ("not used", stated - used))
        for item in sorted(items)
    ]


def folders(tree, base):
    """Where a stage reads or writes: `inputs / "rows" / …` is `artifacts/rows`."""
    return {
        f"artifacts/{part}"
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        if base in (getattr(node.left, "id", None), getattr(node.left, "attr", None))
        for part in literals(node.right)
    }


def literals(node):
    """The strings that an expression may be: `"clean" if … else "rows"` is either."""
    if isinstance(node, ast.IfExp):
        return [*literals(node.body), *literals(node.orelse)]
    assert isinstance(node, ast.Constant), "the first part of a path is a literal"
    return [node.value]


def paths(settings, before=""):
    """Keys of the fields that hold a path: what lies there is read."""
    import pathlib

    found = set()
    for key, field in settings.model_fields.items():
        kind = field.annotation
        if kind is pathlib.Path:
            found.add(before + key)
        elif isinstance(kind, type) and hasattr(kind, "model_fields"):
            found |= paths(kind, f"{before}{key}.")
    return found


def test_the_graph_has_the_stages_of_the_line_in_order(graph):
    assert list(graph) == STAGES


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_states_its_code_parameters_libraries_and_data(name, graph, root, closures):
    assert faults(name, graph[name], root, closures) == []


@pytest.mark.parametrize("name", STAGES)
def test_forgetting_anything_that_a_stage_needs_is_found(name, graph, root, closures):
    for what, smaller in forgetful(graph[name]):
        assert any(what in fault for fault in faults(name, smaller, root, closures)), what


def forgetful(stage):
    """Every entry that can be forgotten, beside the stage without it."""
    for dep in stage["deps"]:
        yield dep, {**stage, "deps": [d for d in stage["deps"] if d != dep]}
    for section in sections_of(stage):
        yield section, {**stage, "params": [p for p in stage["params"] if p != section]}
    for library in libraries_of(stage):
        smaller = copy.deepcopy(stage)
        smaller["params"][-1]["versions.yaml"].remove(library)
        yield library, smaller


@pytest.mark.parametrize("name", STAGES)
def test_a_dependency_too_many_is_found(name, graph, root, closures):
    stage = graph[name]
    more = {
        **stage,
        "deps": [*stage["deps"], "pipeline/nothing.py", "artifacts/nothing"],
        "params": [*stage["params"], "nothing"],
    }
    assert len(faults(name, more, root, closures)) == 3


@pytest.mark.parametrize("name", STAGES)
def test_deps_name_rooms_or_single_modules_never_files_inside_a_room(name, graph, root):
    own = f"pipeline/stages/{name}.py"
    for dep in code_of(graph[name]):
        assert (root / dep).exists(), dep
        inside = dep.endswith(".py") and dep.count("/") > 1
        assert not inside or dep == own, dep


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_writes_outs_and_nothing_else(name, graph, root):
    tree = ast.parse((root / "pipeline/stages" / f"{name}.py").read_text())
    tops = {"/".join(out.split("/")[:2]) for out in outs_of(graph[name])}
    assert folders(tree, "outputs") <= tops


def test_every_artifact_that_is_read_is_an_out_of_an_earlier_stage(graph):
    known = set()
    for name in STAGES:
        needed = {dep for dep in data_of(graph[name]) if dep.startswith("artifacts/")}
        assert needed <= known, name
        known |= outs_of(graph[name])


def test_plots_name_columns_that_the_curves_have(graph, root):
    [(curves, inside)] = [entry.popitem() for entry in graph["train"]["plots"]]
    outside = yaml.safe_load((root / "dvc.yaml").read_text())["plots"]
    plots = [fields for plot in outside for fields in plot.values()]
    named = [(inside["x"], curves, inside["y"])]
    named += [(plot["x"], path, y) for plot in plots for path, y in plot["y"].items()]
    assert {path for _, path, _ in named} == {"artifacts/curves.csv"}
    assert {x for x, _, _ in named} == {"step"}
    drawn = [y for _, _, found in named for y in (found if isinstance(found, list) else [found])]
    assert sorted(drawn) == sorted({*COLUMNS} - {"step"})


def test_every_out_is_cached_and_goes_before_its_stage_runs(graph):
    for stage in graph.values():
        entries = [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]
        for entry in entries:
            options = {} if isinstance(entry, str) else next(iter(entry.values()))
            assert "persist" not in options
            assert options.get("cache", True)


def test_a_stage_begins_with_its_inputs_and_outputs_drawn_as_a_tree(graph, root):
    for name in STAGES:
        tree = ast.parse((root / "pipeline/stages" / f"{name}.py").read_text())
        text = ast.get_docstring(tree) or ""
        drawn = [entry.split("/")[-1] for entry in outs_of(graph[name])]
        drawn += [dep.split("/")[-1] for dep in data_of(graph[name]) if not dep.startswith("$")]
        assert all(word in text for word in drawn), f"{name}: {drawn}"
