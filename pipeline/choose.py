"""Choose a member of a table by name, or fail with the nearest name.

A table is a literal dict in a folder's `__init__.py`: name → Settings class of the member. In
params.yaml a member is `{kind: NAME, its fields…}`; `chosen` turns that into the member's settings,
and these back into the same: what is dumped names its kind, so digests of it differ by kind.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, GetCoreSchemaHandler, SerializationInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

Table = Mapping[str, type[Any]]


def nearest(name: str, names: Iterable[str]) -> str:
    """A phrase for an error message: the likely name, or all of them."""
    names = sorted(names)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"one of: {', '.join(names)}"


def _whose(field: str, member: type[Any], members: Table) -> str:
    """A phrase about a field that `member` does not have: which members have it, or the nearest."""
    owners = sorted(name for name, other in members.items() if field in other.model_fields)
    if owners:
        return f"{', '.join(owners)} {'have' if owners[1:] else 'has'} it"
    return nearest(field, member.model_fields) if member.model_fields else "it has none"


@dataclass(frozen=True, eq=False)  # so that it has a hash, and may be in `Annotated[…] | None`
class Chosen:
    """What `chosen` adds to a field: validation by the table's member, dumping with its name."""

    table: Table | Callable[[], Table]
    key: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The field's own schema, between building and dumping."""
        dump = core_schema.plain_serializer_function_ser_schema(self._dump, info_arg=True)
        inner = handler(source)
        return core_schema.no_info_before_validator_function(self._build, inner, serialization=dump)

    def _members(self) -> Table:
        return self.table() if callable(self.table) else self.table

    def _build(self, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        members = self._members()
        fields = dict(cast(Mapping[str, Any], value))
        name = fields.pop(self.key, None)
        if not isinstance(name, str) or name not in members:
            hint = nearest(str(name), members)
            facts = {"key": self.key, "name": str(name), "hint": hint}
            raise PydanticCustomError("unknown_name", "unknown {key} '{name}': {hint}", facts)
        member = members[name]
        unknown = next((field for field in fields if field not in member.model_fields), None)
        if unknown is not None:
            hint = _whose(unknown, member, members)
            facts = {"field": unknown, "key": self.key, "name": name, "hint": hint}
            message = "unknown parameter '{field}' of {key} '{name}': {hint}"
            raise PydanticCustomError("unknown_field", message, facts)
        return member(**fields)

    def _dump(self, value: BaseModel, info: SerializationInfo) -> dict[str, Any]:
        members = self._members().items()
        name = next((name for name, member in members if member is type(value)), None)
        return {self.key: name, **value.model_dump(mode=info.mode)}


def chosen(table: Table | Callable[[], Table], key: str = "kind") -> Chosen:
    """For `Annotated`: a mapping with `key` becomes the settings of the table's member.

    The table may be a function that returns it, where the table's own members refer to the field.
    """
    return Chosen(table, key)
