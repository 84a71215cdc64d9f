"""Decoding: search over any model that can encode a batch and advance by one id.

`decode.py` takes lists of ids and gives lists of ids, `texts.py` makes texts of those; `beam.py`
holds the law of the search, `constraints.py` what a hypothesis may say.
"""

from pipeline.decoding.allowed import Allowed, Grammar, Texts
from pipeline.decoding.beam import Beam
from pipeline.decoding.diverse import DiverseBeam
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.normalisation import GNMT, Marian, Mean, Normalisation, Sum, WordReward
from pipeline.decoding.sampling import Sampling
from pipeline.decoding.search import Search

SEARCHES: dict[str, type[Search]] = {
    "beam": Beam,
    "diverse_beam": DiverseBeam,
    "greedy": Greedy,
    "sampling": Sampling,
}

NORMALISATIONS: dict[str, type[Normalisation]] = {
    "gnmt": GNMT,
    "marian": Marian,
    "mean": Mean,
    "sum": Sum,
    "word_reward": WordReward,
}

ALLOWED: dict[str, type[Allowed]] = {"grammar": Grammar, "texts": Texts}
