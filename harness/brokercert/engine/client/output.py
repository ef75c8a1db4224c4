"""What a client prints: always read, so that a full pipe never stops its heartbeats, and kept within bounds.

The law: reading stamps and counts only; decoding, JSON and recording come later, a few lines at a time, so that a
client that floods its output delays nobody else in the loop. What is beyond the bounds is counted, not kept. A text is
handed on with `MARGIN` more than is shown of it: whoever writes it cleans it first, and then cuts it.
"""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from brokercert.engine.client.subject import Clock, Level, Stream, SubjectObserver
from brokercert.trace.clean import MARGIN
from brokercert.trace.writer import LONGEST_LINE, SHOWN_OF_BROKEN

LONGEST_REPORT = 4 * 1024 * 1024  # bytes: a snapshot is one line, 20,000 orders of 200 bytes: three times the largest
MOST_LINES = 5_000  # of one run, reports apart: a talkative log of some minutes; a trace stays readable
MOST_REPORTS = 50_000  # of one run: the 10,000 of the processing burst, several times over
MOST_BYTES = 16 * 1024 * 1024  # of one run, of both; 40 of them at once still fit a small machine
TAIL_LINES = 20  # what a developer is shown of a client that got nowhere
TAIL_WIDTH = 2_000  # characters of a line in that tail, once it is cleaned
TAIL_KEPT = TAIL_WIDTH + MARGIN  # bytes of it until then
MARK = codecs.BOM_UTF8  # some runtimes begin their standard output with it: it is no part of the text
SLICE = 32  # lines told in one go: some 2 ms of recording, well below every limit ...
SLICE_BYTES = 64 * 1024  # ... and bytes of them: a large snapshot goes alone
TELL_DROPPED = 5.0  # seconds between two records of dropped output


