"""Folds a trace of the Tradovate dialect into what was said on which connection: the model that its checks read.

The fold interprets frames (requests, answers, heartbeats, protocol closes) beside what all dialects share
(`transcript.py`); it decides nothing. It shares no code with the broker or the reference client: a server encodes
what a client decodes, and one misreading must not cancel another. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from brokercert.judge.asides import labels_of
from brokercert.judge.moments import Moment, Said
from brokercert.judge.sockets import Loss, LossBy, Socket
from brokercert.judge.transcript import SECOND, Transcript

__all__ = [
    "CREDENTIAL",
    "LOCKED_OUT",
    "SECOND",
    "TIMER",
    "TOKEN_ENDPOINTS",
    "Answer",
    "Connection",
    "Conversation",
    "Loss",
    "LossBy",
    "Request",
    "answers_of",
    "data_of",
    "decoded",
    "messages_of",
    "objects_in",
    "request_of",
    "texts_in",
    "value_in",
]

# Statuses of HTTP that deny nothing: the broker was slow, or the client is to wait.
TIMED_OUT, LOCKS_OUT, LOCKED_OUT = 408, 423, 429

# Microseconds: how exact a timer is. Not a limit that anybody is judged by.
TIMER = 1_000

LOGIN = ("authorize", "user/syncrequest")
TOKEN_ENDPOINTS = ("auth/accesstokenrequest", "auth/renewaccesstoken")
# A ticket is no credential: it opens nothing but the one request that it belongs to.
CREDENTIALS = ("access-token", "md-token", "password", "sec")
CREDENTIAL = labels_of(CREDENTIALS)


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
        value = value_in(self.data, "p-ticket")
        return value if isinstance(value, str) and value else None

    @property
    def wait(self) -> int:
        """`p-time` in microseconds."""
        value = value_in(self.data, "p-time")
        return round(value * SECOND) if isinstance(value, int | float) else 0

    @property
    def captcha(self) -> bool:
        return value_in(self.data, "p-captcha") is True

    @property
    def ok(self) -> bool:
        """A success in the documents' sense: 2xx, and neither a ticket nor an error text inside (TP §3)."""
        if not self.inside_200 or self.ticket:
            return False
        return not value_in(self.data, "errorText")

    @property
    def refuses(self) -> bool:
        """What was asked is denied: by a status of the client's own fault (TP §3), or by an error text inside a 200."""
        denied = 400 <= self.status < 500 and self.status not in (TIMED_OUT, LOCKS_OUT, LOCKED_OUT)
        return denied or (self.inside_200 and not self.ok and not self.ticket)

    @property
    def inside_200(self) -> bool:
        """Whether it has a status that says success."""
        return 200 <= self.status < 300


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
        value = value_in(self.body, "p-ticket")
        return value if isinstance(value, str) else None

    @property
    def penalty(self) -> Answer | None:
        """Its answer, where that is a ticket."""
        return self.answer if self.answer is not None and self.answer.ticket else None

    @property
    def succeeded(self) -> bool:
        return self.answer is not None and self.answer.ok

    def precedes(self, answer: Answer) -> bool:
        """Whether it had come when the answer was written. What came in one read with the request that was answered is
        told behind the answer, but bears the time of that read.
        """
        return self.record < answer.record or self.t < answer.t

    @property
    def untied(self) -> Any:
        """Its body without a ticket: a retry has the same."""
        if not isinstance(self.body, dict):
            return self.body
        return {key: value for key, value in self.body.items() if key != "p-ticket"}


