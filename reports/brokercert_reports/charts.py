"""Figures of one kind as a drawing: inline SVG, without script, style or id.

The law: a drawing repeats what stands in numbers beside it, and a reader who sees none is told the same. Colours are
attributes, so that they show where a style sheet is refused; classes only adapt them to the dark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import floor, log10

from brokercert.verdict import Drawn, Finding, Measured, RowResult, RunRecord
from markupsafe import Markup, escape

from brokercert_reports.text import listing, quantity, several

WIDTH, HEIGHT = 640, 150  # of the ground on which all is drawn
LEFT, RIGHT, TOP, FOOT = 56, 24, 22, 40  # around it: figures at the left, words above and below
GROUND, INK, SOFT, BAR, LIMIT = "#e4e7ea", "#3c434b", "#5b636c", "#2f6fb0", "#c02b2b"
DASHED = ' stroke-dasharray="5 3"'
HALO = ' stroke="#ffffff" stroke-width="3" paint-order="stroke"'
LETTER = 6.2  # px, of 11 px of a plain font
MOST_BARS = 120  # rungs that are drawn; the table has them all
ROOM = 1.08  # of the largest value, so that it does not touch the edge


@dataclass(frozen=True)
class Chart:
    """A drawing of a finding's figures, with its words. `told`: what it shows, in numbers, a line each."""

    row: RowResult
    finding: Finding
    drawn: Drawn
    svg: Markup
    told: tuple[str, ...]

    @property
    def title(self) -> str:
        what = "how long each took" if self.drawn.counts else "one after the other"
        return f"{self.drawn.name}, {what}"


def charts(run: RunRecord) -> tuple[Chart, ...]:
    """Each drawing once: several findings of a scenario may hold the same figures."""
    seen: set[tuple[str, str, int, Drawn]] = set()
    found = []
    for row in run.rows:
        for finding in row.findings:
            for drawn in finding.drawn:
                key = (row.id, finding.scenario, finding.play, drawn)
                if is_whole(drawn) and key not in seen:
                    seen.add(key)
                    draw = histogram if drawn.counts else ladder
                    svg, told = draw(drawn, finding.measured)
                    found.append(Chart(row, finding, drawn, svg, told))
    return tuple(found)


def is_whole(drawn: Drawn) -> bool:
    """Whether it can be drawn: a record that was edited may hold anything."""
    if not drawn.counts:
        return bool(drawn.values)
    rises = all(0 < low < high for low, high in pairwise(drawn.values))
    return len(drawn.values) == len(drawn.counts) + 1 and rises and min(drawn.counts) >= 0 < max(drawn.counts)


def histogram(drawn: Drawn, measured: Sequence[Measured]) -> tuple[Markup, tuple[str, ...]]:
    """How many took how long, on a scale of powers of ten; median, p99, worst and the limit as lines."""
    name = f"{drawn.name}, "
    marks = [(one.name.removeprefix(name), one.value) for one in measured if one.name.startswith(name)]
    bounds, edges = drawn.limits, drawn.values
    scale = _Logs([*edges, *(value for _, value in (*marks, *bounds))])
    most = max(drawn.counts)
    parts = []
    for (low, high), count in zip(pairwise(edges), drawn.counts, strict=True):
        height = HEIGHT * count / most
        left, right = scale.x(low), scale.x(high)
        parts.append(_bar(left, TOP + HEIGHT - height, max(1.0, right - left - 1), height if count else 0.0))
    parts += _axis(scale.ticks(), drawn.unit)
    parts += _lines([(name, value, INK, scale.x(value)) for name, value in marks])
    parts += _lines([(name, value, LIMIT, scale.x(value)) for name, value in bounds], foot=True)
    total = sum(drawn.counts)
    told = (
        f"{several(total, 'figure')} from {quantity(edges[0], drawn.unit)} to {quantity(drawn.values[-1], drawn.unit)}",
        *(f"{name}: {quantity(value, drawn.unit)}" for name, value in (*marks, *bounds)),
        *_shares(drawn, total),
    )
    parts.append(_text(LEFT - 6, TOP + 10, str(most), "end", SOFT))
    return _svg(f"{drawn.name}: {'; '.join(told)}", parts), told


def _shares(drawn: Drawn, total: int) -> Iterator[str]:
    """What lies within each limit, as far as the bars say it."""
    sums = (0, *accumulate(drawn.counts))
    for name, limit in drawn.limits:
        within = max((count for edge, count in zip(drawn.values, sums, strict=True) if edge <= limit), default=0)
        yield f"at least {within} of {total} within the {name}"


