"""Duplicate: what came before. Example: the pair "Danke." – "Thanks." for the second time.

Rows are told apart by a fingerprint of 128 bits, which stands for the text (see `fingerprints`).
"""

from typing import Literal

from pipeline.arrow import RecordBatch
from pipeline.cleaning.rule import RepeatRule
from pipeline.fingerprints import Fingerprints, fingerprints, paired


class Duplicate(RepeatRule):
    """Keep the first of all rows with the same key, after normalisation, over all corpora."""

    key: Literal["pair", "source", "target"] = "pair"
    """What two rows must share to be duplicates."""

    def keys(self, rows: RecordBatch) -> Fingerprints:
        """See `RepeatRule`."""
        if self.key == "pair":
            return paired(fingerprints(rows["source"]), fingerprints(rows["target"]))
        return fingerprints(rows[self.key])
