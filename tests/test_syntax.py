"""What code does is told from what it says."""

import pytest

from pipeline.syntax import syntax_digest

CODE = '''"""A module."""


class Thing:
    """A class."""

    width: int = 3
    """A field."""

    def wide(self) -> str:
        """A method."""
        return "wide"  # a comment
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A module.", "The module."),
        ('"""A field."""', '"""Another field."""'),
        ("  # a comment", ""),
        ("        return", "\n        return"),
        ('        """A method."""\n', ""),
    ],
)
def test_comments_docstrings_and_layout_say_nothing(old: str, new: str):
    assert old in CODE
    assert syntax_digest(CODE.replace(old, new)) == syntax_digest(CODE)


@pytest.mark.parametrize(("old", "new"), [('"wide"', '"narrow"'), ("3", "4"), ("int", "float")])
def test_everything_else_does(old: str, new: str):
    assert syntax_digest(CODE.replace(old, new)) != syntax_digest(CODE)
