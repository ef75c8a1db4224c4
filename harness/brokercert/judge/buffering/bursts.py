"""Whether a client's reports came as it made them, or out of a buffer that was emptied now and then.

A report is stamped when it is read. One that lay in a buffer looks late, though its message was processed in time: no
figure can be taken from such reports. Recognised by reports of messages far apart that are read in one go, again and
again; a single pause of the client is not that, and neither is a client that is slow but says each thing as it does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from brokercert.verdict import BUFFERED

FLUSH = "flush after every line (Python: `print(..., flush=True)` or PYTHONUNBUFFERED=1)"
GAP = 1_000  # microseconds: reports read closer together than this came in one go
SPAN = 50_000  # microseconds between the messages of one go: a client that works in frames of 16 ms stays far below
QUICK = 0.2  # of that span: reports that are read over a longer part of it came one by one, only close together
SHARE = 0.5  # of all reports: one long pause of a client reaches no such share of a burst of 10 s


def buffered(reports: Iterable[tuple[int, int]]) -> str:
    """Why the reports cannot be timed, or an empty text. Each is (its message was written, it was read), in
    microseconds, in the order in which they were read.
    """
    count = 0
    late = 0
    spans: list[int] = []
    for group, lasted in _goes(reports):
        count += len(group)
        span = max(group) - min(group)
        if span >= SPAN and lasted <= span * QUICK:
            late += len(group)
            spans.append(span)
    if not count or late < SHARE * count or len(spans) < 2:
        return ""
    usual = sorted(spans)[len(spans) // 2] / 1000
    return (
        f"{BUFFERED}: {late} of {count} reports came in {len(spans)} bursts, each with those of some {usual:.0f} ms; "
        f"{FLUSH}"
    )


def _goes(reports: Iterable[tuple[int, int]]) -> Iterator[tuple[list[int], int]]:
    """When the messages were written whose reports were read in one go, and how long that lasted."""
    group: list[int] = []
    first = before = 0
    for written, read in reports:
        if group and read - before > GAP:
            yield group, before - first
            group = []
        if not group:
            first = read
        group.append(written)
        before = read
    if group:
        yield group, before - first
