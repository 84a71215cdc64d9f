"""params.yaml, edited in place: a value is replaced where it stands, comments and layout stay.

    set_value(text, "decoding.search.beam_size", "5")

A member of a list is named by its place, or by its name or kind: `cleaning.rules.same.…`.
"""

from typing import Any

import yaml

from flows.differences import ABSENT
from pipeline.choose import nearest
from pipeline.problems import Problem


def parse_assignment(text: str) -> tuple[str, str]:
    """`section.key=value` as key and YAML text of the value."""
    key, equals, value = text.partition("=")
    if not equals or "." not in key.strip("."):
        raise Problem("not an assignment", where="-S", value=text, remedy="-S section.key=value")
    try:
        yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise Problem(f"no YAML value: {error}", where="-S", value=text) from None
    return key.strip(), value.strip() or '""'


def set_value(text: str, key: str, value: str) -> str:
    """The file's text with the value at `key` replaced, or added where its section lacks it."""
    node: Any = yaml.compose(text)
    *path, last = key.split(".")
    for position, name in enumerate(path):
        node = _inside(node, name, ".".join(path[: position + 1]))
    found = _members(node)
    if last in found:
        changed = _replaced(text, found[last], value)
    elif isinstance(node, yaml.MappingNode):
        changed = _added(text, node, last, value)
    else:
        raise _unknown(key, last, found)
    if not _says(changed, key, value):
        raise Problem(
            "no value that can stand there", where=f"-S {key}", value=value, remedy="quote it"
        )
    return changed


def _says(text: str, key: str, value: str) -> bool:
    try:
        return value_at(text, key) == yaml.safe_load(value)
    except yaml.YAMLError:
        return False


def value_at(text: str, key: str) -> Any:
    """The value at `key`, or ABSENT."""
    node: Any = yaml.compose(text)
    for name in key.split("."):
        node = _members(node).get(name)
        if node is None:
            return ABSENT
    return yaml.SafeLoader("").construct_object(node, deep=True)


def _inside(node: Any, name: str, key: str) -> Any:
    found = _members(node)
    if name not in found:
        raise _unknown(key, name, found)
    return found[name]


def _members(node: Any) -> dict[str, Any]:
    """What a mapping or list holds, by name."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: value for key, value in node.value}
    if not isinstance(node, yaml.SequenceNode):
        return {}
    members: dict[str, Any] = {}
    for place, value in enumerate(node.value):
        inner = _members(value) if isinstance(value, yaml.MappingNode) else {}
        for label in ("name", "kind"):
            if label in inner:
                members.setdefault(inner[label].value, value)
        members[str(place)] = value
    return members


def _replaced(text: str, node: Any, value: str) -> str:
    start, end = node.start_mark.index, node.end_mark.index
    old = text[start:end]
    block = "\n" in old and not old.startswith(("{", "["))
    rest = old[len(old.rstrip()) :] if block else ""  # a block's node reaches to the next key
    between = "\n" if block and "\n" not in rest else rest
    return text[:start] + value + between + text[end:]


def _added(text: str, node: Any, name: str, value: str) -> str:
    if node.flow_style:
        end = node.end_mark.index - 1  # before the closing brace
        comma = ", " if node.value else ""
        return f"{text[:end].rstrip()}{comma}{name}: {value}{text[end:]}"
    start = node.start_mark.index
    indent = " " * node.start_mark.column
    return f"{text[:start]}{name}: {value}\n{indent}{text[start:]}"


def _unknown(key: str, name: str, found: dict[str, Any]) -> Problem:
    remedy = nearest(name, found) if found else "what is above it has no keys"
    return Problem("unknown parameter", where=f"params.yaml, {key}", remedy=remedy)