def ladder(drawn: Drawn, measured: Sequence[Measured]) -> tuple[Markup, tuple[str, ...]]:
    """Each value as a bar, in its order; its rung as a short line over it; limits as lines across."""
    values = drawn.values[:MOST_BARS]
    top = max([*values, *drawn.rungs, *(value for _, value in drawn.limits), 1e-9]) * ROOM
    step = WIDTH / len(values)

    def y(value: float) -> float:
        return TOP + HEIGHT * (1 - value / top)

    parts = []
    for place, value in enumerate(values):
        parts.append(_bar(LEFT + place * step + 1, y(value), max(1.0, step - 2), TOP + HEIGHT - y(value)))
    for place, rung in enumerate(drawn.rungs[: len(values)]):
        x = LEFT + place * step
        parts.append(
            f'<line class="ink" x1="{x:.1f}" y1="{y(rung):.1f}" x2="{x + step:.1f}" y2="{y(rung):.1f}"'
            f' stroke="{INK}" stroke-width="2"/>'
        )
    for name, value in drawn.limits:
        text = f"{name} {quantity(value, drawn.unit)}"
        parts.append(
            f'<line class="limit" x1="{LEFT}" y1="{y(value):.1f}" x2="{LEFT + WIDTH}" y2="{y(value):.1f}"'
            f' stroke="{LIMIT}"{DASHED}/>'
        )
        parts.append(_text(LEFT + 4, y(value) - 4, text, "start", LIMIT, "limit"))
    every = max(1, -(-len(values) // 20))
    parts += [
        _text(LEFT + (place + 0.5) * step, TOP + HEIGHT + 14, str(place + 1), "middle", SOFT)
        for place in range(0, len(values), every)
    ]
    parts.append(_text(LEFT + WIDTH / 2, TOP + HEIGHT + 30, "number, in their order", "middle", SOFT))
    shown = listing((quantity(value, drawn.unit) for value in values), 20)
    told = [f"{drawn.name}: {shown}"]
    if drawn.rungs:
        told.append(f"as they should be: {listing((quantity(rung, drawn.unit) for rung in drawn.rungs), 20)}")
    told += [f"{name}: {quantity(value, drawn.unit)}" for name, value in drawn.limits]
    if len(drawn.values) > len(values):
        told.append(f"{len(drawn.values) - len(values)} more are not drawn")
    largest = max(values)
    parts.append(_text(LEFT - 6, y(largest) + 4, quantity(largest, drawn.unit), "end", SOFT))
    return _svg("; ".join(told), parts), tuple(told)


class _Logs:
    """A scale of powers of ten, from the least value above zero to the largest."""

    def __init__(self, values: Sequence[float]) -> None:
        positive = [value for value in values if value > 0] or [1.0]
        self._low, self._high = log10(min(positive)), log10(max(positive) * ROOM)

    def x(self, value: float) -> float:
        if value <= 0:
            return float(LEFT)
        span = max(self._high - self._low, 1e-9)
        return LEFT + WIDTH * min(1.0, max(0.0, (log10(value) - self._low) / span))

    def ticks(self) -> list[tuple[float, float]]:
        """Value and place of each 1, 2 and 5 of a power of ten that lies on the scale."""
        powers = range(floor(self._low), floor(self._high) + 1)
        values = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
        return [(value, self.x(value)) for value in values if self._low <= log10(value) <= self._high]


def _axis(ticks: Sequence[tuple[float, float]], unit: str) -> Iterator[str]:
    free = -1e9
    for value, x in ticks:
        text = quantity(value, unit)
        wide = len(text) * LETTER
        if x - wide / 2 > free:
            free = x + wide / 2 + 6
            yield _text(x, TOP + HEIGHT + 14, text, "middle", SOFT)


def _lines(marks: Sequence[tuple[str, float, str, float]], foot: bool = False) -> Iterator[str]:
    """Upright lines with their names: above the ground, or below it, none over another."""
    free = -1e9
    for name, _, colour, x in sorted(marks, key=lambda mark: mark[3]):
        css = "limit" if colour == LIMIT else "ink"
        yield (
            f'<line class="{css}" x1="{x:.1f}" y1="{TOP - 4}" x2="{x:.1f}" y2="{TOP + HEIGHT}" stroke="{colour}"'
            f"{DASHED if foot else ''}/>"
        )
        wide = len(name) * LETTER
        at = min(max(x, free + wide / 2), LEFT + WIDTH + RIGHT - wide / 2)
        free = at + wide / 2 + 6
        yield _text(at, TOP + HEIGHT + 32 if foot else TOP - 8, name, "middle", colour, css)


def _bar(x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{BAR}"/>'


def _text(x: float, y: float, text: str, anchor: str, colour: str, css: str = "soft") -> str:
    halo = HALO if css == "limit" else ""  # it may stand over bars
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{css}"{halo} {place} fill="{colour}">{escape(text)}</text>'


def _svg(label: str, parts: Sequence[str]) -> Markup:
    full, high = LEFT + WIDTH + RIGHT, TOP + HEIGHT + FOOT
    base, end = TOP + HEIGHT, LEFT + WIDTH
    ground = f'<line class="track" x1="{LEFT}" y1="{base}" x2="{end}" y2="{base}" stroke="{GROUND}"/>'
    nought = _text(LEFT - 6, base, "0", "end", SOFT)
    return Markup(  # every text in it is escaped, and all else are numbers
        f'<svg class="chart" role="img" aria-label="{escape(label)}" width="{full}" height="{high}"'
        f' viewBox="0 0 {full} {high}" font-size="11" font-family="system-ui, sans-serif">{ground}'
        f"{nought}{''.join(parts)}</svg>"
    )
