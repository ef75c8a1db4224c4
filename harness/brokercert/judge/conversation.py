"""Folds a trace into what was said on which connection: the one model that every check reads.

One pass, record by record (`feed`), so that the stage of a running scenario waits on the very model that the judge
sees afterwards. The fold interprets frames (requests, answers, heartbeats, losses); it decides nothing. It shares no
code with the broker or the reference client: a server encodes what a client decodes, and one misreading must not
cancel another. Times are microseconds since the scenario began. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from brokercert.judge.told import Told
from brokercert.trace import records as r

SECOND = 1_000_000
LossBy = Literal["broker", "network", "client"]
TOKEN_PATHS = ("/auth/accesstokenrequest", "/auth/renewaccesstoken")


@dataclass(slots=True, eq=False)
class Answer:
    """A broker's answer to a request. `data` is its `d`, None where there is none."""

    t: int
    record: int
    status: int
    data: Any

    @property
    def ticket(self) -> str | None:
        """The ticket's label, where the answer is a time penalty (TP §7.2)."""
        value = self.data.get("p-ticket") if isinstance(self.data, dict) else None
        return value if isinstance(value, str) and value else None

    @property
    def wait(self) -> int:
        """`p-time` in microseconds."""
        value = self.data.get("p-time", 0) if isinstance(self.data, dict) else 0
        return round(value * SECOND) if isinstance(value, int | float) else 0

    @property
    def captcha(self) -> bool:
        return isinstance(self.data, dict) and self.data.get("p-captcha") is True

    @property
    def ok(self) -> bool:
        """A success in the documents' sense: 2xx, and neither a ticket nor an error text inside (TP §3)."""
        if not 200 <= self.status < 300 or self.ticket:
            return False
        return not (isinstance(self.data, dict) and self.data.get("errorText"))


@dataclass(slots=True, eq=False)
class Request:
    """A request of the client on a socket. `body` is decoded JSON where it is JSON, else the text itself."""

    t: int
    record: int
    conn: int
    endpoint: str  # lower case
    id: str
    query: str
    text: str
    body: Any
    answer: Answer | None = None

    @property
    def ticket(self) -> str | None:
        value = self.body.get("p-ticket") if isinstance(self.body, dict) else None
        return value if isinstance(value, str) else None


@dataclass(slots=True, frozen=True)
class Loss:
    """The end of a connection as the client can see it, or its own giving up."""

    t: int
    record: int
    by: LossBy
    how: str  # "close 1012", "c[3000]", "fin", "rst", "proxy-down"


@dataclass(slots=True, eq=False)
class Connection:
    """One TCP connection as the broker saw it."""

    id: int
    accepted: int
    accepted_record: int
    head: tuple[int, int] | None = None  # (t, record) of a complete upgrade head
    target: str = ""
    origin: str = ""
    last_rest: int | None = None  # t of the last REST answer on it
    rest: bool = False
    upgraded: tuple[int, int] | None = None
    refused_status: int | None = None
    opens: list[tuple[int, int]] = field(default_factory=list)
    beats: list[tuple[int, int]] = field(default_factory=list)  # the client's `[]`
    server_beats: list[tuple[int, int]] = field(default_factory=list)  # the broker's `h`
    sent: list[tuple[int, int]] = field(default_factory=list)  # every complete frame that the broker sent
    data_sent: list[tuple[int, int, str]] = field(default_factory=list)  # text messages but `h`: (t, record, text)
    requests: list[Request] = field(default_factory=list)
    other: list[tuple[int, int, str]] = field(default_factory=list)  # client text that is neither
    pings_sent: list[int] = field(default_factory=list)
    pongs: list[int] = field(default_factory=list)
    client_close: tuple[int, int, int | None] | None = None  # (t, record, code)
    broker_close: tuple[int, int, int | None] | None = None
    protocol_close: tuple[int, int] | None = None
    ended: list[tuple[int, int, r.Side, str]] = field(default_factory=list)
    loss: Loss | None = None
    silent: tuple[int, int] | None = None  # (t, record) since when the broker says nothing more
    disturbed: tuple[int, int] | None = None  # the first thing that was no healthy broker's doing
    raw: list[tuple[int, int]] = field(default_factory=list)

    @property
    def authorizes(self) -> list[Request]:
        return [request for request in self.requests if request.endpoint == "authorize"]

    @property
    def syncs(self) -> list[Request]:
        return [request for request in self.requests if request.endpoint == "user/syncrequest"]

    @property
    def authorized(self) -> Answer | None:
        """The answer that authorized it."""
        return next((a.answer for a in self.authorizes if a.answer and a.answer.ok), None)

    @property
    def refused(self) -> Answer | None:
        return next((a.answer for a in self.authorizes if a.answer and a.answer.status in (401, 403)), None)

    @property
    def synced(self) -> Answer | None:
        return next((s.answer for s in self.syncs if s.answer and s.answer.ok), None)

    @property
    def opened(self) -> int | None:
        """When its first `o` was written."""
        return self.opens[0][0] if self.opens else None

    @property
    def closed(self) -> int | None:
        """When either side first ended the TCP connection."""
        return self.ended[0][0] if self.ended else None

    @property
    def is_open(self) -> bool:
        """Upgraded, and neither lost nor given up (a silent server's socket is open)."""
        return self.upgraded is not None and self.loss is None and not self.ended

    def given_up(self) -> Loss | None:
        """The client's own end of it, where the broker or the network had not ended it before."""
        return self.loss if self.loss is not None and self.loss.by == "client" else None

    def last_seen(self, until: int) -> int:
        """Up to when it was observed alive: its loss, or `until`."""
        return self.loss.t if self.loss is not None else until


