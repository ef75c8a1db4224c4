"""Was a missing report never made, or is it only stuck in the client's output buffer?

A buffer of the client's gets line after line, and is emptied when it is full or when the client ends. We say *buffered*
when all four hold:

1. The line was read in one go with other late lines.
2. Those lines were due at moments at least 1 s apart, or are of two kinds, or announce a connection that already
   existed.
3. Nothing else was read from standard output since the first of them was due.
4. The go came when the client ended, or was at least 4 KiB; and it took no more readings than one writing of it does.

After that, what is read when the client ends counts as buffered too.

Three clients are not that: one that tells a single kind of line late, one that keeps a few lines back by design, and
one whose last go does not have the line. Times are microseconds. Pure: no I/O, no clock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from brokercert.judge.buffering.bursts import FLUSH, GAP
from brokercert.judge.check import AnyBench
from brokercert.judge.told import Line, Report
from brokercert.judge.transcript import SECOND, Transcript
from brokercert.judge.watching import ending_of
from brokercert.verdict import BUFFERED, Finding, Verdict

LATE = SECOND  # after its cause: no correct client takes so long to tell what it has in memory
SLACK = SECOND // 4  # the first line of a go may have been made before the go before it, of which it did not find room
LEAVING = SECOND // 4  # before the exit is told: what a client prints as it leaves is read a little before
SMALLEST = 4096  # bytes: no library's buffer for a pipe is smaller (Python and Node 8 KiB, glibc 4 KiB and more)
READINGS = 2  # more than one for each SMALLEST: a part of a line, and what is printed beside the buffer
KINDS = 2  # of late lines: a client that is slow with one kind only is slow with it

Cause = tuple[str, int]  # (kind of line, when it could have been said)
KIND_OF = {"connecting": "connecting", "snapshot": "answers", "unsupported": "answers", "processed": "processed"}


@dataclass(slots=True, frozen=True)
class Go:
    """Lines that came out of a buffer together: the records of the first and the last, and since when the first was
    due.
    """

    first: int
    last: int
    lines: int
    since: int
    read: int
    at_the_end: bool

    @property
    def why(self) -> str:
        when = "when it ended" if self.at_the_end else "when the buffer was full"
        took = (self.read - self.since) / SECOND
        return f"{BUFFERED}: {self.lines} lines of {took:.0f} s were read in one go {when}; {FLUSH}"


def unless_held(bench: AnyBench, finding: Finding, late: Iterable[Report]) -> Finding:
    """A finding that something was not told, or too late; but where one of the reports `late`, which would have told
    it, came out of a buffer, nobody knows when it was said: *inconclusive*.
    """
    if finding.verdict is Verdict.PASS:
        return finding
    late = list(late)
    goes = list(emptied(bench)) if late else []
    for report in late:
        go = next((go for go in goes if go.first <= report.record <= go.last), None)
        if go is not None:
            observed = f"{go.why} ({finding.observed})"
            evidence = tuple(dict.fromkeys((*finding.evidence, report.record)))
            return replace(finding, verdict=Verdict.INCONCLUSIVE, observed=observed, evidence=evidence)
    return finding


def emptied(bench: AnyBench) -> Iterator[Go]:
    """Every time that a buffer of the client's was emptied, as far as its lines prove that."""
    causes = _Causes(bench)
    end = _ended(bench.talk)
    before: int | None = None  # when the last line of standard output before these was read
    proved = False
    for lines in _goes(bench.talk.told.lines, end):
        at_the_end = end is not None and lines[0].t >= end
        late = causes.late(lines)
        since = min((t for _, t in late), default=lines[0].t)
        if proved and at_the_end and before is not None:  # what is left in a buffer, be it a single line
            yield _go(lines, min(since, before), at_the_end)
        elif _is_proof(lines, late, since, before, at_the_end):
            proved = True
            yield _go(lines, since, at_the_end)
        before = lines[-1].t


