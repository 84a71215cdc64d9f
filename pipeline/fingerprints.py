"""Fingerprints: 128-bit hashes of strings, a whole Arrow array at a time.

A string's bytes are read as 64-bit words; each is mixed (splitmix64, Steele et al. 2014) with a key
of its place, and the mixed words are summed, twice with other keys. Two different strings of a
corpus of n rows share a fingerprint with probability about n² / 2^129 (a billion rows: 1e-21), so
equal fingerprints are taken for equal strings. Not proof against somebody who wants a collision.
The values never change: splits by hash depend on them.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow import Array
from pipeline.arrow import compute as pc

Fingerprints = NDArray[np.uint64]  # [rows, 2]: high and low half

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SEEDS = (np.uint64(0x243F6A8885A308D3), np.uint64(0x13198A2E03707344))  # digits of pi


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """splitmix64's finaliser: a bijection of 64-bit numbers that scatters every bit."""
    values = values.copy()
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    values ^= values >> np.uint64(31)
    return values


def fingerprints(texts: Array) -> Fingerprints:
    """[rows, 2] halves of the fingerprint of each string of the array; null counts as ''."""
    words, starts, places, lengths = _words(texts)
    result = np.empty((len(texts), 2), np.uint64)
    for half, seed in enumerate(_SEEDS):
        keys = (places + np.uint64(1)) * _GOLDEN + seed
        keys ^= words
        sums = np.add.reduceat(mix(keys), starts) if len(starts) else np.empty(0, np.uint64)
        result[:, half] = mix(sums + lengths * _GOLDEN + seed)
    return result


def paired(first: Fingerprints, second: Fingerprints) -> Fingerprints:
    """The fingerprint of a pair of strings from theirs; (a, b) and (b, a) differ."""
    turned = mix(second + _GOLDEN)
    return np.stack([mix(first[:, h] * np.uint64(3) + turned[:, h]) for h in (0, 1)], axis=1)


def shares(texts: Array, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each string that depends on string and seed only."""
    salt = np.uint64((seed * int(_GOLDEN)) % 2**64)
    drawn = mix(fingerprints(texts)[:, 0] ^ salt) >> np.uint64(11)
    return drawn.astype(np.float64) * 2.0**-53


def _words(texts: Array) -> tuple[Any, Any, Any, Any]:
    """Words of all strings end to end, where each string's begin, their places, byte lengths.

    Every string has at least one word; the last is filled with zeros.
    """
    content, offsets = _bytes(texts)
    lengths = np.diff(offsets)
    counts = np.maximum(-(-lengths // 8), 1)
    ends = np.cumsum(counts)
    starts = ends - counts
    places = np.arange(ends[-1] if len(ends) else 0) - np.repeat(starts, counts)
    at = np.repeat(offsets[:-1], counts) + 8 * places
    # Reading eight bytes at any address: a window of stride one over the padded bytes.
    padded = np.concatenate([content, np.zeros(16, np.uint8)])
    windows = np.ndarray((len(padded) - 7,), np.uint64, padded, strides=(1,))
    words = windows[at]
    last = ends - 1
    kept = (lengths - 8 * (counts - 1)).astype(np.uint64)  # bytes of the last word: 0 to 8
    mask = np.where(
        kept == 8,
        ~np.uint64(0),
        (np.uint64(1) << (kept * np.uint64(8) % np.uint64(64))) - np.uint64(1),
    )
    words[last] &= mask
    return words, starts, places.astype(np.uint64), lengths.astype(np.uint64)


def _bytes(texts: Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The bytes of an Arrow string array and the offsets into them, without copying the text."""
    if texts.null_count:
        texts = pc.fill_null(texts, "")
    _, offsets, content = texts.buffers()
    count = len(texts)
    if offsets is None or count == 0:
        return np.empty(0, np.uint8), np.zeros(count + 1, np.int64)
    kind = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    places = np.frombuffer(offsets, kind)[texts.offset : texts.offset + count + 1].astype(np.int64)
    if content is None:
        return np.empty(0, np.uint8), places - places[0]
    return np.frombuffer(content, np.uint8)[places[0] : places[-1]], places - places[0]
