"""Folds a trace into what happened on which connection, in any dialect: the part of the model that all brokers share.

One pass, record by record (`feed`), so that the stage of a running scenario waits on the very model that the judge
sees afterwards. It knows connections, their ends, faults, rules, reports and commands; what a text frame means, a
dialect's own fold adds (`client_text`, `broker_text`). It decides nothing. Times are microseconds since the scenario
began. No I/O, no clock.

A scenario may end the client and start it anew. Then the fold of the first start is over, and what follows is in the
fold of the second, `again`: a check sees one start, and looks at another where it asks for a control. Where the
scenario itself begins anew (`afresh`), it is about what follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Self, TypeVar

import msgspec

from brokercert.judge.asides import Asides, RestCall
from brokercert.judge.moments import Close, End, Moment, Noted, Said
from brokercert.judge.sockets import Loss, Socket
from brokercert.judge.told import Told
from brokercert.trace import Shape
from brokercert.trace import records as r
from brokercert.trace.names import FaultName, RuleName

SECOND = 1_000_000
LOGIN_REFUSED = (401, 403)  # HTTP's status of an upgrade
SILENCES = (FaultName.SILENT, FaultName.HALF_OPEN, FaultName.MID_FRAME)  # after which the broker says nothing more


S = TypeVar("S", bound=Socket)


class Transcript(Generic[S]):
    """Everything that happened in one scenario, folded in one pass."""

    socket: type[S]  # what a dialect's connections are
    rest_prefix: str = ""  # of REST paths, without slashes
    credentials: tuple[str, ...] = ()  # kinds of labels that open something: leaks are looked for
    shape: Shape | None = None  # the client's healthy one, where it is known: whoever folds says so
    token_paths: tuple[str, ...] = ()  # ends of REST paths, in lower case: requests that are a sign of trying again
    again: Self | None = None  # what was said with the client's next start
    afresh = False  # the scenario began anew with it

    def __init__(self) -> None:
        self.connections: dict[int, S] = {}
        self.rest: list[Noted[r.RestRequest]] = []
        self.withheld: list[Noted[r.Withheld]] = []
        self.released: list[Noted[r.Released]] = []
        self.faults: list[Noted[r.Fault]] = []
        self.windows: list[Noted[r.Window]] = []
        self.rules: list[Noted[r.RuleApplied]] = []
        self.loads: list[Noted[r.Load]] = []
        self.canaries: list[Noted[r.Canary]] = []
        self.stalls: list[tuple[int, r.Stall]] = []  # (record, when the harness stood still)
        self.stops: list[Noted[r.StopAsked]] = []
        self.left_off: list[Noted[r.Left]] = []  # why the scenario went no further
        self.violations: list[Noted[r.Violation]] = []  # of HTTP or WebSocket, by the client
        self.told = Told()
        self.asides = Asides(self.rest_prefix, self.credentials)
        self.started: int | None = None
        self.started_record = 0
        self.exited: Noted[r.SubjectExited] | None = None
        self.finished: r.Finished | None = None
        self.over = False  # the harness ended the scenario: what follows is its own doing
        self.ended_by_us: Noted[r.EndedByUs] | None = None  # where nothing of ours had ended it before
        self.background: Noted[r.SubjectExited] | None = None  # its program left, but it went on until then
        self.now = 0
        self.count = 0  # records fed, the header not counted

    # Reading.

    @property
    def upgraded(self) -> list[S]:
        return [c for c in self.connections.values() if c.upgraded]

    def last_opening(self) -> int:
        """When the client last opened something new: an answered upgrade, and what a dialect counts with it."""
        return max((c.upgraded.t for c in self.upgraded if c.upgraded is not None), default=0)

    def judged_stops(self) -> Iterator[Noted[r.StopAsked]]:
        """Each request to stop that is judged, and that found the client running."""
        exited = self.exited.t if self.exited is not None else self.now
        return (stop for stop in self.stops if stop.what.judged and stop.t <= exited)

    @property
    def end(self) -> int:
        """When the observation ended: the harness's own end of the subject, or the trace's last moment."""
        ends = [t for t, _, stop in self.stops if not stop.judged]
        ends += [self.ended_by_us.t] if self.ended_by_us is not None else []
        return min([*ends, self.now])

    def died(self) -> Noted[r.SubjectExited] | None:
        """An exit that nobody asked for."""
        return self.exited if self.exited is not None and not self.exited.what.asked else None

    def refusals(self) -> Iterator[Moment]:
        """When a login of the client's was refused: an upgrade, or a request for a token. A dialect may know more."""
        for c in self.connections.values():
            if c.refused_status in LOGIN_REFUSED and c.disturbed is not None:
                yield c.disturbed
        yield from (Moment(call.t, call.record) for call in self.asides.rest if self._is_refused_token(call))

    def _is_refused_token(self, call: RestCall) -> bool:
        return call.refused and f"/{call.endpoint}".endswith(self.token_paths)

    def grants(self) -> Iterator[Moment]:
        """When a login of the client's was granted: an upgrade. A dialect may have another sign."""
        return (c.upgraded for c in self.connections.values() if c.upgraded is not None)

    def ended_as(self, state: str) -> r.Finished | None:
        """The end of the scenario, where it came to that one."""
        return self.finished if self.finished is not None and self.finished.state == state else None

    def withheld_spans(self, what: str) -> Iterator[tuple[int, int, int]]:
        """(conn, from, to) of everything withheld under that name; an unreleased one ends with the trace."""
        for start, _, record in self.withheld:
            if record.what == what:
                yield record.conn, start, self._released_at(record, start)

    def _released_at(self, withheld: r.Withheld, start: int) -> int:
        """When what was withheld at `start` was let go, or the trace's last moment."""
        same = (withheld.conn, withheld.what)
        return next((t for t, _, x in self.released if (x.conn, x.what) == same and t >= start), self.now)

    @property
    def starts(self) -> Iterator[Self]:
        """The folds of all starts of the client, this one first."""
        one: Self | None = self
        while one is not None:
            yield one
            one = one.again

    @property
    def newest(self) -> Self:
        """The fold of its latest start."""
        return self if self.again is None else self.again.newest

    @property
    def about(self) -> Self:
        """The fold that the scenario is about: where it began anew, the one from there on."""
        return next((one for one in self.starts if one.afresh), self)

    # Folding.

    def feed(self, record: r.Body) -> None:
        if self.again is None and self.started is not None and _is_anew(record):
            again: Any = self._begun_anew()  # `Self`, which mypy does not see in a generic class
            again.afresh = isinstance(record, r.Afresh)
            self.again = again
        if self.again is None:
            self._feed(record)
        else:
            self._pass_on(self.again, record)

    def _begun_anew(self) -> Self:
        """The fold of the client's next start: of the same dialect and shape, and nothing is told of it yet."""
        again = type(self)()
        again.count, again.shape = self.count, self.shape
        return again

    def _pass_on(self, again: Self, record: r.Body) -> None:
        """A record of after the next start: for that one's fold, but for the last words of this one's sockets. Of how
        the scenario went every fold is told.
        """
        if getattr(record, "conn", 0) in self.connections:
            again.skip()
            return
        again.feed(record)
        if isinstance(record, r.Finished):
            self.finished = record
        elif isinstance(record, r.Stall):
            self.stalls.append((again.newest.count, record))

    def skip(self) -> None:
        """A record that is not for this fold: those that follow are numbered as they stand in the trace."""
        self.newest.count += 1

    def _feed(self, record: r.Body) -> None:
        self.count += 1
        number = self.count
        self.now = max(self.now, record.t)
        self._always(number, record)
        self.asides.search(number, record)
        if self.over and not isinstance(record, r.SubjectExited | r.Finished):
            return
        self.asides.feed(number, record)
        fold = FOLDS.get(type(record))
        if fold is not None:
            fold(self, number, record)

    def _always(self, number: int, record: r.Body) -> None:
        """What counts whoever ended the scenario."""
        if isinstance(record, r.SubjectOutput | r.SubjectReport | r.BrokenReport):
            self.told.on_line(number, record, self.over)
        elif isinstance(record, r.OutputDropped):
            self.told.on_dropped(record)
        elif isinstance(record, r.Stall):
            self.stalls.append((number, record))

    # One function a kind of record: `FOLDS` below says which.

    def _accepted(self, number: int, record: r.Accepted) -> None:
        self.connections[record.conn] = self.socket(record.conn, record.t, number)

    def _head(self, number: int, record: r.Head) -> None:
        c = self.connections[record.conn]
        if record.upgrade:
            c.head = Moment(record.t, number)
            c.target, _, c.query = record.target.partition("?")
        else:
            c.rest = True

    def _upgrade_answer(self, number: int, record: r.UpgradeAnswer) -> None:
        c = self.connections[record.conn]
        if record.status == 101:
            c.upgraded = Moment(record.t, number)
        else:
            c.refused_status = record.status
            self.disturb(c, record.t, number)

    def _rest_request(self, number: int, record: r.RestRequest) -> None:
        self.rest.append(Noted(record.t, number, record))

    def _rest_answer(self, number: int, record: r.RestAnswer) -> None:
        self.connections[record.conn].last_rest = record.t

    def _ended(self, number: int, record: r.Ended) -> None:
        c = self.connections[record.conn]
        c.ended.append(End(record.t, number, record.by, record.how))
        self.lose(c, Loss(record.t, number, record.by, record.how))

    def _raw(self, number: int, record: r.Raw) -> None:
        c = self.connections[record.conn]
        c.raw.append(Noted(record.t, number, _bytes(record.base64)))
        self.disturb(c, record.t, number)

    def _withheld(self, number: int, record: r.Withheld) -> None:
        self.withheld.append(Noted(record.t, number, record))
        self._disturbed(record.conn, record.t, number)

    def _released(self, number: int, record: r.Released) -> None:
        self.released.append(Noted(record.t, number, record))

    def _rule_applied(self, number: int, record: r.RuleApplied) -> None:
        self.rules.append(Noted(record.t, number, record))
        self._disturbed(record.conn, record.t, number, passes=record.name == RuleName.TICKET)

    def _window(self, number: int, record: r.Window) -> None:
        self.windows.append(Noted(record.t, number, record))

    def _report(self, number: int, record: r.SubjectReport) -> None:
        self.told.on_report(number, record)

    def _broken_report(self, number: int, record: r.BrokenReport) -> None:
        self.told.broken.append(Noted(record.t, number, record))

    def _command(self, number: int, record: r.Command) -> None:
        self.told.on_command(number, record)

    def _ledger(self, number: int, record: r.Ledger) -> None:
        self.told.ledgers[record.name] = Noted(record.t, number, record.state)

    def _violation(self, number: int, record: r.Violation) -> None:
        self.violations.append(Noted(record.t, number, record))

    def _left(self, number: int, record: r.Left) -> None:
        self.left_off.append(Noted(record.t, number, record))

    def _load(self, number: int, record: r.Load) -> None:
        self.loads.append(Noted(record.t, number, record))

    def _canary(self, number: int, record: r.Canary) -> None:
        self.canaries.append(Noted(record.t, number, record))

    def _stop_asked(self, number: int, record: r.StopAsked) -> None:
        self.stops.append(Noted(record.t, number, record))
        self.over = not record.judged
        self._disturb_all(record.t, number)

    def _started(self, number: int, record: r.SubjectStarted) -> None:
        self.started, self.started_record = record.t, number

    def _exited(self, number: int, record: r.SubjectExited) -> None:
        if not self.over:  # else it was the harness that ended it
            self.exited = Noted(record.t, number, record)

    def _finished(self, number: int, record: r.Finished) -> None:
        self.finished = record

    def _ended_by_us(self, number: int, record: r.EndedByUs) -> None:
        exited = self.exited
        if record.why == "left-over" and exited is not None and self._goes_on(exited.record, exited.what):
            # What can still come, came, or stands is not over: no check may take that exit for the client's.
            self.background, self.exited = exited, None
        self.over = True
        self.ended_by_us = Noted(record.t, number, record)
        self._disturb_all(record.t, number)

    def _goes_on(self, number: int, left: r.SubjectExited) -> bool:
        """Whether what its program left running is the client itself: it holds a connection, made one since, or may
        have been about to make the first. An exit with an error that nobody asked for is a crash, whatever goes on.
        """
        if left.code != 0 and not left.asked:
            return False
        connections = self.connections.values()
        lives = any(c.is_heard or c.accepted_record > number for c in connections)
        return lives or not connections

    def _frame(self, number: int, frame: r.Frame) -> None:
        c = self.connections[frame.conn]
        if frame.sender == "client":
            self._client_frame(c, number, frame)
        else:
            c.sent.append(Moment(frame.t, number))
            self._broker_frame(c, number, frame)

    def _client_frame(self, c: S, number: int, frame: r.Frame) -> None:
        if frame.opcode == 1:
            self.client_text(c, number, frame.t, frame.text or "")
        elif frame.opcode == 2:
            c.binary_received.append(Moment(frame.t, number))
        elif frame.opcode == 10:
            c.ponged.append(Said(frame.t, number, payload_of(frame)))
        elif frame.opcode == 8 and c.client_close is None:
            c.client_close = Close(frame.t, number, frame.code)
            self.lose(c, Loss(frame.t, number, "client", f"close {frame.code or 'without a code'}"))

    def _broker_frame(self, c: S, number: int, frame: r.Frame) -> None:
        if frame.opcode == 1:
            self.broker_text(c, number, frame.t, frame.text if frame.text is not None else "\ufffd")
        elif frame.opcode == 9:
            c.pinged.append(Said(frame.t, number, payload_of(frame)))
        elif frame.opcode == 8 and c.broker_close is None:
            c.broker_close = Close(frame.t, number, frame.code)
            self.lose(c, Loss(frame.t, number, "broker", f"close {frame.code or 'without a code'}"))

    def client_text(self, c: S, number: int, t: int, text: str) -> None:
        """A text message of the client's; `number` is its record's."""
        raise NotImplementedError

    def broker_text(self, c: S, number: int, t: int, text: str) -> None:
        """A text message of the broker's."""
        raise NotImplementedError

    def _fault(self, number: int, fault: r.Fault) -> None:
        self.faults.append(Noted(fault.t, number, fault))
        for c in self._touched(fault.conn):
            if fault.name == FaultName.PROXY_DOWN:
                self._cut(c, number, fault)
            elif fault.name.startswith(SILENCES) and c.silent is None and c.loss is None:  # what ended says nothing
                c.silent = Moment(fault.t, number)
            self.disturb(c, fault.requested, number)

    def _touched(self, conn: int) -> Iterable[S]:
        """That connection where there is one, or all of them for 0."""
        if conn == 0:
            return self.connections.values()
        # A storm is a fault for each of its connections: to look at all others each time would stop the loop.
        return [self.connections[conn]] if conn in self.connections else []

    def _cut(self, c: S, number: int, fault: r.Fault) -> None:
        """The proxy ends both sides; the broker sees that as the client's FIN, which it is not."""
        if not c.lost_before(fault.requested):
            c.loss = Loss(fault.requested, number, "network", fault.name)

    def _disturbed(self, conn: int, t: int, number: int, *, passes: bool = False) -> None:
        if conn in self.connections:
            self.disturb(self.connections[conn], t, number, passes=passes)

    def _disturb_all(self, t: int, number: int) -> None:
        for c in self.connections.values():
            self.disturb(c, t, number)

    def lose(self, c: S, loss: Loss) -> None:
        if c.loss is None:
            c.loss = loss
        if loss.by != "client":
            self.disturb(c, loss.t, loss.record)

    def disturb(self, c: S, t: int, number: int, *, passes: bool = False) -> None:
        """Something was no healthy broker's doing. What `passes` excuses for a time, of which the dialect knows."""
        if c.loss is None or (c.loss.t, c.loss.record) >= (t, number):
            c.disturbed = c.disturbed or Moment(t, number)
            if not passes:
                c.excused = c.excused or Moment(t, number)


