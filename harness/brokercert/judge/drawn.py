"""Figures for a drawing: how many took how long, and delays one after the other. They decide nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil, log2

from msgspec import structs

from brokercert.judge.transcript import SECOND
from brokercert.verdict import Drawn, Finding

A_DOUBLING = 4  # bars from a time to its double: each is a fifth wider than the one before


def spread(name: str, times: Sequence[int], limit: float) -> Drawn:
    """How many of these times lie in each bar, of times in microseconds; bars and limit in seconds."""
    counts = Counter(_bar_of(time) for time in times)
    bars = range(min(counts), max(counts) + 1)
    edges = tuple(round(2 ** (bar / A_DOUBLING) / SECOND, 9) for bar in (bars[0] - 1, *bars))
    return Drawn(
        name=name,
        unit="s",
        values=edges,
        counts=tuple(counts[bar] for bar in bars),
        limits=(("limit", limit),),
    )


def _bar_of(time: int) -> int:
    """The number of the bar that a time lies in, up to its upper edge; one below a microsecond in the first of all."""
    return ceil(log2(max(1, time)) * A_DOUBLING)


def steps(
    name: str, times: Iterable[int], limits: Iterable[tuple[str, float]] = (), rungs: Iterable[float] = ()
) -> Drawn:
    """Times in their order, in microseconds; rungs and limits in seconds."""
    values = tuple(round(time / SECOND, 6) for time in times)
    return Drawn(name=name, unit="s", values=values, rungs=tuple(rungs), limits=tuple(limits))


def with_drawing(finding: Finding, drawn: Drawn) -> Finding:
    """The same finding, with figures for a drawing, where there are any."""
    return structs.replace(finding, drawn=(drawn,)) if drawn.values else finding
