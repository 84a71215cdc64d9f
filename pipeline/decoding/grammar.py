"""Read a regular grammar: rules that are regular expressions and may name each other.

Example: `{start: "<day>\\.<month>\\.", day: "[0-3]?[0-9]", month: "1[0-2]|[1-9]"}` describes
"24.12.". A rule knows characters, `.` (any), `[a-z]`, `[^a-z]`, `( )`, `|`, `?`, `*`, `+`, `{2}`,
`{2,4}`, `{2,}`, `<rule>`, and `\\` before a character that stands for itself. No rule may lead back
to itself: that would be no regular grammar any more.
"""

import re
from collections.abc import Mapping

from pipeline.decoding.expressions import (
    NEVER,
    Characters,
    Expression,
    chain,
    choice,
    repeat,
)

BEGIN = "start"
MOST = 1000  # repetitions, each of which is a part of the automaton
_TIMES = re.compile(r"\{(\d+)(,?)(\d*)\}")
_NAME = re.compile(r"<([^<>]*)>")
_MARKS = {"?": (0, 1), "*": (0, None), "+": (1, None)}


def expression(rules: Mapping[str, str]) -> Expression:
    """The language of the rule `start`; a ValueError says what is wrong, and where."""
    if BEGIN not in rules:
        raise ValueError(f"a grammar begins with the rule '{BEGIN}': add it")
    every = [_Reader(rules, name, ()).whole() for name in rules]
    return every[list(rules).index(BEGIN)]


class _Reader:
    """Reads one rule from left to right; `above` are the rules that led here."""

    def __init__(self, rules: Mapping[str, str], name: str, above: tuple[str, ...]) -> None:
        self.rules, self.name, self.above = rules, name, (*above, name)
        self.text, self.at = rules[name], 0

    def whole(self) -> Expression:
        """The rule's expression."""
        found = self._choice()
        if self.at < len(self.text):
            raise self._wrong("a ')' without its '('")
        return found

    def _choice(self) -> Expression:
        ways = [self._chain()]
        while self._take("|"):
            ways.append(self._chain())
        return choice(ways)

    def _chain(self) -> Expression:
        parts: list[Expression] = []
        while self.at < len(self.text) and self.text[self.at] not in "|)":
            parts.append(self._repeated(self._one()))
        return chain(*parts)

    def _repeated(self, inner: Expression) -> Expression:
        while self.at < len(self.text) and self.text[self.at] in "?*+{":
            least, most = self._times()
            inner = repeat(inner, least, most)
        return inner

    def _times(self) -> tuple[int, int | None]:
        mark = self.text[self.at]
        if mark != "{":
            self.at += 1
            return _MARKS[mark]
        found = _TIMES.match(self.text, self.at)
        if found is None:
            raise self._wrong("expected {2}, {2,4} or {2,}; for the character itself write \\{")
        least, comma, most = int(found[1]), found[2], found[3]
        top = int(most) if most else None if comma else least
        if max(least, top or 0) > MOST or (top is not None and top < least):
            raise self._wrong(f"from {least} to {most} times: at most {MOST}, the lower first")
        self.at = found.end()
        return least, top

    def _one(self) -> Expression:
        character = self.text[self.at]
        if character in "?*+{":
            raise self._wrong(f"nothing to repeat; for the character itself write \\{character}")
        if character == "<":
            return self._rule()
        self.at += 1
        if character == "(":
            inner = self._choice()
            if not self._take(")"):
                raise self._wrong("a '(' without its ')'")
            return inner
        if character == "[":
            return self._class()
        if character == ".":
            return Characters((), others=True)
        return Characters(((one := self._escaped(character), one),))

    def _rule(self) -> Expression:
        found = _NAME.match(self.text, self.at)
        if found is None or found[1] not in self.rules:
            names = ", ".join(self.rules)
            raise self._wrong(f"expected <NAME> of a rule ({names}); for the sign write \\<")
        if found[1] in self.above:
            raise self._wrong(f"the rule '{found[1]}' leads back to itself")
        self.at = found.end()
        return _Reader(self.rules, found[1], self.above).whole()

    def _class(self) -> Expression:
        others, ranges = self._take("^"), list[tuple[str, str]]()
        while not self._take("]"):
            low = high = self._member()
            if self.text[self.at : self.at + 1] == "-" and self.text[self.at + 1 :][:1] != "]":
                self.at += 1
                high = self._member()
            if low > high:
                raise self._wrong(f"the range {low}-{high} is empty")
            ranges.append((low, high))
        return Characters(tuple(sorted(ranges)), others) if ranges or others else NEVER

    def _member(self) -> str:
        if self.at >= len(self.text):
            raise self._wrong("a '[' without its ']'")
        self.at += 1
        return self._escaped(self.text[self.at - 1])

    def _escaped(self, character: str) -> str:
        if character != "\\":
            return character
        if self.at >= len(self.text):
            raise self._wrong("a '\\' at the end stands for nothing")
        self.at += 1
        return self.text[self.at - 1]

    def _take(self, character: str) -> bool:
        found = self.text[self.at : self.at + 1] == character
        self.at += found
        return found

    def _wrong(self, what: str) -> ValueError:
        return ValueError(f"rule '{self.name}', character {self.at + 1}: {what}")
