from typing import Any

import pytest

from flows.differences import ABSENT, differences, shown

EMPTY, SAME, LONG = (
    {"kind": "empty"},
    {"kind": "same", "share": 0.5},
    {"kind": "too_long", "max": 5},
)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [("a.b", 1, 2)]),
        ({"a": 1}, {"a": 1, "b": None}, [("b", ABSENT, None)]),
        ({"a": None}, {}, [("a", None, ABSENT)]),
        ({"a": {}}, {"a": None}, [("a", {}, None)]),
        ({"plain": [1, 2]}, {"plain": [2, 1]}, [("plain", [1, 2], [2, 1])]),
        ({"r": [EMPTY, LONG]}, {"r": [EMPTY, {**LONG, "max": 6}]}, [("r.too_long.max", 5, 6)]),
        ({"r": [EMPTY]}, {"r": [EMPTY, SAME]}, [("r.same", ABSENT, SAME)]),
        (
            {"r": [EMPTY, SAME, LONG]},
            {"r": [EMPTY, LONG, SAME]},
            [("order of r", "same, too_long", "too_long, same")],
        ),
        ({"part": LONG}, {"part": {**SAME, "max": 6}}, [("part.kind", "too_long", "same")]),
        ({"r": [EMPTY]}, {"r": {"empty": EMPTY}}, [("r", [EMPTY], {"empty": EMPTY})]),
        ({"r": [EMPTY, EMPTY]}, {"r": [EMPTY]}, [("r", [EMPTY, EMPTY], [EMPTY])]),
        ({"r": [{"name": [1]}]}, {"r": []}, [("r", [{"name": [1]}], [])]),
    ],
)
def test_whatever_differs_has_its_key(old: Any, new: Any, expected: list[Any]) -> None:
    assert list(differences(old, new)) == expected


def test_values_are_shown_short_and_null_is_not_nothing() -> None:
    assert [shown(ABSENT), shown(None), shown(0), shown("x" * 70)] == [
        "nothing",
        "null",
        "0",
        "x" * 59 + "…",
    ]
