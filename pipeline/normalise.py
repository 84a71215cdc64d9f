"""The normaliser: one form for texts that people take for the same.

Pieces apply it between text and ids, so training, decoding and serving cannot differ; cleaning
compares with it. It never changes a stored row. Example, by default:
`"Ein\\u00a0 kleines\\tMa\\u0308dchen\\u200b "` → `"Ein kleines Mädchen"`.
"""

import re
import unicodedata
from typing import Literal

import pyarrow as pa

from pipeline.arrow import Array
from pipeline.arrow import compute as pc
from pipeline.settings import Settings

# What shows nothing and means nothing: C0 and C1 controls but white space, soft hyphen, zero width
# space, marks of direction, byte order mark, annotations. The joiners U+200C and U+200D mean
# something (Persian, Indic scripts, emoji) and stay.
_CONTROL = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
# A text that matches is its own normal form, whatever the settings: printable ASCII and the Latin
# letters below U+0300 (which no form but NFKC changes), single spaces inside only.
_PLAIN_ASCII = r"^(?:[!-~]+(?: [!-~]+)*)?$"
_PLAIN_LATIN = r"^(?:[!-~¡-¬®-˿]+(?: [!-~¡-¬®-˿]+)*)?$"


class Normaliser(Settings):
    """How texts are normalised, the same everywhere. Order: control, form, whitespace."""

    form: Literal["none", "NFC", "NFKC"] = "NFC"
    """Unicode form. NFC composes letters and marks; NFKC also unites what only looks different."""
    whitespace: Literal["keep", "collapse"] = "collapse"
    """collapse: each run of white space, line ends included, is one space; none at the ends."""
    control: Literal["keep", "remove"] = "remove"
    """remove: control characters and invisible marks (soft hyphen, zero width space, …) go."""

    def text(self, text: str) -> str:
        """The normal form of one text."""
        if self.control == "remove":
            text = _CONTROL.sub("", text)
        if self.form != "none":
            text = unicodedata.normalize(self.form, text)
        if self.whitespace == "collapse":
            text = " ".join(text.split())
        return text

    def array(self, texts: Array) -> Array:
        """The normal forms of a string array; only texts that are not plain cost time each."""
        plain = pc.match_substring_regex(texts, self._plain())
        if pc.all(plain).as_py() is not False:
            return texts
        at = pc.invert(plain)
        changed = pa.array(map(self.text, texts.filter(at).to_pylist()), texts.type)
        return pc.replace_with_mask(texts, at, changed)

    def _plain(self) -> str:
        return _PLAIN_ASCII if self.form == "NFKC" else _PLAIN_LATIN
