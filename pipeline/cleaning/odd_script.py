"""Odd script: letters that the language is not written in.

Example: source_language de, source "Привет, как дела?": no letter of it is Latin.
"""

import pyarrow as pa
from pydantic import Field

from pipeline.arrow import Array, RecordBatch
from pipeline.arrow import compute as pc
from pipeline.cleaning.rule import RowRule

# Script → languages that are written in it (ISO 639-1). Languages of no entry are left alone.
_LANGUAGES = {
    r"\p{Latin}": "af az bs ca cs cy da de en eo es et eu fi fo fr ga gl ha hr hu id is it lb lt "
    "lv mt ms nb nl nn no pl pt ro sk sl sq so sv sw tl tr uz vi xh yo zu",
    r"\p{Cyrillic}": "be bg kk ky mk mn ru tg uk",
    r"\p{Cyrillic}\p{Latin}": "sr",
    r"\p{Greek}": "el",
    r"\p{Armenian}": "hy",
    r"\p{Georgian}": "ka",
    r"\p{Hebrew}": "he yi",
    r"\p{Arabic}": "ar fa ps ur",
    r"\p{Devanagari}": "hi mr ne",
    r"\p{Bengali}": "bn",
    r"\p{Gujarati}": "gu",
    r"\p{Gurmukhi}": "pa",
    r"\p{Tamil}": "ta",
    r"\p{Telugu}": "te",
    r"\p{Kannada}": "kn",
    r"\p{Malayalam}": "ml",
    r"\p{Sinhala}": "si",
    r"\p{Thai}": "th",
    r"\p{Lao}": "lo",
    r"\p{Khmer}": "km",
    r"\p{Myanmar}": "my",
    r"\p{Ethiopic}": "am ti",
    r"\p{Han}": "zh",
    r"\p{Han}\p{Hiragana}\p{Katakana}ー": "ja",
    r"\p{Hangul}\p{Han}": "ko",
}
_SCRIPT = {code: script for script, codes in _LANGUAGES.items() for code in codes.split()}


class OddScript(RowRule):
    """Drop rows with a side most of whose letters are foreign to its language."""

    min_share: float = Field(0.5, ge=0, le=1)
    """Smallest share of a side's letters that must be of its language's script."""

    def drop(self, rows: RecordBatch) -> Array:
        """See `RowRule`."""
        odd = [self._odd(rows[side], rows[f"{side}_language"]) for side in ("source", "target")]
        return pc.or_(*odd)

    def _odd(self, texts: Array, languages: Array) -> Array:
        result = pa.repeat(False, len(texts))
        for language in pc.unique(languages).to_pylist():
            script = _SCRIPT.get(language.replace("_", "-").partition("-")[0].lower())
            if script is not None:
                odd = pc.and_(self._foreign(texts, script), pc.equal(languages, language))
                result = pc.or_(result, odd)
        return result

    def _foreign(self, texts: Array, script: str) -> Array:
        """Letters are counted only where there is a foreign one, which a search tells quickly."""
        suspects = pc.match_substring_regex(texts, rf"[^{script}\P{{L}}]")
        if not pc.any(suspects).as_py():
            return suspects
        counted = texts.filter(suspects)
        letters = _length_without(counted, r"\P{L}+")
        foreign = _length_without(counted, rf"[{script}\P{{L}}]+")
        share = pc.divide(pc.subtract(letters, foreign).cast("float64"), letters)
        return pc.replace_with_mask(suspects, suspects, pc.less(share, self.min_share))


def _length_without(texts: Array, pattern: str) -> Array:
    return pc.utf8_length(pc.replace_substring_regex(texts, pattern, ""))
