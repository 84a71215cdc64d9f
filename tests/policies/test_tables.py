"""Every member of every table keeps the contract of members, whatever the table is about."""

import ast
import importlib
import inspect
import re
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from pipeline.choose import chosen
from pipeline.settings import Settings


def tables():
    """The literal dicts in the rooms' `__init__.py`, as (module, name, table)."""
    from pathlib import Path

    rooms = Path(importlib.import_module("pipeline").__file__).parent
    for path in sorted(rooms.rglob("__init__.py")):
        names = [
            target.id
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name) and target.id.isupper()
        ]
        module = ".".join(("pipeline", *path.parent.relative_to(rooms).parts))
        for name in names:
            yield module, name, getattr(importlib.import_module(module), name)


TABLES = list(tables())
MEMBERS = [
    pytest.param(module, table, kind, member, id=f"{table}-{kind}")
    for module, table, members in TABLES
    for kind, member in members.items()
]


def test_these_are_the_tables():
    assert {name for _, name, _ in TABLES} == {
        "READERS", "RULES", "TRAINERS", "TASKS", "METRICS",
        "FRONTS", "ENCODERS", "DECODERS", "GENERATORS", "ATTENTIONS",
        "SEARCHES", "NORMALISATIONS", "ALLOWED", "SCHEDULES", "OPTIMIZERS", "DECAYS", "SAMPLERS",
    }  # fmt: skip


@pytest.mark.parametrize(("module", "table", "kind", "member"), MEMBERS)
def test_a_member_is_its_own_settings_in_a_file_of_its_room(module, table, kind, member):
    assert issubclass(member, Settings)
    assert not inspect.isabstract(member)
    assert member.__module__.startswith(module)
    assert inspect.getdoc(member)
    assert kind == kind.lower()


@pytest.mark.parametrize(("module", "table", "kind", "member"), MEMBERS)
def test_every_field_of_a_member_says_what_it_is(module, table, kind, member, generator):
    assert member.model_fields.keys() - generator.meanings(member).keys() == set()


@pytest.mark.parametrize(("module", "table", "kind", "member"), MEMBERS)
def test_a_member_differs_from_all_others_of_its_table(module, table, kind, member):
    members = getattr(importlib.import_module(module), table)
    assert [other for other, found in members.items() if found is member] == [kind]


@pytest.mark.parametrize(("table", "members"), [pytest.param(*t[1:], id=t[1]) for t in TABLES])
def test_an_unknown_name_is_answered_with_the_nearest(table, members):
    name = next(iter(members))
    field = TypeAdapter(Annotated[Any, chosen(members)])
    with pytest.raises(ValidationError, match=f"did you mean '{name}'"):
        field.validate_python({"kind": name + "x"})


@pytest.mark.parametrize("table", [name for _, name, _ in TABLES])
def test_a_contract_test_runs_over_every_member_of_a_table(table, root):
    """Some test is parametrised by the table itself, so that a new member is in it by itself."""
    texts = [path.read_text() for path in root.glob("tests/**/test_*.py")]
    assert any(re.search(rf"parametrize\([^@]*?\b{table}\b", text) for text in texts)
