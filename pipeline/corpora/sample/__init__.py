"""The built-in sample: a lexicon, grammars, slots from CLDR, a split by combinations of slots."""
