"""Which languages can be said: by a grammar of their own, or in CLDR's bare phrases only."""

from collections.abc import Callable

from pipeline.corpora.sample import phrases
from pipeline.corpora.sample.english import sentences as english
from pipeline.corpora.sample.german import sentences as german
from pipeline.corpora.sample.meaning import Meaning, Phrase

GRAMMARS: dict[str, Callable[[Meaning], str]] = {"de": german.say, "en": english.say}
PHRASES_ONLY = ("da", "es", "fr", "it", "nl", "pt", "sv")  # num2words and CLDR know these well
LANGUAGES = (*GRAMMARS, *PHRASES_ONLY)


def say(meaning: Meaning, language: str) -> str:
    """The meaning in a language."""
    if isinstance(meaning, Phrase):
        return phrases.say(meaning, language)
    return GRAMMARS[language](meaning)
