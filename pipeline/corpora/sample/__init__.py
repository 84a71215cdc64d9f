"""The built-in sample corpus: lexicon and grammars, slots from CLDR, and a split by combinations."""
