"""Decoding: search over any model that can encode a batch and advance by one id.

`decode.py` takes lists of ids and gives lists of ids, `texts.py` makes texts of those; `beam.py`
holds the law of the search.
"""

from pipeline.decoding.beam import Beam
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.normalisation import GNMT, Marian, Mean, Normalisation, Sum, WordReward
from pipeline.decoding.search import Search

SEARCHES: dict[str, type[Search]] = {"beam": Beam, "greedy": Greedy}

NORMALISATIONS: dict[str, type[Normalisation]] = {
    "gnmt": GNMT,
    "marian": Marian,
    "mean": Mean,
    "sum": Sum,
    "word_reward": WordReward,
}
