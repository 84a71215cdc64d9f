"""Slices: parts of a test set in which a model may be worse although the whole is not.

Rows are told apart by their source's length in words (what white space separates) and by corpus.
"""

from collections.abc import Sequence

from pipeline.outputs import Output


def slices(outputs: Sequence[Output], length_bounds: Sequence[int]) -> dict[str, list[int]]:
    """Name → row numbers, in a fixed order; a slice without rows, or with all of them, is left out.

    Bounds 10 and 20 give "length 1-10", "length 11-20" and "length 21+"; an empty source has
    length 0 and counts among the shortest.
    """
    found: dict[str, list[int]] = {name: [] for name in _length_names(length_bounds)}
    names = list(found)
    for number, output in enumerate(outputs):
        words = len(output.source.split())
        if names:
            found[names[sum(words > bound for bound in length_bounds)]].append(number)
        found.setdefault(f"corpus {output.corpus}", []).append(number)
    return {name: rows for name, rows in found.items() if 0 < len(rows) < len(outputs)}


def _length_names(bounds: Sequence[int]) -> list[str]:
    if not bounds:
        return []
    starts = [1, *(bound + 1 for bound in bounds)]
    ranges = [f"length {start}-{end}" for start, end in zip(starts, bounds, strict=False)]
    return [*ranges, f"length {starts[-1]}+"]
