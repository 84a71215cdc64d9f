"""Settings: what can be set, parsed once at the border.

Every settings class derives from `Settings`: frozen, unknown fields forbidden. `load` reads YAML
and turns whatever does not fit into one Problem with file, key, value and remedy.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from pipeline.choose import nearest
from pipeline.problems import Problem

# DVC's run-cache ignores parameters of these names and would restore another value's output
# (dvc issue 10296).
FORBIDDEN_NAMES = frozenset({"size", "nfiles"})


class Settings(BaseModel):
    """Base of all settings: frozen, no unknown fields.

    The string below a field documents it. `docs/generate.py` reads these strings from the source:
    pydantic would do so for every class in every process, a tenth of what most take to start.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse the names that DVC's run-cache would silently ignore."""
        bad = FORBIDDEN_NAMES & set(cls.model_fields)
        if bad:
            raise TypeError(f"{cls.__name__}: DVC ignores parameters named {sorted(bad)}; rename")


S = TypeVar("S", bound=Settings)


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as a dict; a Problem where it is missing, broken or no mapping."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Problem(
            "file not found", where=str(path), remedy="restore it: git checkout"
        ) from None
    except OSError as error:
        remedy = "it has to be a file that you may read"
        raise Problem(f"cannot read: {error.strerror}", where=str(path), remedy=remedy) from None
    except UnicodeDecodeError as error:
        raise Problem("not UTF-8", where=f"{path}, byte {error.start}") from None
    try:
        value = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise Problem(f"broken YAML: {error.problem}", where=f"{path}{line}") from None
    except (yaml.YAMLError, ValueError) as error:  # a day that no month has, a number too long
        raise Problem(f"broken YAML: {error}", where=str(path)) from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Problem("expected keys and values", where=str(path), value=value)
    return cast(dict[str, Any], value)


def load(kind: type[S], path: Path, *, values: Mapping[str, Any] | None = None) -> S:
    """The settings of `kind` from the file's sections of the same names as its fields.

    Other sections of the file belong to others and are left alone. `values` stands in for the
    file's content where it was already read.
    """
    content = read_yaml(path) if values is None else values
    missing = [
        name
        for name, field in kind.model_fields.items()
        if field.is_required() and name not in content
    ]
    if missing:
        raise Problem(
            f"section '{missing[0]}' is missing",
            where=str(path),
            remedy=f"add it; {nearest(missing[0], map(str, content))}",
        )
    return parse(kind, {k: v for k, v in content.items() if k in kind.model_fields}, str(path))


def parse(kind: type[S], values: Mapping[str, Any], where: str) -> S:
    """`values` as settings of `kind`, or one Problem that names key, value and remedy."""
    for place, key in _odd_keys(values):
        raise Problem(
            "a key is no text",
            where=f"{where}, {place}" if place else where,
            value=key,
            remedy="put it in quotes: YAML takes on, off, yes and no for truth values",
        )
    try:
        return kind(**values)
    except ValidationError as error:
        raise _problem(kind, error, where) from None


def _odd_keys(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Keys that are no strings, anywhere in the value, and the place of their mapping."""
    if isinstance(value, Mapping):
        mapping = cast(Mapping[object, object], value)
        yield from ((place, key) for key in mapping if not isinstance(key, str))
        items = mapping.items()
    else:
        items = enumerate(cast(list[object], value)) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _odd_keys(inner, f"{place}.{key}" if place else str(key))


def _problem(kind: type[Settings], error: ValidationError, where: str) -> Problem:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"])
    remedy = "see the field's comment in the settings class, or docs/parameters.md"
    if first["type"] == "extra_forbidden":
        names = _sibling_names(kind, first["loc"])
        remedy = nearest(str(first["loc"][-1]), names) if names else "remove it"
    unknown = first["type"] == "extra_forbidden"
    what = "unknown parameter" if unknown else first["msg"].removeprefix("Value error, ")
    place = f"{where}, {key}" if key else where
    return Problem(what, where=place, value=first["input"], remedy=remedy)


def _sibling_names(kind: type[Settings], loc: tuple[int | str, ...]) -> list[str]:
    """The field names beside the unknown one, as far as plain nesting tells."""
    current: object = kind
    for part in loc[:-1]:
        field = _fields(current).get(str(part))
        current = field.annotation if field else None
    return list(_fields(current))


def _fields(kind: object) -> Mapping[str, FieldInfo]:
    return kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else {}
