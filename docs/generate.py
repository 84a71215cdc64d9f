"""Write docs/parameters.md, docs/machine.md and counts in docs/models.md: `make docs`.

A field's type, bounds, default and the text below it are the only place where a setting is
described; these pages show that place, so that they cannot disagree with it.
"""

import ast
import inspect
import types
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import annotated_types
import yaml
from pydantic.fields import FieldInfo

from pipeline.choose import Chosen
from pipeline.machine import Machine
from pipeline.registry.gate import Gate
from pipeline.registry.server import Registry
from pipeline.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
NOTE = (
    "<!-- Written by `make docs` from the settings classes: edit the text below a field there. -->"
)
PLAIN = {int: "integer", float: "number", str: "text", bool: "true or false", Path: "path"}
SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
LENGTHS = {"min_length": "≥", "max_length": "≤"}

PARAMETERS = """\
# Parameters

`params.yaml` says what the line makes: every key here may change the result. Unknown keys are
refused with the nearest known one. A stage runs again when a section that it reads has changed.
"""
MACHINE = """\
# Machine

`machine.yaml` says where the line runs and with how many hands. Nothing here changes a result
beyond rounding, so no stage runs again when it changes. What is missing has its default.
"""


class Choice(NamedTuple):
    """A field that names a member of a table: the key that holds the name, and the table."""

    key: str
    members: Mapping[str, type[Settings]]


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        (ROOT / "docs" / name).write_text(text)


def pages() -> dict[str, str]:
    """File name → text."""
    machine = "\n".join([NOTE, MACHINE, *table(Machine)]) + "\n"
    models = counts().written((ROOT / "docs" / "models.md").read_text())
    return {"parameters.md": parameters(), "machine.md": machine, "models.md": models}


def counts() -> types.ModuleType:
    """docs/counts.py, which is in no package."""
    spec = spec_from_file_location("counts", ROOT / "docs" / "counts.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parameters() -> str:
    """The page of all sections, in the order of the graph."""
    parts = [NOTE, PARAMETERS]
    for name, (found, readers) in sections().items():
        read = ", ".join(f"`{reader}`" for reader in readers)
        parts += [f"## {name}", ""]
        if isinstance(found, Choice):
            parts += [
                f"One member: {in_words(found)}. Read by {read}.",
                "",
                *described(name, found),
            ]
        else:
            parts += [f"{summary(found)} Read by {read}.", "", *section(name, found)]
    return "\n".join(parts).rstrip() + "\n"


def sections() -> dict[str, tuple[Any, list[str]]]:
    """Section → its settings class or table, and the stages or commands that read it."""
    found: dict[str, tuple[Any, list[str]]] = {}
    for stage in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]:
        fields = import_module(f"pipeline.stages.{stage}").Settings.model_fields
        for name, field in fields.items():
            [part] = parts_of(field)
            found.setdefault(name, (part, []))[1].append(stage)
    found["registry"] = (Registry, ["register", "gate", "promote", "rollback", "history"])
    found["gate"] = (Gate, ["gate"])
    return found


def section(name: str, kind: type[Settings]) -> list[str]:
    """A table of fields, and below it what stands in them: settings and members, at any depth."""
    lines = table(kind)
    for path, part in inside(kind, f"{name}."):
        lines += described(path, part)
    return lines


def described(path: str, part: Any) -> list[str]:
    """Settings or each member of a table, under a heading."""
    if not isinstance(part, Choice):
        return [f"### {path}", "", summary(part), "", *table(part)]
    lines: list[str] = []
    for name, member in part.members.items():
        lines += [f"### {path}, `{part.key}: {name}`", "", summary(member), "", *table(member)]
    return lines


def inside(kind: type[Settings], before: str = "", seen: tuple[Any, ...] = ()) -> Iterator[tuple]:
    """Settings and choices in the fields of `kind`, with the way to them; nothing twice."""
    for name, field in kind.model_fields.items():
        path = f"{before}{name}"
        for part in parts_of(field):
            key = part.members if isinstance(part, Choice) else part
            if any(key is other for other in seen):
                continue
            seen = (*seen, key)
            yield path, part
            members = part.members.values() if isinstance(part, Choice) else [part]
            for member in members:
                for deeper in inside(member, f"{path}.", seen):
                    found = deeper[1]
                    seen = (*seen, found.members if isinstance(found, Choice) else found)
                    yield deeper


def parts_of(field: FieldInfo) -> list[Any]:
    """The choices of a field, or else the settings classes in it."""
    choices = [c for c in map(choice, field.metadata) if c]
    found = list(walk(field.annotation))
    choices += [part for part in found if isinstance(part, Choice)]
    return choices or [part for part in found if not isinstance(part, Choice)]


