"""Penalty tickets, each with what the client did about it (TP §7): what the checks of this area read.

The wire-only client's endpoint for them is `user/syncrequest`. It decides nothing. Times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from brokercert.judge.told import Asked, Outcome, Report
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Answer, Connection, Loss, Request
from brokercert.judge.tradovate.model.sends import Sends
from brokercert.judge.tradovate.model.tickets import retries_of, ticketed


@dataclass(frozen=True, slots=True)
class Penalty:
    """A request that was answered by a ticket, and what the client did about it."""

    conn: Connection
    request: Request
    answer: Answer
    retry: Request | None
    due_from: int  # the earliest moment at which a retry is right
    due_until: int

    @property
    def ends(self) -> int:
        """When the penalty is over."""
        return self.answer.t + self.answer.wait

    @property
    def note(self) -> str:
        """That no document has such a ticket, where it answered a retry; else nothing."""
        return " (a ticket in answer to a retry, which no document has)" if self.request.ticket else ""

    @property
    def cut_off(self) -> Loss | None:
        """The end of its socket by the broker or the network, before a retry was due to have come."""
        loss = self.conn.loss
        if loss is None or loss.by == "client" or not self.answer.t <= loss.t < self.due_until:
            return None
        return loss


def penalties(bench: Bench, *, captcha: bool = False) -> list[Penalty]:
    """Every ticket but those for authorize, with its retry."""
    retries = retries_of(bench.talk, bench.micros("arrival"))
    found = ((request, answer) for request, answer in ticketed(bench.talk) if answer.captcha is captcha)
    return [_penalty(bench, request, answer, retries.get(request)) for request, answer in found]


def _penalty(bench: Bench, request: Request, answer: Answer, retry: Request | None) -> Penalty:
    c = bench.talk.connections[request.conn]
    ends = answer.t + answer.wait
    early, late = bench.micros("ticket_early"), bench.micros("ticket_late")
    due = ends + late
    if c.loss is not None and c.loss.t < due:  # a loss that comes later excuses nothing
        due = max(ends, _socket_from(bench, c, retry)) + late
    return Penalty(c, request, answer, retry, ends - early, due)


def _socket_from(bench: Bench, c: Connection, retry: Request | None) -> int:
    """From when there was a socket for the retry: a ticket may travel to a new socket with its request."""
    if retry is None:
        back = bench.talk.granted_after(c.loss.t) if c.loss is not None else None
        return back.t if back is not None else 0
    new = bench.talk.connections[retry.conn].authorized
    return new.t if new is not None and retry.conn != c.id else 0


def asked_for(bench: Bench, request: Request) -> list[Asked]:
    """The commands by which the client was asked for that request."""
    commands = bench.talk.told.requests()
    sends = Sends(bench.talk) if commands else None
    return [one for one in commands if sends is not None and request in sends.of(one)]


def failure_told(bench: Bench, asked: Iterable[Asked], since: int) -> Report | Outcome | None:
    """The first that the client told of a failure since then: an `error`, or how one of these requests ended."""
    outcomes = [one.outcome for one in asked if one.outcome and not one.outcome.ok]
    reports: list[Report | Outcome] = [*bench.talk.told.errors, *outcomes]
    return next((report for report in reports if report.t >= since), None)
