"""Plots for the documents, as SVG files: the report's charts, with names at the lines' side."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from pipeline.files import write_text
from pipeline.report.charts import HEIGHT, LEFT, RIGHT, WIDTH, Chart, chart

Points = Sequence[tuple[float, float]]
COLOURS = ("#7f8c99", "#b07aa1", "#9c5a3c", "#e0902d", "#2f9e62", "#2b6cb0", "#c0392b")
HEAD, LINE, NAMES = 30, 18, 290  # heights of the title and of a name, width of the names
STYLE = """\
<style>
text { font: 12px system-ui, sans-serif; fill: #44505c; }
.title { font-weight: 600; } .mark { text-anchor: end; } .under { text-anchor: middle; }
.grid { stroke: #d8dee4; } polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
</style>"""


def draw(path: Path, title: str, series: dict[str, Points]) -> None:
    """Write the series' chart; the names stand in the order of the lines' right ends."""
    found = chart(title, {name: list(points) for name, points in series.items()})
    assert found, "nothing to draw"
    write_text(path, svg(found))


def svg(found: Chart) -> str:
    """A chart as a picture of its own, on white."""
    width, height = WIDTH + NAMES, HEAD + max(HEIGHT, LINE * (len(found.lines) + 1))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        STYLE,
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text class="title" x="{LEFT}" y="20">{escape(found.title)}</text>',
        f'<g transform="translate(0 {HEAD})">',
        *_axes(found),
        *_lines(found),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _axes(found: Chart) -> list[str]:
    across = [
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        f'<text class="mark" x="{LEFT - 8}" y="{y + 4}">{label}</text>'
        for y, label in found.y_ticks
    ]
    under = [
        f'<text class="under" x="{x}" y="{HEIGHT - 8}">{label}</text>' for x, label in found.x_ticks
    ]
    return across + under


def _lines(found: Chart) -> list[str]:
    coloured = list(zip(found.lines, COLOURS, strict=False))
    assert len(coloured) == len(found.lines), "more lines than colours"
    drawn = [f'<polyline points="{line.points}" stroke="{tint}"/>' for line, tint in coloured]
    by_end = sorted(coloured, key=lambda each: each[0].last[1])
    return drawn + [
        f'<g transform="translate({WIDTH} {LINE * place})">'
        f'<line x1="8" x2="26" y1="-4" y2="-4" stroke="{tint}" stroke-width="3"/>'
        f'<text x="32">{escape(line.name)}</text></g>'
        for place, (line, tint) in enumerate(by_end, 1)
    ]
