"""Reports out of a buffer are told from reports that are late, slow, or paused once."""

from __future__ import annotations

import pytest
from brokercert.judge.buffering.bursts import buffered

MS = 1_000
WRITTEN = [n // 10 * 10 * MS for n in range(10_000)]  # 1,000 a second, ten in one write, as a burst is sent


def after(delay: int) -> list[tuple[int, int]]:
    return [(t, t + delay * MS + n % 10 * 20) for n, t in enumerate(WRITTEN)]


def kept(lines: int) -> list[tuple[int, int]]:
    """Out of a buffer that is emptied when so many lines are in it."""
    return [(t, WRITTEN[min(n // lines * lines + lines, 9_999)]) for n, t in enumerate(WRITTEN)]


def blocking(each: int) -> list[tuple[int, int]]:
    """One message after the other, so many ms each: it falls behind."""
    return [(t, each * MS * (n + 1)) for n, t in enumerate(WRITTEN)]


def paused(since: int, until: int) -> list[tuple[int, int]]:
    """At once, but for one pause."""
    return [(t, until * MS if since * MS <= t < until * MS else t) for t in WRITTEN]


@pytest.mark.parametrize(
    "reports",
    [after(0), after(80), after(150), blocking(2), paused(2_000, 2_600), kept(10), kept(30), [], after(0)[:1]],
)
def test_late_slow_and_paused_is_not_buffered(reports: list[tuple[int, int]]) -> None:
    assert buffered(reports) == ""


@pytest.mark.parametrize("lines", [60, 100, 1000])  # of 80 characters: buffers of 4, 8 and 64 KiB
def test_a_buffer_is_recognised_and_named(lines: int) -> None:
    assert buffered(kept(lines)).startswith("your output is buffered: ")
    assert "flush after every line" in buffered(kept(lines))
