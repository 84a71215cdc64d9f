"""Examples: the best and worst sentences of a test set, and where two models differ most."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.metrics.chrf import Chrf
from pipeline.metrics.evaluation import statistics
from pipeline.outputs import Output

Marked = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A row to look at: its hypothesis in parts that are in the reference, or are not."""

    id: str
    source: str
    references: tuple[str, ...]
    hypothesis: Marked
    value: float
    languages: tuple[str, str]  # of source and target


@dataclass(frozen=True, slots=True)
class Contrast:
    """A row on which both models differ; parts that the other does not have are marked."""

    id: str
    source: str
    reference: str
    champion: Marked
    challenger: Marked
    gain: float  # sentence chrF, challenger minus champion
    languages: tuple[str, str]  # of source and target


@dataclass(frozen=True, slots=True)
class Contrasts:
    """How many rows differ, and those with the largest gains and losses."""

    rows: int
    different: int
    better: int
    worse: int
    gains: tuple[Contrast, ...]
    losses: tuple[Contrast, ...]


def extremes(
    outputs: Sequence[Output], values: Sequence[float], count: int, *, falling: bool = False
) -> tuple[list[Example], list[Example]]:
    """(worst, best) by their values; ties go to the longer source, which tells more.

    `falling`: the lowest values are the best.
    """
    good = [-value if falling else value for value in values]
    order = sorted(range(len(outputs)), key=lambda row: (good[row], -len(outputs[row].source)))
    best = sorted(range(len(outputs)), key=lambda row: (-good[row], -len(outputs[row].source)))
    worst = order[: min(count, len(order) // 2)]
    return (
        [_example(outputs[row], values[row]) for row in worst],
        [_example(outputs[row], values[row]) for row in best[:count] if row not in worst],
    )


def _example(output: Output, value: float) -> Example:
    marked, _ = differing(output.text, output.references[0])
    languages = (output.source_language, output.target_language)
    return Example(output.id, output.source, output.references, marked, value, languages)


def contrasts(champion: Sequence[Output], challenger: Sequence[Output], count: int) -> Contrasts:
    """Compare two models' outputs on the same rows by sentence chrF."""
    pairs = [(a, b) for a, b in zip(champion, challenger, strict=True) if a.text != b.text]
    gains = _gains([a for a, _ in pairs], [b for _, b in pairs])
    order = sorted(range(len(pairs)), key=gains.__getitem__)
    best = [row for row in order[::-1][:count] if gains[row] > 0]
    worst = [row for row in order[:count] if gains[row] < 0]
    return Contrasts(
        rows=len(challenger),
        different=len(pairs),
        better=sum(gain > 0 for gain in gains),
        worse=sum(gain < 0 for gain in gains),
        gains=tuple(_contrast(*pairs[row], gains[row]) for row in best),
        losses=tuple(_contrast(*pairs[row], gains[row]) for row in worst),
    )


def _gains(champion: Sequence[Output], challenger: Sequence[Output]) -> list[float]:
    if not champion:
        return []
    metric = Chrf()
    before, after = (statistics(metric, outputs).values for outputs in (champion, challenger))
    return [metric.sentence(b) - metric.sentence(a) for a, b in zip(before, after, strict=True)]


def _contrast(champion: Output, challenger: Output, gain: float) -> Contrast:
    marked, other = differing(champion.text, challenger.text)
    return Contrast(
        id=challenger.id,
        source=challenger.source,
        reference=challenger.references[0],
        champion=marked,
        challenger=other,
        gain=gain,
        languages=(challenger.source_language, challenger.target_language),
    )


def differing(first: str, second: str) -> tuple[Marked, Marked]:
    """Both texts in parts; True marks words that the other does not have at that place."""
    a, b = first.split(), second.split()
    parts: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for kind, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for side, words in zip(parts, (a[i:j], b[k:m]), strict=True):
            if words:
                side.append((" ".join(words), kind != "equal"))
    return tuple(parts[0]), tuple(parts[1])