def walk(annotation: Any) -> Iterator[Any]:
    """Choices and settings classes anywhere in an annotation."""
    for item in getattr(annotation, "__metadata__", ()):
        found = choice(item)
        if found:
            yield found
    if inspect.isclass(annotation) and issubclass(annotation, Settings):
        yield annotation
    for argument in get_args(annotation):
        yield from walk(argument)


def choice(item: object) -> Choice | None:
    """The table that a field names a member of."""
    if not isinstance(item, Chosen):
        return None
    return Choice(item.key, item.table() if callable(item.table) else item.table)


def table(kind: type[Settings]) -> list[str]:
    """The fields of a class as lines of a Markdown table."""
    said = meanings(kind)
    rows = [
        f"| `{name}` | {spelled(field)} | {default(field)} | {one_line(said.get(name))} |"
        for name, field in kind.model_fields.items()
    ]
    head = ["| key | value | default | meaning |", "|---|---|---|---|"]
    return [*head, *rows, ""] if rows else []


def meanings(kind: type[Settings]) -> dict[str, str]:
    """The strings below the fields of a class and of those that it derives from, by name."""
    found: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        if issubclass(one, Settings):
            [definition] = ast.parse(dedent(inspect.getsource(one))).body
            assert isinstance(definition, ast.ClassDef)
            found |= dict(filter(None, map(meaning, pairwise(definition.body))))
    return found


def meaning(statements: tuple[ast.stmt, ast.stmt]) -> tuple[str, str] | None:
    """A field's name and the string below it, where two statements are that."""
    match statements:
        case (
            ast.AnnAssign(target=ast.Name(id=name)),
            ast.Expr(value=ast.Constant(value=str(text))),
        ):
            return name, inspect.cleandoc(text)
        case _:
            return None


def spelled(field: FieldInfo) -> str:
    """A field's type and bounds in words."""
    choices = [c for c in map(choice, field.metadata) if c]
    text = in_words(choices[0]) if choices else in_words(field.annotation)
    limits = [bound(item) for item in field.metadata]
    return ", ".join([text, *filter(None, limits)])


def in_words(kind: Any) -> str:
    """A type as a reader of YAML would call it."""
    if isinstance(kind, Choice):
        return f"`{kind.key}`: " + " or ".join(kind.members)
    if kind is type(None):
        return "null"
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        found = [c for c in map(choice, kind.__metadata__) if c]
        limits = [bound(item) for item in kind.__metadata__]
        return ", ".join([in_words(found[0] if found else arguments[0]), *filter(None, limits)])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(in_words(argument) for argument in arguments)
    if origin is tuple and arguments[-1:] != (Ellipsis,):
        return "list: " + ", ".join(in_words(argument) for argument in arguments)
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return f"{in_words(arguments[0])} → {in_words(arguments[1])}"
    if inspect.isclass(origin) and issubclass(origin, Sequence):
        return f"list of {in_words(arguments[0])}"
    return PLAIN.get(kind, "keys, below")


def bound(item: object) -> str:
    """`≥ 1` of a constraint, or nothing."""
    if not isinstance(item, annotated_types.BaseMetadata | FieldInfo):
        return ""
    words = [(sign, getattr(item, name, None)) for name, sign in SIGNS.items()]
    words += [(f"length {sign}", getattr(item, name, None)) for name, sign in LENGTHS.items()]
    return ", ".join(f"{sign} {value}" for sign, value in words if value is not None)


def default(field: FieldInfo) -> str:
    """A field's default as YAML on one line."""
    if field.is_required():
        return "required"
    value = plain(field.get_default(call_default_factory=True))
    found = parts_of(field)
    if found and isinstance(found[0], Choice) and isinstance(value, dict):
        kinds = {member: name for name, member in found[0].members.items()}
        value = {found[0].key: kinds[type(field.default)], **value}
    text = yaml.safe_dump(value, default_flow_style=True, width=999, sort_keys=False)
    return f"`{text.splitlines()[0]}`"


def plain(value: Any) -> Any:
    """A default as what YAML can say."""
    if isinstance(value, Settings):
        return value.model_dump(mode="json")
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, tuple | frozenset):
        return [plain(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else value


def summary(kind: type[Settings]) -> str:
    """The first paragraph of a class's docstring."""
    return one_line((inspect.getdoc(kind) or "").split("\n\n")[0])


def one_line(text: str | None) -> str:
    """Text for a cell of a table."""
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