FOLDS: dict[type[r.Body], Callable[[Any, int, Any], None]] = {
    r.Frame: Transcript._frame,
    r.Accepted: Transcript._accepted,
    r.Head: Transcript._head,
    r.UpgradeAnswer: Transcript._upgrade_answer,
    r.RestRequest: Transcript._rest_request,
    r.RestAnswer: Transcript._rest_answer,
    r.Ended: Transcript._ended,
    r.Fault: Transcript._fault,
    r.Raw: Transcript._raw,
    r.Withheld: Transcript._withheld,
    r.Released: Transcript._released,
    r.RuleApplied: Transcript._rule_applied,
    r.Window: Transcript._window,
    r.SubjectReport: Transcript._report,
    r.BrokenReport: Transcript._broken_report,
    r.Command: Transcript._command,
    r.Ledger: Transcript._ledger,
    r.Left: Transcript._left,
    r.Violation: Transcript._violation,
    r.Load: Transcript._load,
    r.Canary: Transcript._canary,
    r.StopAsked: Transcript._stop_asked,
    r.SubjectStarted: Transcript._started,
    r.SubjectExited: Transcript._exited,
    r.EndedByUs: Transcript._ended_by_us,
    r.Finished: Transcript._finished,
}


def _is_anew(record: r.Body) -> bool:
    """Whether it is another start of a client that ran before, or what begins there."""
    return isinstance(record, r.Afresh) or (isinstance(record, r.SubjectStarted) and record.start > 1)


def payload_of(frame: r.Frame) -> str:
    """What a control frame carries, to be compared: its text, or else its bytes as base64."""
    return frame.text or f"base64:{frame.base64}" if frame.text or frame.base64 else ""


def _bytes(encoded: str) -> bytes:
    """What base64 says; nothing where it is none, as in a trace that somebody else wrote."""
    try:
        return msgspec.convert(encoded, bytes, strict=False)
    except msgspec.ValidationError:
        return b""