def _is_proof(lines: Sequence[Line], late: list[Cause], since: int, before: int | None, at_the_end: bool) -> bool:
    """Whether lines that were read in one go prove a buffer. `late` and `since` tell which of them were late, and since
    when the first of them was due; `before` when the line before them was read.
    """
    if not late or not _many(late, since):
        return False
    if before is not None and before > since + SLACK:
        return False
    return _at_once(lines) and (at_the_end or _size(lines) >= SMALLEST)


def _ended(talk: Transcript[Any]) -> int | None:
    """From when on lines may be what the client printed as it left."""
    ends = [stop.t for stop in talk.stops] + ([ending.t - LEAVING] if (ending := ending_of(talk)) else [])
    ends += [talk.ended_by_us.t] if talk.ended_by_us is not None else []
    return min(ends, default=None)


def _go(lines: Sequence[Line], since: int, at_the_end: bool) -> Go:
    return Go(lines[0].record, lines[-1].record, len(lines), since, lines[0].t, at_the_end)


def _at_once(lines: Sequence[Line]) -> bool:
    """They took no more readings than so many bytes do in one writing: a client that catches up writes line by line."""
    return len({line.t for line in lines}) <= READINGS + _size(lines) // SMALLEST


def _many(late: list[Cause], since: int) -> bool:
    """Whether they are of moments far apart or of different kinds, or one announces a connection that was there all the
    time, which nobody does by design.
    """
    kinds = {kind for kind, _ in late}
    return max(t for _, t in late) - since >= LATE or len(kinds) >= KINDS or "connecting" in kinds


def _goes(lines: Iterable[Line], end: int | None) -> Iterator[list[Line]]:
    """Lines that were read in one go; all that came from the client's end on are one."""
    go: list[Line] = []
    for line in lines:
        over = end is not None and bool(go) and go[0].t >= end
        if go and line.t - go[-1].t > GAP and not over:
            yield go
            go = []
        go.append(line)
    if go:
        yield go


def _size(lines: Iterable[Line]) -> int:
    """Bytes that they were, near enough: with a space after every comma and colon, as most libraries write them."""
    return sum(
        line.length
        if line.report is None
        else len(msgspec.json.format(msgspec.json.encode(line.report.body), indent=0))
        for line in lines
    )


class _Causes:
    """When a line could have been said at the earliest; of what repeats itself, the last time before it was read."""

    def __init__(self, bench: AnyBench) -> None:
        talk = bench.talk
        self._asked = talk.told.commands
        accepted = [c.accepted for c in talk.connections.values() if c.head is not None]
        connecting = [line.record for line in talk.told.lines if line.event == "connecting"]
        # Who does not announce every connection may have announced another one than the first.
        complete = len(connecting) >= len(accepted)
        self._announced = dict(zip(connecting, accepted, strict=False)) if complete else {}
        self._events: dict[tuple[str, str, str], list[int]] = {}
        self._messages = dict(bench.messages_sent())
        for key, t in bench.events_sent():
            self._events.setdefault(key, []).append(t)

    def late(self, lines: Iterable[Line]) -> list[Cause]:
        """Those of the lines that are late, in their order; of a line of which nobody knows it, none."""
        due = [(line, self._due(line)) for line in lines]
        return [(KIND_OF[line.event], t) for line, t in due if t is not None and line.t - t >= LATE]

    def _due(self, line: Line) -> int | None:
        """When it could have been said; None where nobody knows."""
        match line.event:
            case "connecting":
                return self._announced.get(line.record)
            case "snapshot" | "unsupported":
                ident = line.body.get("id")
                return self._asked[ident].t if type(ident) is int and ident in self._asked else None
            case "processed":
                return self._written(line.body, line.t)
        return None

    def _written(self, body: Mapping[str, Any], read: int) -> int | None:
        """When the event or the message was written that a report tells of as processed."""
        key = (str(body.get("entityType")).lower(), str(body.get("id")), str(body.get("eventType")).lower())
        times = sorted(self._events.get(key, ()))
        place = bisect_right(times, read)
        if place:
            return times[place - 1]
        connection, message = body.get("connection"), body.get("message")
        if isinstance(connection, int) and isinstance(message, int):
            return self._messages.get((connection, message))
        return None
