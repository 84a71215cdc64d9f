"""Choose a member of a table by name, or fail with the nearest name.

A table is a literal dict in a folder's `__init__.py`: name → Settings class of the member. In
params.yaml a member is `{kind: NAME, its fields…}`; `chosen` turns that into the member's settings.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

T = TypeVar("T")


def nearest(name: str, names: Iterable[str]) -> str:
    """A phrase for an error message: the likely name, or all of them."""
    names = sorted(names)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"one of: {', '.join(names)}"


def chosen(
    table: Mapping[str, type[T]] | Callable[[], Mapping[str, type[T]]], key: str = "kind"
) -> BeforeValidator:
    """A pydantic validator: a mapping with `key` becomes the settings of the table's member.

    The table may be a function that returns it, where the table's own members refer to the field.
    """

    def build(value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        members = table() if callable(table) else table
        fields = dict(cast(Mapping[str, Any], value))
        name = fields.pop(key, None)
        if name not in members:
            hint = nearest(str(name), members)
            raise PydanticCustomError("unknown_name", f"unknown {key} '{name}': {hint}")
        return members[name](**fields)

    return BeforeValidator(build)
