"""What must hold on the wire and in what a client tells, whatever happens: a recorder that looks while it is told.

The law: it takes what a broker tells a recorder and what the client prints, judges as it comes, and does no I/O and
reads no clock. The first breach is kept; it names the invariant, the moment, and what was seen. What a request, a
ticket, a success and an outcome are is read by the judge's own functions. Only the counting is done here, since a
simulation of hours keeps no trace.

    one-sync          one logical sync request a socket: a further one only after a ticket that asks for it
    authorized-first  nothing but authorize and heartbeats before the answer to authorize was written
    request-once      what the client was asked to send reaches the broker once (and once more after each ticket), ends
                      with one outcome, and with success only where the broker answered so
    alive             the client does not leave
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from brokercert_mock.port.recorder import Ending, Recorder, Side

from brokercert.judge.told import Report, outcome_of
from brokercert.judge.tradovate.model.conversation import Answer, Request, decoded, request_of
from brokercert.judge.tradovate.model.sends import error_of

TEXT = 1  # the opcode
TAG = "sim-"
LONGEST_ANSWER = 1_000  # bytes of an answer that is a ticket, a failure or an order's id


@dataclass(frozen=True, slots=True)
class Breach:
    """What did not hold, when (virtual seconds), and what was seen."""

    invariant: str
    at: float
    text: str

    def __str__(self) -> str:
        return f"{self.invariant} at {self.at:.2f} s: {self.text}"


class Line(msgspec.Struct):
    """What is of interest of a line that the client prints."""

    event: str = ""
    id: Any = None
    entities: Any = None
    status: Any = 0
    error: Any = None
    ok: Any = None


class _Message(msgspec.Struct):
    """An element of a broker's frame. What an answer carries is looked into where it is short: no snapshot is."""

    i: Any = None
    s: Any = None
    d: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def answer(self) -> Answer:
        data = msgspec.json.decode(self.d) if len(self.d) < LONGEST_ANSWER else None
        return Answer(0, 0, self.s if isinstance(self.s, int) else 0, data)


@dataclass(slots=True)
class _Sent:
    """A request on its way whose answer matters."""

    endpoint: str
    tag: int = 0  # of the command that asked for it


@dataclass(slots=True)
class _Socket:
    authorized: bool = False
    syncs: int = 0
    tickets: int = 0  # for sync
    pending: dict[str, list[_Sent]] = field(default_factory=dict)  # by id; a client may use one twice


@dataclass(slots=True)
class Asked:
    """A request that the client was asked to send."""

    id: int
    arrivals: int = 0
    tickets: int = 0
    succeeded: bool = False  # an answer that is no ticket and no error was written
    outcomes: int = 0


