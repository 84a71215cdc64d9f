"""Cleaning: rules, one file a rule, for the rows of train. The first that hits gives the reason."""

from pipeline.cleaning.duplicate import Duplicate
from pipeline.cleaning.empty import Empty
from pipeline.cleaning.leak import Leak
from pipeline.cleaning.length_ratio import LengthRatio
from pipeline.cleaning.odd_script import OddScript
from pipeline.cleaning.rule import Rule
from pipeline.cleaning.same import Same
from pipeline.cleaning.too_long import TooLong

RULES: dict[str, type[Rule]] = {
    "duplicate": Duplicate,
    "empty": Empty,
    "leak": Leak,
    "length_ratio": LengthRatio,
    "odd_script": OddScript,
    "same": Same,
    "too_long": TooLong,
}
