"""The special ids, the first of every vocabulary, and the same as in batches.

Example: "Ein Hund" as a source is `[57, 212, EOS]`.
"""

PAD, UNKNOWN, BOS, EOS = 0, 1, 2, 3