class Watch(Recorder):
    """Told by the broker and by the client. `broke` is called at the first breach."""

    def __init__(self, broke: Callable[[], None]) -> None:
        self.breach: Breach | None = None
        self.asked: dict[int, Asked] = {}  # without those that are settled
        self.sync_bodies: dict[str, Any] = {}  # each once, by its text
        self.synced_at = 0.0  # when a sync was answered last
        self.snapshots: dict[int, Any] = {}  # by the id of the command
        self.unsupported: set[int] = set()  # commands that it says it does not know
        self.requests = 0
        self.frames = 0
        self.digest = 0  # of all frames, their times and ways: the same where everything was the same
        self._broke = broke
        self._sockets: dict[int, _Socket] = {}
        self._rest: dict[tuple[int, int], _Sent] = {}  # by connection and ordinal
        self._decode = msgspec.json.Decoder(Line).decode
        self._decode_frame = msgspec.json.Decoder(list[_Message]).decode

    def breaks(self, invariant: str, at: float, text: str) -> None:
        """Keep the first breach."""
        if self.breach is None:
            self.breach = Breach(invariant, at, text)
            self._broke()

    @property
    def outstanding(self) -> list[int]:
        """Ids of requests that have no outcome yet."""
        return [ident for ident, asked in self.asked.items() if not asked.outcomes]

    def settle(self) -> None:
        """Everything that was asked has ended, and the links were quiet: nothing of it can come any more."""
        self.asked = {ident: asked for ident, asked in self.asked.items() if not asked.outcomes}

    def ask(self, ident: int) -> str:
        """A request is given to the client: the tag that its body must carry."""
        self.asked[ident] = Asked(ident)
        self.requests += 1
        return f"{TAG}{ident}"

    def forget(self, ident: int) -> None:
        """The client could not be given it."""
        del self.asked[ident]

    # What a broker tells.

    def upgrade_answer(self, at: float, conn: int, status: int) -> None:
        if status == 101:
            self._sockets[conn] = _Socket()

    def ended(self, at: float, conn: int, by: Side, how: Ending) -> None:
        if by == "broker":
            return  # what the client sent before it knew may still come
        self._sockets.pop(conn, None)

    def frame(
        self,
        at: float,
        conn: int,
        sender: Side,
        ordinal: int,
        opcode: int,
        payload: bytes,
        fragments: int = 1,
        first_message: int = 0,
    ) -> None:
        self.frames += 1
        self.digest = zlib.crc32(payload, zlib.crc32(f"{at:.6f} {conn} {sender} {opcode}".encode(), self.digest))
        socket = self._sockets.get(conn)
        if socket is None or opcode != TEXT:
            return
        if sender == "client":
            if payload != b"[]":
                # None: a heartbeat in another form, or nothing that the broker could take for a request.
                request = request_of(payload.decode("utf-8", "replace"), t=0, record=0, conn=conn)
                if request is not None:
                    self._on_request(at, socket, request)
        elif socket.pending and first_message and b'"i":' in payload:
            for message in self._decode_frame(payload[1:]):
                if message.i is not None:
                    self._on_answer(at, socket, message)

    def rest_request(self, at: float, conn: int, ordinal: int, method: str, target: str, body: str) -> None:
        if TAG in body:
            sent = self._rest[conn, ordinal] = _Sent(target.partition("?")[0])
            self._on_tagged(at, conn, sent, decoded(body))

    def rest_answer(self, at: float, conn: int, ordinal: int, status: int, body: str) -> None:
        sent = self._rest.pop((conn, ordinal), None)
        if sent is not None:
            self._on_outcome_of(sent.tag, Answer(0, 0, status, decoded(body)))

    def _on_request(self, at: float, socket: _Socket, request: Request) -> None:
        endpoint, sent = request.endpoint, _Sent(request.endpoint)
        if endpoint != "authorize" and not socket.authorized:
            self.breaks("authorized-first", at, f"{endpoint} on socket {request.conn} before authorize was answered")
        if endpoint == "user/syncrequest":
            socket.syncs += 1
            if socket.syncs > 1 + socket.tickets:
                seen = f"sync request {socket.syncs} on socket {request.conn}, {socket.tickets} ticket(s)"
                self.breaks("one-sync", at, seen)
            self.sync_bodies.setdefault(request.text, request.body)
        elif TAG in request.text:
            self._on_tagged(at, request.conn, sent, request.body)
        if sent.tag or endpoint in ("authorize", "user/syncrequest"):
            socket.pending.setdefault(request.id, []).append(sent)

    def _on_tagged(self, at: float, conn: int, sent: _Sent, body: Any) -> None:
        tag = body.get("clOrdId") if isinstance(body, dict) else None
        number = tag.removeprefix(TAG) if isinstance(tag, str) else ""
        asked = self.asked.get(int(number)) if number.isdigit() else None
        if asked is None:
            self.breaks("request-once", at, f"{sent.endpoint} {tag} on socket {conn}, long after it had ended")
            return
        sent.tag = asked.id
        asked.arrivals += 1
        if asked.arrivals > 1 + asked.tickets:
            self.breaks(
                "request-once",
                at,
                f"{sent.endpoint} {tag} came {asked.arrivals} times, {asked.tickets} ticket(s): socket {conn}",
            )

    def _on_answer(self, at: float, socket: _Socket, message: _Message) -> None:
        waiting = socket.pending.get(str(message.i))
        if not waiting:
            return
        sent = waiting.pop(0)
        if not waiting:
            del socket.pending[str(message.i)]
        answer = message.answer
        if sent.endpoint == "authorize":
            socket.authorized = socket.authorized or answer.ok
        elif sent.endpoint == "user/syncrequest":
            socket.tickets += answer.ticket is not None
            self.synced_at = at
        else:
            self._on_outcome_of(sent.tag, answer)

    def _on_outcome_of(self, tag: int, answer: Answer) -> None:
        """What the broker answered to a request that was asked for."""
        asked = self.asked.get(tag)
        if asked is None:
            return
        asked.tickets += answer.ticket is not None
        asked.succeeded = asked.succeeded or (answer.ok and not error_of(answer))

    # What the client tells.

    def line(self, at: float, text: str) -> None:
        """A line of the client's."""
        if not text.startswith("{"):
            return
        try:
            line = self._decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return  # an object of its own: whether reports can be read is for `certify` to judge
        if line.event == "snapshot" and type(line.id) is int:
            self.snapshots[line.id] = line.entities
        elif line.event == "unsupported" and type(line.id) is int:
            self._on_unsupported(at, line.id)
        elif line.event == "outcome" and type(line.id) is int:
            self._on_outcome(at, line)

    def _on_unsupported(self, at: float, ident: int) -> None:
        self.unsupported.add(ident)
        if ident in self.asked and self.asked[ident].arrivals:
            self.breaks("request-once", at, f"request {ident} is said to be unsupported; it came")
        self.asked.pop(ident, None)

    def _on_outcome(self, at: float, line: Line) -> None:
        asked = self.asked.get(line.id)
        if asked is None:
            self.breaks("request-once", at, f"one more outcome of request {line.id}, long after it had ended")
            return
        asked.outcomes += 1
        ok = outcome_of(Report(0, 0, {"status": line.status, "error": line.error, "ok": line.ok})).ok
        if asked.outcomes > 1:
            self.breaks("request-once", at, f"request {line.id} ended {asked.outcomes} times")
        elif ok and not asked.succeeded:
            came = f"it came {asked.arrivals} time(s)" if asked.arrivals else "it never came"
            self.breaks(
                "request-once", at, f"request {line.id} is said to have succeeded; {came}, and no answer says so"
            )


class Both:
    """Tells several recorders the same: the watch, and a trace."""

    def __init__(self, *recorders: Recorder) -> None:
        self._recorders = recorders

    def __getattr__(self, name: str) -> Callable[..., None]:
        methods = [getattr(one, name) for one in self._recorders]

        def tell(*arguments: Any, **named: Any) -> None:
            for method in methods:
                method(*arguments, **named)

        setattr(self, name, tell)
        return tell
