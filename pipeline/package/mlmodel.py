"""The few files that make a folder a model for MLflow, written as MLflow would, without a clock.

MLflow's own `save_model` stores the time, a random id, absolute paths and the installed pip. These
are the fields that loading and serving need, and nothing else. `Model.load` and
`mlflow models serve` hold this to MLflow in the tests.
"""

import json
from collections.abc import Mapping
from importlib import resources
from string import Template

import yaml

PYTHON = "3.11"  # that of the project: syntax trees, and so digests, differ between versions

# How the libraries that a predictor imports are called where they are installed.
DISTRIBUTIONS = {"pydantic_core": "pydantic", "yaml": "pyyaml"}


def mlmodel(versions: Mapping[str, str], beam_size: int) -> str:
    """The file MLmodel: models-from-code, and the signature."""
    flavor = {
        "env": {"virtualenv": "python_env.yaml"},
        "loader_module": "mlflow.pyfunc.model",
        "model_code_path": "entry.py",
        "python_version": PYTHON,
        "streamable": False,
    }
    content = {
        "flavors": {"python_function": flavor},
        "mlflow_version": versions["mlflow"],
        "signature": _signature(beam_size),
    }
    return yaml.safe_dump(content, sort_keys=True)


def _signature(beam_size: int) -> dict[str, str]:
    """Texts in, texts out; how many and how hard to look may be said with each request.

    The input's type is `any` although only texts are taken: for `string` MLflow's server would turn
    a number, and even a null, into a text before the predictor can refuse it.
    """
    given = [{"type": "any", "required": True}]
    params = [
        {"name": name, "type": "long", "default": default, "shape": None}
        for name, default in (("n_best", 1), ("beam_size", beam_size))
    ]
    return {
        "inputs": json.dumps(given),
        "outputs": json.dumps([{"type": "string", "required": True}]),
        "params": json.dumps(params),
    }


def requirements(libraries: frozenset[str], versions: Mapping[str, str]) -> str:
    """What the package imports: with a version where the version can change a result."""
    names = sorted({"mlflow", *(DISTRIBUTIONS.get(name, name) for name in libraries)})
    lines = [f"{name}=={versions[name]}" if name in versions else name for name in names]
    return "".join(f"{line}\n" for line in lines)


def python_env() -> str:
    """The file python_env.yaml."""
    content = {"python": PYTHON, "dependencies": ["-r requirements.txt"]}
    return yaml.safe_dump(content, sort_keys=True)


def entry(name: str) -> str:
    """The file that MLflow runs, for a package whose modules are called `name`."""
    template = resources.files("pipeline.package").joinpath("entry.py.template")
    return Template(template.read_text(encoding="utf-8")).substitute(name=name)
