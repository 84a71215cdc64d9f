"""The one character that SentencePiece cannot keep, and how it is kept.

SentencePiece writes a space as U+2581 (▁), so a text's own ▁ would come back as a space. Example:
`"a▁b"` ⇄ `"a\\ue000bb"`: U+E000 (private use) is the sign of an escape, `a` after it stands for
itself, `b` for ▁. Texts without these two characters, nearly all, are their own escape.
"""

import re

SPACE = "\u2581"
_SIGN = "\ue000"
_SPELT = {_SIGN: _SIGN + "a", SPACE: _SIGN + "b"}
_MEANT = {spelt: meant for meant, spelt in _SPELT.items()}
_TO_SPELL = re.compile(f"[{_SIGN}{SPACE}]")
_TO_READ = re.compile(f"{_SIGN}[ab]")


def escape(text: str) -> str:
    """The text without ▁."""
    if SPACE not in text and _SIGN not in text:
        return text
    return _TO_SPELL.sub(lambda match: _SPELT[match.group()], text)


def unescape(text: str) -> str:
    """The inverse of `escape`; a lone sign, which only a model can write, stays."""
    return _TO_READ.sub(lambda match: _MEANT[match.group()], text) if _SIGN in text else text
