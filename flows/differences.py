"""Differences between parameters then and now, by key. Whatever DVC sees as changed is named.

{rules: [{kind: empty}, {kind: same, share: 0.5}]}    rules.same.share: 0.5 → 0.4
{rules: [{kind: same}, {kind: empty}]}                order of rules: empty, same → same, empty

Where a part is of another kind, its kind is all that is named.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

ABSENT = object()  # the value of a key that is not there, which null is not
Difference = tuple[str, Any, Any]  # key, old value, new value


def differences(old: Any, new: Any, key: str = "") -> Iterator[Difference]:
    """The keys whose values differ, as deep as both have names."""
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _inside(cast(Mapping[str, Any], old), cast(Mapping[str, Any], new), key)
        return
    before, after = _by_name(old), _by_name(new)
    if before is None or after is None:
        yield key, old, new
    elif before == after:
        yield f"order of {key}", *_reordered([*before], [*after])
    else:
        yield from _inside(before, after, key)


def shown(value: Any, limit: int = 60) -> str:
    """A value for people, short."""
    text = "nothing" if value is ABSENT else "null" if value is None else str(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _inside(old: Mapping[str, Any], new: Mapping[str, Any], key: str) -> Iterator[Difference]:
    if old.get("kind") != new.get("kind"):
        old, new = _kind(old), _kind(new)
    for name in sorted({*old, *new}, key=str):
        values = old.get(name, ABSENT), new.get(name, ABSENT)
        yield from differences(*values, f"{key}.{name}" if key else name)


def _kind(part: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"kind": part["kind"]} if "kind" in part else {}


def _by_name(value: Any) -> dict[str, Any] | None:
    """A list of members by their names or kinds, where these tell them apart."""
    if not isinstance(value, list):
        return None
    members = cast(list[Any], value)
    names = [_name(member) for member in members]
    if not all(isinstance(name, str) for name in names) or len({*names}) < len(names):
        return None
    return dict(zip(names, members, strict=True))


def _name(member: Any) -> Any:
    if not isinstance(member, Mapping):
        return None
    named = cast(Mapping[str, Any], member)
    return named.get("name", named.get("kind"))


def _reordered(old: list[str], new: list[str]) -> tuple[str, str]:
    """The names from where they begin to differ."""
    first = next(place for place in range(len(old)) if old[place] != new[place])
    return ", ".join(old[first:]), ", ".join(new[first:])
