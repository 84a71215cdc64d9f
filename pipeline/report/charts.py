"""Charts: numbers → places in a drawing, which the page's template turns into inline SVG."""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.records import Check

NORMS = {
    "Gradient norm by layer": "gradient_of_",
    "Gradient norm in the source, by positions before its end": "gradient_source_back_",
    "Gradient norm of the last loss, by positions before it": "gradient_prefix_back_",
}
WIDTH, HEIGHT = 520, 230
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 30


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: its name, its points as SVG reads them, its last value."""

    name: str
    points: str
    last: tuple[float, float, str]  # x, y, label


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with axes. Ticks are (place, label)."""

    title: str
    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """A check drawn as shares of a width: the interval, zero, and the margin's edge."""

    start: float
    length: float
    middle: float
    zero: float
    edge: float


def curves(path: Path, metric: str) -> list[Chart]:
    """Charts of the stage train's curves.csv: losses, validation's metric, norms where taken."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    losses = {"train_loss": "train", "valid_loss": "validation"}
    wanted = {
        "Loss (nats per target token)": losses,
        f"Validation {_title(metric)} (greedy)": {"valid_score": "validation"},
    }
    charts = [
        chart(title, {label: _series(rows, column) for column, label in columns.items()})
        for title, columns in wanted.items()
    ]
    return [one for one in [*charts, *_norms(rows)] if one is not None]


def _norms(rows: Sequence[dict[str, str]]) -> Iterator[Chart | None]:
    """Norms of gradients, a line a layer or a distance: vanishing and exploding, to be seen."""
    columns = list(rows[0]) if rows else []
    for title, start in NORMS.items():
        names = [name for name in columns if name.startswith(start)]
        series = {name.removeprefix(start): _series(rows, name) for name in names}
        yield chart(title, series, logarithmic=True)


def _title(metric: str) -> str:
    """`bleu` → BLEU, `row_error_rate` → row error rate."""
    return {"bleu": "BLEU", "chrf": "chrF"}.get(metric, metric.replace("_", " "))


def _series(rows: Sequence[dict[str, str]], column: str) -> list[tuple[float, float]]:
    return [(float(row["step"]), float(row[column])) for row in rows if row.get(column)]


def chart(
    title: str, series: dict[str, list[tuple[float, float]]], *, logarithmic: bool = False
) -> Chart | None:
    """A chart of the series that have points; None where none has. Logarithms have none of 0."""
    drawn = {
        name: [(x, y) for x, y in points if y > 0 or not logarithmic]
        for name, points in series.items()
    }
    drawn = {name: points for name, points in drawn.items() if points}
    if not drawn:
        return None
    every = [point for points in drawn.values() for point in points]
    low, high = min(y for _, y in every), max(y for _, y in every)
    x_marks = _marks(0, max(x for x, _ in every))
    y_marks = _powers(low, high) if logarithmic else _marks(low, high)
    x_range, scale = (x_marks[0], x_marks[-1]), math.log if logarithmic else float
    y_range = scale(y_marks[0]), scale(y_marks[-1])

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = _share(x, *x_range), _share(scale(y), *y_range)
        return (
            round(LEFT + across * (WIDTH - LEFT - RIGHT), 1),
            round(HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM), 1),
        )

    lines = [
        Line(
            name=name,
            points=" ".join("{},{}".format(*place(x, y)) for x, y in points),
            last=(*place(*points[-1]), _label(points[-1][1])),
        )
        for name, points in drawn.items()
    ]
    return Chart(
        title=title,
        lines=tuple(lines),
        x_ticks=tuple((place(mark, y_marks[0])[0], _label(mark)) for mark in x_marks),
        y_ticks=tuple((place(0, mark)[1], _label(mark)) for mark in y_marks),
    )


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low)


def _marks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers from at most `low` to at least `high`."""
    span = (high - low) or abs(high) or 1.0
    raw = span / count
    unit = 10 ** math.floor(math.log10(raw))
    step = next(unit * factor for factor in (1, 2, 2.5, 5, 10) if unit * factor >= raw)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [step * number for number in range(first, max(last, first + 1) + 1)]


def _powers(low: float, high: float, count: int = 6) -> list[float]:
    """Powers of ten from at most `low` to at least `high`, not many more than `count`."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    step = max(1, math.ceil((last - first) / count))
    return [10.0**power for power in range(first, max(last, first + 1) + step, step)]


def _label(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.4g}"


def interval(check: Check) -> Interval:
    """Where a check's interval lies, on a scale that shows zero and the margin's edge too."""
    edge = check.margin if check.lower_is_better else -check.margin
    ends = (check.low, check.high, edge, 0.0)
    pad = 0.08 * ((max(ends) - min(ends)) or 1.0)
    low, high = min(ends) - pad, max(ends) + pad

    def place(value: float) -> float:
        return round(100 * _share(value, low, high), 2)

    return Interval(
        start=place(check.low),
        length=max(0.8, round(place(check.high) - place(check.low), 2)),
        middle=place(check.challenger - check.champion),
        zero=place(0.0),
        edge=place(edge),
    )
