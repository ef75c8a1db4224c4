"""The client's heartbeats on a socket, and the page's limit on them: what the checks of several areas measure by."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Connection


class Gap(NamedTuple):
    """A time without a heartbeat, in microseconds, that ended at `end`. `records` are those around it."""

    time: int
    end: int
    records: list[int]


def page_limit(bench: Bench) -> float:
    """The page's 30 s with its tolerance, in seconds."""
    return bench.limit("heartbeat_gap_page") * (1 + bench.limit("heartbeat_gap_tolerance"))


def gaps(c: Connection, since: int, begun: int, until: int) -> list[Gap]:
    """The gaps between the client's heartbeats from `since` on, which is the time of record `begun`.

    The last one is unfinished and ends at `until`: it has its first record only.
    """
    beats = [(t, n) for t, n in c.beats if since <= t <= until]
    marks: list[tuple[int, int | None]] = [(since, begun), *beats, (until, None)]
    return [
        Gap(t - before, t, [n for n in (first, last) if n is not None])
        for (before, first), (t, last) in pairwise(marks)
    ]


def longest(found: list[Gap]) -> Gap:
    """The longest of them, the first of equals."""
    return max(found, key=lambda gap: gap.time)