class Conversation:
    """Everything said in one scenario, folded in one pass."""

    def __init__(self) -> None:
        self.connections: dict[int, Connection] = {}
        self.rest: list[tuple[int, int, r.RestRequest]] = []
        self.withheld: list[tuple[int, int, r.Withheld]] = []
        self.released: list[tuple[int, int, r.Released]] = []
        self.faults: list[tuple[int, int, r.Fault]] = []
        self.windows: list[tuple[int, int, r.Window]] = []
        self.rules: list[tuple[int, int, r.RuleApplied]] = []
        self.stops: list[tuple[int, int, r.StopAsked]] = []
        self.told = Told()
        self.started: int | None = None
        self.exited: tuple[int, int, r.SubjectExited] | None = None
        self.finished: r.Finished | None = None
        self.over = False  # the harness ended the scenario: what follows is its own doing
        self.now = 0
        self.count = 0  # records fed, the header not counted

    # Reading.

    @property
    def upgraded(self) -> list[Connection]:
        return [c for c in self.connections.values() if c.upgraded]

    @property
    def authorized(self) -> list[Connection]:
        return [c for c in self.connections.values() if c.authorized]

    @property
    def synced(self) -> list[Connection]:
        """The sockets that sent a sync request: the ones that have a lane."""
        return [c for c in self.connections.values() if c.syncs]

    def working(self) -> list[Connection]:
        """The sockets that heartbeat and stability rows look at: those with a lane, else all that are authorized."""
        return self.synced or self.authorized

    def left_by(self, until: int) -> bool:
        """The client had left by then, asked or not."""
        return self.exited is not None and self.exited[0] <= until

    def died(self) -> tuple[int, int, r.SubjectExited] | None:
        """An exit that nobody asked for."""
        return self.exited if self.exited is not None and not self.exited[2].asked else None

    def withheld_spans(self, what: str) -> Iterator[tuple[int, int, int]]:
        """(conn, from, to) of everything withheld under that name; an unreleased one ends with the trace."""
        for start, _, record in self.withheld:
            if record.what != what:
                continue
            end = next(
                (t for t, _, x in self.released if x.conn == record.conn and x.what == what and t >= start), self.now
            )
            yield record.conn, start, end

    # Folding.

    def feed(self, record: r.Body) -> None:
        self.count += 1
        number = self.count
        t = record.t
        self.now = max(self.now, t)
        if self.over and not isinstance(record, r.SubjectExited | r.Finished):
            return
        match record:
            case r.Frame():
                self._frame(number, record)
            case r.Accepted(conn=conn):
                self.connections[conn] = Connection(conn, t, number)
            case r.Head(conn=conn, upgrade=upgrade):
                c = self.connections[conn]
                if upgrade:
                    c.head, c.target = (t, number), record.target.partition("?")[0]
                else:
                    c.rest = True
            case r.UpgradeAnswer(conn=conn, status=status):
                c = self.connections[conn]
                if status == 101:
                    c.upgraded = (t, number)
                else:
                    c.refused_status = status
                    self._disturb(c, t, number)
            case r.RestRequest():
                self.rest.append((t, number, record))
            case r.RestAnswer(conn=conn):
                self.connections[conn].last_rest = t
            case r.Ended(conn=conn, by=by, how=how):
                c = self.connections[conn]
                c.ended.append((t, number, by, how))
                self._lose(c, Loss(t, number, by, how))
            case r.Fault():
                self._fault(number, record)
            case r.Raw(conn=conn):
                self.connections[conn].raw.append((t, number))
                self._disturb(self.connections[conn], t, number)
            case r.Withheld(conn=conn):
                self.withheld.append((t, number, record))
                if conn in self.connections:
                    self._disturb(self.connections[conn], t, number)
            case r.Released():
                self.released.append((t, number, record))
            case r.RuleApplied():
                self.rules.append((t, number, record))
                if record.conn in self.connections:
                    self._disturb(self.connections[record.conn], t, number)
            case r.Window():
                self.windows.append((t, number, record))
            case r.SubjectReport():
                self.told.on_report(number, record)
            case r.BrokenReport():
                self.told.broken.append((t, number, record))
            case r.Command():
                self.told.on_command(number, record)
            case r.Ledger():
                self.told.ledgers[record.name] = (t, number, record.state)
            case r.StopAsked():
                self.stops.append((t, number, record))
                self.over = not record.judged
                for c in self.connections.values():
                    self._disturb(c, t, number)
            case r.SubjectStarted():
                self.started = t
            case r.SubjectExited():
                if not self.over:  # else it was the harness that ended it
                    self.exited = (t, number, record)
            case r.Finished():
                self.finished = record
            case _:
                pass

    def _frame(self, number: int, frame: r.Frame) -> None:
        c = self.connections[frame.conn]
        t = frame.t
        if frame.sender == "client":
            if frame.opcode == 1:
                self._client_text(c, number, t, frame.text or "")
            elif frame.opcode == 10:
                c.pongs.append(t)
            elif frame.opcode == 8 and c.client_close is None:
                c.client_close = (t, number, frame.code)
                self._lose(c, Loss(t, number, "client", f"close {frame.code or 'without a code'}"))
            return
        c.sent.append((t, number))
        if frame.opcode == 1:
            self._broker_text(c, number, t, frame.text if frame.text is not None else "\ufffd")
        elif frame.opcode == 9:
            c.pings_sent.append(t)
        elif frame.opcode == 8 and c.broker_close is None:
            c.broker_close = (t, number, frame.code)
            self._lose(c, Loss(t, number, "broker", f"close {frame.code or 'without a code'}"))

    def _client_text(self, c: Connection, number: int, t: int, text: str) -> None:
        if text.strip() == "[]":
            c.beats.append((t, number))
            return
        parts = text.split("\n", 3)
        if len(parts) < 3 or not parts[0].strip():
            c.other.append((t, number, text))
            return
        endpoint, ident, query = (part.strip() for part in parts[:3])
        body = parts[3] if len(parts) > 3 else ""
        c.requests.append(
            Request(
                t=t,
                record=number,
                conn=c.id,
                endpoint=endpoint.lower().lstrip("/"),
                id=ident,
                query="" if query == "undefined" else query,
                text=body,
                body=_json_or_text("" if body.strip() == "undefined" else body),
            )
        )

    def _broker_text(self, c: Connection, number: int, t: int, text: str) -> None:
        if text == "h":
            c.server_beats.append((t, number))
            return
        c.data_sent.append((t, number, text))
        if text == "o":
            c.opens.append((t, number))
            if len(c.opens) > 1:
                self._disturb(c, t, number)
        elif text.startswith("c[") and c.protocol_close is None and messages_of(text) is not None:
            c.protocol_close = (t, number)
            self._lose(c, Loss(t, number, "broker", text[:40]))
        elif text.startswith("a[") and '"i":' in text:
            self._answers(c, number, t, text)

    def _answers(self, c: Connection, number: int, t: int, text: str) -> None:
        for message in messages_of(text) or ():
            if not isinstance(message, dict) or "i" not in message or "s" not in message:
                continue
            ident = str(message["i"])
            for request in reversed(c.requests):
                if request.id == ident and request.answer is None:
                    status = message["s"] if isinstance(message["s"], int) else 0
                    request.answer = Answer(t, number, status, message.get("d"))
                    break

    def _fault(self, number: int, fault: r.Fault) -> None:
        self.faults.append((fault.t, number, fault))
        for c in self.connections.values():
            if fault.conn not in (0, c.id):
                continue
            if fault.name == "proxy-down":
                # The proxy ends both sides; the broker sees that as the client's FIN, which it is not.
                if c.loss is None or c.loss.t >= fault.requested:
                    c.loss = Loss(fault.requested, number, "network", fault.name)
            elif fault.name.startswith(("silent", "half-open", "mid-frame")) and c.silent is None:
                c.silent = (fault.t, number)
            self._disturb(c, fault.requested, number)

    def _lose(self, c: Connection, loss: Loss) -> None:
        if c.loss is None:
            c.loss = loss
        if loss.by != "client":
            self._disturb(c, loss.t, loss.record)

    def _disturb(self, c: Connection, t: int, number: int) -> None:
        if c.disturbed is None and (c.loss is None or c.loss.t >= t):
            c.disturbed = (t, number)


def messages_of(text: str) -> list[Any] | None:
    """The elements of an `a[...]` frame, or None where it is malformed."""
    try:
        elements = msgspec.json.decode(text[1:])
    except (msgspec.DecodeError, RecursionError):
        return None
    return elements if isinstance(elements, list) else None


def _json_or_text(text: str) -> Any:
    if not text.strip():
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
