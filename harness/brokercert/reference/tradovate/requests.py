"""The requests of one socket: ids, answers, time-outs, penalty tickets, lock-outs (TP §3, §7).

Sans-I/O: `now` is an argument, what is to be sent comes out of `take`. Bounded: a full queue refuses.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from brokercert.reference.tradovate.wire import Reply, write_request

MOST_WAITING = 1000  # requests in the queue of one socket: far beyond what one person's orders make


@dataclass(slots=True, eq=False)
class Outcome:
    """How a request ended: `status` 0 where it never was answered."""

    status: int
    data: Any = None
    error: str = ""

    @property
    def ok(self) -> bool:
        return not self.error


@dataclass(slots=True, eq=False)
class Request:
    """A request, from its making to its outcome. Lower `priority` leaves first; within one, first come."""

    endpoint: str
    query: str
    body: Any
    priority: int
    within: float
    done: Callable[[Outcome, float], None]
    more: Callable[[Outcome, float], None] | None = None  # further answers under the same id
    ticket: str = ""
    order: int = 0
    due: float = 0.0  # of the answer, once it is sent


@dataclass(order=True, slots=True)
class _Waiting:
    priority: int
    order: int
    request: Request = field(compare=False)


@dataclass(slots=True)
class Lockout:
    """A 429's silence: the user's, not a socket's, so that all sockets of a client share one (TP §7.3). `resting`: the
    endpoints that answered with a captcha, each with the time until which it is left alone (TP §7.2). `penalties`: the
    endpoints that answered with another ticket, each with the time at which its penalty ends.
    """

    seconds: float
    until: float = 0.0
    resting: dict[str, float] = field(default_factory=dict)
    penalties: dict[str, float] = field(default_factory=dict)

    def begin(self, now: float) -> None:
        self.until = max(self.until, now + self.seconds)

    def rest(self, endpoint: str, now: float) -> None:
        self.resting[endpoint] = now + self.seconds


class QueueFull(Exception):
    """Too many requests wait on one socket."""


class RequestQueue:
    """All requests of one socket."""

    def __init__(self, lockout: Lockout) -> None:
        self._lockout = lockout
        self._next_id = 0
        self._count = 0
        self._pending: dict[int, Request] = {}
        self._waiting: list[_Waiting] = []
        self._penalties = lockout.penalties  # of all sockets: a penalty outlives the one that drew it
        self._retries: list[tuple[float, int, Request]] = []
        self._further: dict[int, Callable[[Outcome, float], None]] = {}
        self._out: list[str] = []

    def submit(
        self,
        endpoint: str,
        done: Callable[[Outcome, float], None],
        *,
        now: float,
        query: str = "",
        body: Any = None,
        priority: int = 5,
        within: float = 30.0,
        more: Callable[[Outcome, float], None] | None = None,
    ) -> None:
        """Queue a request; `done(outcome, now)` is called once, and `more` for every further answer under its id.
        Raises `QueueFull`.
        """
        if len(self._waiting) + len(self._retries) >= MOST_WAITING:
            raise QueueFull(f"{MOST_WAITING} requests are waiting already")
        self._count += 1
        request = Request(endpoint, query, body, priority, within, done, more, order=self._count)
        heapq.heappush(self._waiting, _Waiting(priority, request.order, request))
        self._flush(now)

    def take(self) -> list[str]:
        """What is to be sent now."""
        out, self._out = self._out, []
        return out

    def on_reply(self, reply: Reply, now: float) -> None:
        """An answer: the request's outcome, or a penalty to be waited out."""
        request = self._pending.pop(reply.id, None)
        if request is None:
            more = self._further.get(reply.id)
            if more is not None:
                more(Outcome(reply.status, reply.data, error_in(reply.status, reply.data)), now)
            return  # else an answer to nothing that is open: late, or not ours
        data = reply.data
        if reply.status == 200 and isinstance(data, dict) and isinstance(data.get("p-ticket"), str):
            self.on_ticket(request, data, now)
        elif reply.status == 429:
            self._lockout.begin(now)
            request.done(Outcome(429, data, "locked out"), now)
        else:
            if request.more is not None:
                self._further[reply.id] = request.more
            request.done(Outcome(reply.status, data, error_in(reply.status, data)), now)

    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        """The request was not handled: it is sent again, with the ticket, when the penalty is over."""
        if data.get("p-captcha") is True:
            self._lockout.rest(request.endpoint, now)
            request.done(Outcome(200, data, "a captcha that only a person can solve"), now)
            return
        wait = data.get("p-time", 0)
        until = now + (float(wait) if isinstance(wait, int | float) and wait > 0 else 0.0)
        request.ticket = data["p-ticket"]
        self._penalties[request.endpoint] = max(until, self._penalties.get(request.endpoint, until))
        heapq.heappush(self._retries, (until, request.order, request))

    def tick(self, now: float) -> None:
        """Send what has become due, end what was never answered. A retry leaves before what waited with it."""
        while now >= self._lockout.until and self._retries and self._retries[0][0] <= now:
            request = heapq.heappop(self._retries)[2]
            self._send(request, now)
        for ident, request in list(self._pending.items()):
            if request.due <= now:
                del self._pending[ident]
                request.done(Outcome(0, None, "never answered"), now)
        for endpoint in [endpoint for endpoint, ends in self._penalties.items() if ends <= now]:
            del self._penalties[endpoint]
        self._flush(now)

    def abandon(self, now: float) -> None:
        """The socket is gone: every request that has no outcome yet gets one."""
        left = [
            *self._pending.values(),
            *(item.request for item in self._waiting),
            *(entry[2] for entry in self._retries),
        ]
        self._pending, self._waiting, self._retries = {}, [], []
        for request in left:
            request.done(Outcome(0, None, "the connection was lost"), now)

    def rests_until(self, endpoint: str) -> float:
        """Until when an endpoint that answered with a captcha is left alone; 0: it answered with none."""
        return self._lockout.resting.get(endpoint, 0.0)

    @property
    def waits_for_a_penalty(self) -> bool:
        """Whether a ticket is being waited out."""
        return bool(self._retries)

    def due(self) -> float:
        """When `tick` is needed next; infinity: not before something comes."""
        times = [request.due for request in self._pending.values()]
        times += [max(self._retries[0][0], self._lockout.until)] if self._retries else []
        # What waits without a penalty waits for the end of a lock-out.
        ends = [self._penalties.get(item.request.endpoint, 0.0) for item in self._waiting]
        times += [max(min(ends), self._lockout.until)] if ends else []
        return min(times, default=float("inf"))

    def _flush(self, now: float) -> None:
        if now < self._lockout.until:
            return
        kept: list[_Waiting] = []
        while self._waiting:
            item = heapq.heappop(self._waiting)
            if item.request.endpoint in self._penalties:
                kept.append(item)
            else:
                self._send(item.request, now)
        for item in kept:
            heapq.heappush(self._waiting, item)

    def _send(self, request: Request, now: float) -> None:
        ident = self._next_id
        self._next_id += 1
        request.due = now + request.within
        self._pending[ident] = request
        self._out.append(write_request(request.endpoint, ident, request.query, self.body_of(request)))

    def body_of(self, request: Request) -> Any:
        """The body as it is sent: the identical one, plus the ticket where there is one."""
        if not request.ticket or isinstance(request.body, str):  # the bare token of authorize has no room for one
            return request.body
        body = request.body if isinstance(request.body, dict) else {}
        return {**body, "p-ticket": request.ticket}


def error_in(status: int, data: Any) -> str:
    """Why an answer is no success: a status that is none, or an error inside a 200 (TP §3). Empty: it is one."""
    if not 200 <= status < 300:
        return data if isinstance(data, str) and data else f"status {status}"
    if isinstance(data, dict):
        for key in ("errorText", "failureReason"):
            if data.get(key) and data[key] != "Success":
                return str(data.get("failureText") or data[key])
        if data.get("violations"):
            return "violations"
    return ""