class Output:
    """Both streams of one client."""

    def __init__(self, observer: SubjectObserver, clock: Clock, level: Level) -> None:
        self._observer = observer
        self._clock = clock
        self._reports = level != "wire"  # a wire-level client may log JSON with an "event" of its own
        self._partial: dict[Stream, bytearray] = {"out": bytearray(), "err": bytearray()}
        self._skipping: set[Stream] = set()  # inside a line whose beginning was told as cut
        self._queue: deque[tuple[float, Stream, bytes, bool, int]] = deque()
        self._read: dict[Stream, int] = {"out": 0, "err": 0}  # lines that ended so far
        self._tail: deque[bytes] = deque(maxlen=TAIL_LINES)
        self._lines = self._bytes = 0  # kept so far
        self._reported = 0
        self._lost_lines = self._lost_bytes = 0  # dropped and not told yet
        self._told_dropped = -TELL_DROPPED
        self._pumping = False
        self._held = False
        self._waiting: list[Callable[[], None]] = []

    @property
    def tail(self) -> list[str]:
        """The last lines, an unfinished one included, neither cleaned nor cut to `TAIL_WIDTH`."""
        unfinished = [bytes(part[:TAIL_KEPT]) for s, part in self._partial.items() if part and s not in self._skipping]
        return [_text(line) for line in [*self._tail, *unfinished][-TAIL_LINES:]]

    def feed(self, stream: Stream, data: bytes) -> None:
        """Bytes that were just read."""
        at = self._clock()
        if self.full:
            self._drop(stream, data)
        else:
            self._keep(stream, data, at)
        if self._lost_bytes and at - self._told_dropped >= TELL_DROPPED:
            self._tell_dropped(at)
        self._pump_soon()

    def line(self, stream: Stream, text: str) -> None:
        """A line that came as a text."""
        self.feed(stream, text.encode("utf-8", "replace") + b"\n")

    def end(self, stream: Stream) -> None:
        """The stream was closed: a last line may lack its end."""
        rest = bytes(self._partial[stream])
        self._partial[stream].clear()
        if rest and stream not in self._skipping:
            self._add(self._clock(), stream, rest, False)
        self._skipping.discard(stream)
        self._pump_soon()

    def when_told(self, then: Callable[[], None]) -> None:
        """Call `then` once everything that was read has been told."""
        self._waiting.append(then)
        self._pump_soon()

    def hold(self) -> None:
        """Only stamp what is read from here on, until `go_on`: telling it computes, and something is being timed."""
        self._held = True

    def go_on(self) -> None:
        self._held = False
        self._pump_soon()

    @property
    def reported(self) -> int:
        """Lines read so far that look like reports."""
        return self._reported

    @property
    def waiting(self) -> int:
        """Lines that were read and are not told yet."""
        return len(self._queue)

    # Reading.

    @property
    def full(self) -> bool:
        """Nothing more is kept: what comes is a flood, which need not be read at full speed."""
        reports = not self._reports or self._reported >= MOST_REPORTS
        return (self._lines >= MOST_LINES and reports) or self._bytes >= MOST_BYTES

    def _keep(self, stream: Stream, data: bytes, at: float) -> None:
        *complete, rest = data.split(b"\n")
        partial = self._partial[stream]
        for piece in complete:
            if stream in self._skipping:
                self._skipping.discard(stream)
                self._lost_bytes += len(piece)
            else:
                line = bytes(partial) + piece if partial else piece
                partial.clear()
                most = self._longest(stream, line)
                self._add(at, stream, line[: most + MARGIN].removesuffix(b"\r"), len(line) > most)
                self._lost_bytes += max(0, len(line) - most)
        if stream in self._skipping:
            self._lost_bytes += len(rest)
            return
        partial += rest
        most = self._longest(stream, partial)
        if len(partial) > most + MARGIN:
            self._lost_bytes += len(partial) - most
            self._add(at, stream, bytes(partial[: most + MARGIN]), True)
            partial.clear()
            self._skipping.add(stream)

    def _may_report(self, stream: Stream, line: bytes | bytearray) -> bool:
        return self._reports and stream == "out" and line.startswith((b"{", MARK + b"{"))

    def _longest(self, stream: Stream, line: bytes | bytearray) -> int:
        return LONGEST_REPORT if self._may_report(stream, line) else LONGEST_LINE

    def _add(self, at: float, stream: Stream, line: bytes, cut: bool) -> None:
        self._read[stream] += 1
        self._tail.append(line[:TAIL_KEPT])
        report = self._may_report(stream, line)
        if (self._reported >= MOST_REPORTS if report else self._lines >= MOST_LINES) or self._bytes >= MOST_BYTES:
            self._lost_lines += 1
            self._lost_bytes += len(line)
            return
        if report:
            self._reported += 1
        else:
            self._lines += 1
        self._bytes += len(line)
        self._queue.append((at, stream, line, cut, self._read[stream]))

    def _drop(self, stream: Stream, data: bytes) -> None:
        """Beyond the bounds: only the tail is kept up."""
        ended = data.count(b"\n")
        self._read[stream] += ended
        self._lost_lines += ended
        self._lost_bytes += len(data)
        *complete, rest = data.rsplit(b"\n", TAIL_LINES)
        if complete:
            partial = self._partial[stream]
            first = complete[0].rpartition(b"\n")[2]
            self._tail.extend(piece[:TAIL_KEPT] for piece in (bytes(partial) + first, *complete[1:]))
            partial.clear()
            self._skipping.discard(stream)
        room = TAIL_KEPT - len(self._partial[stream])
        self._partial[stream] += rest[: max(0, room)]

    # Telling.

    def _pump_soon(self) -> None:
        if not self._held and not self._pumping and (self._queue or self._waiting):
            self._pumping = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._pumping = False
        if self._held:
            return
        told = 0
        for _ in range(min(SLICE, len(self._queue))):
            told += len(self._queue[0][2])
            try:
                self._tell(*self._queue.popleft())
            except Exception:
                self._pump_soon()  # the others are told all the same
                raise
            if told > SLICE_BYTES:
                break
        if not self._queue and self._waiting:
            if self._lost_bytes or self._lost_lines:
                self._tell_dropped(self._clock())
            waiting, self._waiting = self._waiting, []
            for then in waiting:
                then()
        self._pump_soon()

    def _tell(self, at: float, stream: Stream, line: bytes, cut: bool, number: int) -> None:
        if not self._may_report(stream, line):
            self._observer.output(at, stream, _text(line), cut)
            return
        body, why = (None, f"longer than {LONGEST_REPORT} bytes") if cut else report_of(line)
        if body is not None:
            self._observer.report(at, body["event"], body)
        elif why:
            self._observer.broken_report(at, number, _text(line[: SHOWN_OF_BROKEN + MARGIN]), why)
        else:
            self._observer.output(at, stream, _text(line[: LONGEST_LINE + MARGIN]), len(line) > LONGEST_LINE)

    def _tell_dropped(self, at: float) -> None:
        self._told_dropped = at
        self._observer.dropped(at, self._lost_lines, self._lost_bytes)
        self._lost_lines = self._lost_bytes = 0


def report_of(line: bytes) -> tuple[dict[str, Any] | None, str]:
    """(the report of a line that begins as a JSON object, why it cannot be read). Neither: an object of its own."""
    try:
        body = msgspec.json.decode(line.removeprefix(MARK))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return None, str(error)
    if isinstance(body, dict) and isinstance(body.get("event"), str):
        return body, ""
    return None, ""


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")
