"""What the client asks of the broker.

Its laws: a request has one outcome, and goes out once, or again with its ticket; no id is used twice, on no later
socket either; a penalty holds back its own endpoint alone, a lock-out everything.
"""

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import adapter

ANSWER = 30.0  # seconds for an answer
PENALTY = 10.0  # seconds of a penalty that does not say how long it lasts
LOCKOUT = 3600.0  # seconds after 423 or 429, or a ticket that only a person can use: requests made earlier prolong it
LOCKS_OUT = (423, 429)
ERRORS = ("errorText", "failureText", "failureReason", "violations", "p-captcha", "p-ticket")  # under status 200 too

Done = Callable[[int, Any, str], object]  # status (0: never answered), data, error (empty: a success)


@dataclass
class Request:
    """`done` is called once. With `once`, a penalty is an outcome too: whoever asked tries again."""

    endpoint: str
    body: Any
    done: Done
    query: str = ""
    priority: int = 5  # lower leaves first, where requests have to wait
    ticket: str = ""
    once: bool = False


class Outbox:
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.ids = itertools.count()
        self.send: Callable[[str], object] | None = None  # while there is a socket
        self.waiting: list[Request] = []
        self.pending: dict[int, Request] = {}
        self.penalties: dict[str, float] = {}  # endpoint -> when its penalty ends
        self.locked_until = 0.0

    def submit(self, request: Request) -> None:
        if self.send is None:
            request.done(0, None, "no connection")
        elif self.loop.time() < self.locked_until:
            request.done(0, None, "locked out: not sent")
        else:
            self.waiting.append(request)
            self.flush()

    def flush(self) -> None:
        """Send what need not wait, by priority, and within one as it came."""
        for request in sorted(self.waiting, key=lambda request: request.priority):
            until = max(self.locked_until, self.penalties.get(request.endpoint, 0.0))
            if self.send is None or self.loop.time() < until:
                continue
            self.waiting.remove(request)
            body, ident = request.body, next(self.ids)
            if request.ticket:
                body = {**(body or {}), "p-ticket": request.ticket}
            self.pending[ident] = request
            text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
            self.send(f"{request.endpoint}\n{ident}\n{request.query}\n{text}")
            self.loop.call_later(ANSWER, self.expire, ident)

    def expire(self, ident: int) -> None:
        if ident in self.pending:
            self.pending.pop(ident).done(0, None, "never answered")

    def answered(self, ident: int, status: Any, data: Any) -> None:
        """An outcome, or a penalty: then the request waits, and all others to its endpoint with it."""
        request, told = self.pending.pop(ident), data if isinstance(data, dict) else {}
        request.ticket = ""
        if status in LOCKS_OUT:
            self.lock_out(request.endpoint)
        if "p-ticket" not in told or told.get("p-captcha") or request.once:
            request.done(status, data, error_in(status, data))
            return
        wait = penalty_in(told)
        request.ticket, request.priority = told["p-ticket"], -1  # it leaves first: it was there first
        ends = self.loop.time() + wait
        self.penalties[request.endpoint] = max(ends, self.penalties.get(request.endpoint, ends))  # the longest holds
        self.waiting.append(request)
        self.loop.call_later(wait + 0.01, self.flush)  # a timer may be a little early

    def lock_out(self, endpoint: str) -> None:
        adapter.say("error", text=f"{endpoint}: locked out, no request for an hour")
        self.locked_until = self.loop.time() + LOCKOUT

    def close(self) -> None:
        """The socket is gone. What had no outcome is never sent again: the next snapshot tells what became of it."""
        lost, self.waiting, self.pending, self.send = [*self.waiting, *self.pending.values()], [], {}, None
        for request in lost:
            request.done(0, None, "the connection was lost")


def penalty_in(told: dict[str, Any]) -> float:
    """How long a penalty lasts, in seconds. What is no such time is not believed."""
    wait = told.get("p-time")
    return float(wait) if type(wait) in (int, float) and 0 <= wait < LOCKOUT else PENALTY


def error_in(status: Any, data: Any) -> str:
    """Why an answer is no success: one with status 200 may carry an error too."""
    if status != 200:
        return data if isinstance(data, str) and data else f"status {status}"
    told = data if isinstance(data, dict) else {}
    return next((f"{key}: {told[key]}" for key in ERRORS if told.get(key) and told[key] != "Success"), "")