@dataclass(slots=True, eq=False)
class Connection(Socket):
    """One TCP connection as the broker saw it."""

    opens: list[Moment] = field(default_factory=list)
    beats: list[Moment] = field(default_factory=list)  # the client's `[]`
    server_beats: list[Moment] = field(default_factory=list)  # the broker's `h`
    data_sent: list[Said] = field(default_factory=list)  # text messages but `h`
    requests: list[Request] = field(default_factory=list)
    other: list[Said] = field(default_factory=list)  # client text that is neither
    protocol_close: Moment | None = None
    shut_down: Said | None = None  # the first `shutdown` event on it; `text`: its reason code, empty where it has none

    @property
    def authorizes(self) -> list[Request]:
        return self.sent_to("authorize")

    @property
    def syncs(self) -> list[Request]:
        return self.sent_to("user/syncrequest")

    def sent_to(self, endpoint: str) -> list[Request]:
        return [request for request in self.requests if request.endpoint == endpoint]

    @property
    def authorized(self) -> Answer | None:
        """The answer that authorized it."""
        return next(iter(_successes(self.authorizes)), None)

    @property
    def news(self) -> list[Said]:
        """What came on it beside `h`, without the answers to its own reads and orders: a client that asks every few
        seconds is answered every few seconds, in the quietest market.
        """
        own = {q.answer.record for q in self.requests if q.answer is not None and q.endpoint not in LOGIN}
        return [said for said in self.data_sent if said.record not in own or not _only_answers(said.text)]

    def granted_before(self, request: Request) -> bool:
        """Whether some authorize had been answered with success by then, be another's answer held back."""
        return any(not request.precedes(answer) for answer in _successes(self.authorizes))

    def early(self, requests: Iterable[Request], start: int, end: int) -> list[Request]:
        """Those of its requests that came while the answer to authorize was held back from `start` to `end`."""
        return [q for q in requests if self.sent_meanwhile(q, start, end) and not self.granted_before(q)]

    def sent_meanwhile(self, request: Request, start: int, end: int) -> bool:
        """Whether it came behind the authorize whose answer was held back from `start` to `end`, and before that end.

        By its place on the socket: what came in one read with that authorize bears a time before `start`.
        """
        asked = max((a.record for a in self.authorizes if a.t <= start), default=0)
        return request.record > asked and request.t < end

    @property
    def refused(self) -> Answer | None:
        return next((answer for answer in answers_of(self.authorizes) if answer.refuses), None)

    @property
    def synced(self) -> Answer | None:
        return next(iter(_successes(self.syncs)), None)

    @property
    def opened(self) -> int | None:
        """When its first `o` was written."""
        return self.opens[0].t if self.opens else None

    def waiting(self, ident: str) -> Request | None:
        """The latest request of that id that has no answer."""
        return next((q for q in reversed(self.requests) if q.id == ident and q.answer is None), None)


class Conversation(Transcript[Connection]):
    """Everything said in one scenario, folded in one pass."""

    socket = Connection
    rest_prefix = "v1"
    credentials = CREDENTIALS
    token_paths = tuple(f"/{endpoint}" for endpoint in TOKEN_ENDPOINTS)

    # Reading.

    @property
    def authorized(self) -> list[Connection]:
        return [c for c, _ in self.granted]

    def last_opening(self) -> int:
        """An upgrade, or the answers to a socket's login and sync."""
        steps = [answer.t for c in self.connections.values() for answer in (c.authorized, c.synced) if answer]
        return max([super().last_opening(), *steps])

    @property
    def synced(self) -> list[Connection]:
        """The sockets that sent a sync request: the ones that have a lane."""
        return [c for c in self.connections.values() if c.syncs]

    @property
    def granted(self) -> list[tuple[Connection, Answer]]:
        """The sockets that were authorized, each with the answer that did it."""
        return [(c, answer) for c in self.connections.values() if (answer := c.authorized) is not None]

    @property
    def caught_up(self) -> list[tuple[Connection, Answer]]:
        """The sockets whose sync request was answered with success, each with that answer."""
        return [(c, answer) for c in self.connections.values() if (answer := c.synced) is not None]

    @property
    def lost(self) -> list[tuple[Connection, Loss]]:
        """The authorized sockets that were lost, each with its loss."""
        return [(c, c.loss) for c in self.authorized if c.loss is not None]

    def granted_after(self, t: int) -> Answer | None:
        """The answer that authorized a socket after that time, of the first in the order of their numbers."""
        return next((answer for _, answer in self.granted if answer.t > t), None)

    @property
    def data_sent(self) -> list[Said]:
        """The broker's text messages but `h`, on all sockets, in the order in which they were sent."""
        found = [said for c in self.connections.values() for said in c.data_sent]
        return sorted(found, key=lambda said: said.record)

    @property
    def requests(self) -> list[Request]:
        """All requests on all sockets, in the order in which they came."""
        found = [request for c in self.connections.values() for request in c.requests]
        return sorted(found, key=lambda request: request.record)

    def working(self) -> list[Connection]:
        """The sockets that heartbeat and stability rows look at: those with a lane, else all that are authorized."""
        return self.synced or self.authorized

    def refusals(self) -> Iterator[Moment]:
        """When a login was refused: an authorize too, by a status, a text, or a ticket that only a person redeems."""
        yield from super().refusals()
        for answer in answers_of(a for c in self.connections.values() for a in c.authorizes):
            if not answer.ok and (answer.captcha or not answer.ticket):
                yield Moment(answer.t, answer.record)

    def grants(self) -> Iterator[Moment]:
        """When an authorize was answered with success."""
        return (Moment(answer.t, answer.record) for _, answer in self.granted)

    # Folding.

    def client_text(self, c: Connection, number: int, t: int, text: str) -> None:
        if text.strip() == "[]":
            c.beats.append(Moment(t, number))
            return
        request = request_of(text, t=t, record=number, conn=c.id)
        if request is None:
            c.other.append(Said(t, number, text))
        else:
            c.requests.append(request)

    def broker_text(self, c: Connection, number: int, t: int, text: str) -> None:
        if text == "h":
            c.server_beats.append(Moment(t, number))
            return
        c.data_sent.append(Said(t, number, text))
        if text == "o":
            self._opens(c, number, t)
        elif text.startswith("c["):
            self._closes(c, number, t, text)
        elif text.startswith("a["):
            if '"i":' in text:
                self._answers(c, number, t, text)
            if '"shutdown"' in text:
                self._shuts_down(c, number, t, text)

    def _opens(self, c: Connection, number: int, t: int) -> None:
        c.opens.append(Moment(t, number))
        if len(c.opens) > 1:
            self.disturb(c, t, number)

    def _closes(self, c: Connection, number: int, t: int, text: str) -> None:
        if c.protocol_close is None and messages_of(text) is not None:
            c.protocol_close = Moment(t, number)
            self.lose(c, Loss(t, number, "broker", text[:40]))

    def _shuts_down(self, c: Connection, number: int, t: int, text: str) -> None:
        """A client that leaves at the event has its cause, as one that waits for the end that follows."""
        told = next((data_of(message) for message in objects_in(text) if message.get("e") == "shutdown"), None)
        if told is not None and c.shut_down is None:
            c.shut_down = Said(t, number, str(told.get("reasonCode") or ""))
            self.disturb(c, t, number)

    def _answers(self, c: Connection, number: int, t: int, text: str) -> None:
        """Each answers the latest request of its id that has none."""
        for message in objects_in(text):
            if "i" in message and "s" in message:
                status = message["s"] if isinstance(message["s"], int) else 0
                request = c.waiting(str(message["i"]))
                if request is not None:
                    request.answer = Answer(t, number, status, message.get("d"))
                    if request.penalty is not None:
                        self.disturb(c, t, number, passes=True)  # for how long it is a cause: `penalty.py`
                    elif status == LOCKED_OUT:
                        self.disturb(c, t, number)


