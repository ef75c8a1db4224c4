"""Defects of rate-limit handling."""

from __future__ import annotations

from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome, Request, RequestQueue
from brokercert.reference.tradovate.session import Session


class _CredulousQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        request.done(Outcome(200, {}), now)


@mutant(
    "takes-a-ticket-for-success",
    "RLP-010 RLP-020",
    also={
        "RLP-040": "a captcha is taken for success too, so that nobody is told of it",
        "RLP-050": "it knows of no penalty, so that it queues nothing",
        "LOG-100": "a ticket in the answer to authorize is one of those that it takes for success",
        "REC-110": "the sync on the new socket draws a ticket while the penalty runs, and is never made",
    },
    reason="the request was not handled, and is never sent again",
)
class Credulous(ReferenceClient):
    """Takes every 200 for success, a ticket too."""

    session_class = with_queue(_CredulousQueue)


class _ImpatientQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, {**data, "p-time": data.get("p-time", 0) / 2}, now)


@mutant(
    "retries-too-early",
    "RLP-020",
    also={"RLP-050": "what waits for that penalty leaves before its end too"},
    reason="the retry is not to come before the penalty's end",
)
class Impatient(ReferenceClient):
    """Retries after half the penalty."""

    session_class = with_queue(_ImpatientQueue)


class _TardyQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, {**data, "p-time": data.get("p-time", 0) + 12}, now)


@mutant(
    "retries-too-late",
    "RLP-020",
    also={"RLP-010": "what is not retried in its time passes for a ticket that was not seen"},
    reason="a retry is due ten seconds after the penalty's end at the latest",
)
class Tardy(ReferenceClient):
    """Retries twelve seconds after the penalty's end."""

    session_class = with_queue(_TardyQueue)


class _TicketlessQueue(RequestQueue):
    def body_of(self, request: Request) -> Any:
        return request.body


@mutant("retries-without-the-ticket", "RLP-030", reason="the retry carries the ticket")
class Ticketless(ReferenceClient):
    """Retries without the ticket."""

    session_class = with_queue(_TicketlessQueue)


class _ForgetfulQueue(RequestQueue):
    def body_of(self, request: Request) -> Any:
        return {"p-ticket": request.ticket} if request.ticket else request.body


@mutant(
    "retries-with-another-body",
    "RLP-030",
    also={
        "REC-115": "after a loss within a penalty it syncs with an empty body, and hears of nothing",
    },
    reason="the retry is the identical request plus the ticket",
)
class Forgetful(ReferenceClient):
    """Retries with the ticket alone, the body forgotten."""

    session_class = with_queue(_ForgetfulQueue)


class _CaptchaQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, {**data, "p-captcha": False}, now)


@mutant("retries-a-captcha", "RLP-040", reason="a captcha can be solved by a person only")
class CaptchaRetrier(ReferenceClient):
    """Retries a captcha ticket like any other."""

    session_class = with_queue(_CaptchaQueue)


class _SleepingSession(Session):
    def beat(self, now: float) -> None:
        if self._requests.waits_for_a_penalty:
            self._beats = max(self._beats, int((now - self._grid) / self.config.heartbeat_every))
        else:
            super().beat(now)


@mutant("sleeps-through-a-penalty", "RLP-080", reason="heartbeats stop while a ticket is waited out")
class SleepsThrough(ReferenceClient):
    """Sends no heartbeat while it waits for the end of a penalty."""

    session_class = _SleepingSession


class _GenerousQueue(RequestQueue):
    last = ""

    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, data, now)
        self.last = request.ticket

    def body_of(self, request: Request) -> Any:
        request.ticket = request.ticket or self.last
        return super().body_of(request)


@mutant("one-ticket-for-all", "RLP-090", reason="a ticket belongs to the request that drew it")
class OneTicketForAll(ReferenceClient):
    """Puts the last ticket that it drew into every request that follows."""

    session_class = with_queue(_GenerousQueue)