def answers_of(requests: Iterable[Request]) -> list[Answer]:
    """The answers that these requests got, in the order of the requests."""
    return [request.answer for request in requests if request.answer is not None]


def _successes(requests: Iterable[Request]) -> list[Answer]:
    return [answer for answer in answers_of(requests) if answer.ok]


def request_of(text: str, *, t: int, record: int, conn: int) -> Request | None:
    """The request that a client's text is; None: it is none. `t` is in microseconds."""
    parts = text.split("\n", 3)
    if len(parts) < 3 or not parts[0].strip():
        return None
    endpoint, ident, query = (part.strip() for part in parts[:3])
    body = "".join(parts[3:])  # there is one at most
    return Request(
        t=t,
        record=record,
        conn=conn,
        endpoint=endpoint.lower().lstrip("/"),
        id=ident,
        query=_defined(query),
        text=body,
        body=decoded(_defined(body)),
    )


def _defined(text: str) -> str:
    """Nothing where a client of JavaScript wrote that it has nothing."""
    return "" if text.strip() == "undefined" else text


def messages_of(text: str) -> list[Any] | None:
    """The elements of an `a[...]` frame, or None where it is malformed."""
    try:
        elements = msgspec.json.decode(text[1:])
    except (msgspec.DecodeError, RecursionError):
        return None
    return elements if isinstance(elements, list) else None


def _only_answers(text: str) -> bool:
    """Whether each message of a frame answers a request."""
    return all(isinstance(message, dict) and "i" in message for message in messages_of(text) or [None])


def objects_in(text: str) -> list[dict[str, Any]]:
    """Those of its elements that are JSON objects: events and answers; none where it is malformed."""
    return [element for element in messages_of(text) or () if isinstance(element, dict)]


def data_of(message: dict[str, Any]) -> dict[str, Any]:
    """A message's `d` where that is a JSON object, else an empty one."""
    data = message.get("d")
    return data if isinstance(data, dict) else {}


def value_in(body: Any, name: str) -> Any:
    """What a JSON object has under a name; None where it has nothing, or where the body is no object."""
    return body.get(name) if isinstance(body, dict) else None


def texts_in(value: Any) -> list[str]:
    """The texts in a list; none where it is no list."""
    return [x for x in value if isinstance(x, str)] if isinstance(value, list) else []


def decoded(text: str) -> Any:
    """The JSON that a text is, else the text itself; None where it is empty."""
    if not text.strip():
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
