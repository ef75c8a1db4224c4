"""Defects that show where tickets run beside one another, and with penalties that are long or of no time at all."""

from __future__ import annotations

import heapq
from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome, Request, RequestQueue
from brokercert.reference.tradovate.wire import Reply


class _RetimedQueue(RequestQueue):
    """A new ticket changes when other requests are sent again that wait already."""

    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, data, now)
        if request.ticket and data.get("p-captcha") is not True:
            mine = next(until for until, order, _ in self._retries if order == request.order)
            self._retries = [(self.until(one, until, request, mine), order, one) for until, order, one in self._retries]
            heapq.heapify(self._retries)

    def until(self, one: Request, until: float, newest: Request, mine: float) -> float:
        """When `one`, which was to wait until then, is sent again, now that `newest` waits until `mine`."""
        raise NotImplementedError


class _OnePauseQueue(_RetimedQueue):
    def until(self, one: Request, until: float, newest: Request, mine: float) -> float:
        return mine


@mutant(
    "one-pause-for-all-endpoints",
    "RLP-020",
    reason="each ticket has its own time: that of another endpoint ends no penalty",
)
class OnePause(ReferenceClient):
    """Keeps one time for all that waits: that of its last ticket, whatever endpoint drew it."""

    session_class = with_queue(_OnePauseQueue)


class _LongestPauseQueue(_RetimedQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, data, now)
        for endpoint in self._penalties:
            self._penalties[endpoint] = max(self._penalties.values())

    def until(self, one: Request, until: float, newest: Request, mine: float) -> float:
        return max([mine, *(entry[0] for entry in self._retries)])


@mutant(
    "waits-for-the-longest-of-all-penalties",
    "RLP-020",
    reason="a retry is due within ten seconds of its own penalty's end, whatever another endpoint has drawn",
)
class LongestPause(ReferenceClient):
    """Sends nothing again before the last of all penalties is over."""

    session_class = with_queue(_LongestPauseQueue)


class _OneTicketQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, data, now)
        if data.get("p-captcha") is not True:
            self._retries = [entry for entry in self._retries if entry[2] is request]


@mutant(
    "has-room-for-one-ticket",
    "RLP-020",
    reason="a request that drew a ticket is sent again, whatever another one draws meanwhile",
)
class OneTicket(ReferenceClient):
    """Keeps one ticket with its request, and forgets both at the next ticket."""

    session_class = with_queue(_OneTicketQueue)


class _ShorterEndsQueue(_RetimedQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        self._penalties.pop(request.endpoint, None)
        super().on_ticket(request, data, now)

    def until(self, one: Request, until: float, newest: Request, mine: float) -> float:
        return mine if one.endpoint == newest.endpoint else until


@mutant(
    "ends-a-longer-penalty-by-a-shorter",
    "RLP-020 RLP-050",
    reason="the longer of two tickets of an endpoint holds, for its own request and for what waits",
)
class ShorterEnds(ReferenceClient):
    """Takes the time of an endpoint's last ticket for that of all that waits, though an earlier one is longer."""

    session_class = with_queue(_ShorterEndsQueue)


class _OverwrittenQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        self._penalties.pop(request.endpoint, None)
        super().on_ticket(request, data, now)


@mutant(
    "frees-its-queue-by-a-shorter-ticket",
    "RLP-050",
    reason="nothing is sent to an endpoint before its penalty ends: a shorter ticket of another request ends none",
)
class Overwritten(ReferenceClient):
    """Keeps the time of each ticket with its request, and for its queue that of the last one."""

    session_class = with_queue(_OverwrittenQueue)


class _FirstCountsQueue(_RetimedQueue):
    def until(self, one: Request, until: float, newest: Request, mine: float) -> float:
        if one is not newest:
            return until
        others = (entry[0] for entry in self._retries if entry[2] is not one and entry[2].endpoint == one.endpoint)
        return min(others, default=until)


@mutant(
    "knows-the-first-ticket-of-an-endpoint-only",
    "RLP-020",
    reason="each ticket has its own time, and the later one may be longer",
)
class FirstCounts(ReferenceClient):
    """Takes the time of an endpoint's first ticket for that of all that are drawn while it runs."""

    session_class = with_queue(_FirstCountsQueue)


class _MinuteQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, {**data, "p-time": min(60, data.get("p-time", 0))}, now)


@mutant(
    "waits-a-minute-at-most",
    "RLP-020",
    reason="a penalty lasts as long as its ticket says, and no document has a most",
)
class AMinute(ReferenceClient):
    """Waits for a minute where a ticket asks for longer."""

    session_class = with_queue(_MinuteQueue)


class _NoTimeQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        if data.get("p-time"):
            super().on_ticket(request, data, now)
        else:
            request.done(Outcome(200, data, "a penalty without a time"), now)


@mutant(
    "takes-a-time-of-0-for-none",
    "RLP-020",
    reason="a penalty of no time is over at once, and its request is due",
)
class NoTime(ReferenceClient):
    """Looks whether `p-time` is something, and ends a request as failed whose ticket says 0."""

    session_class = with_queue(_NoTimeQueue)


class _AnySuccessQueue(RequestQueue):
    def on_reply(self, reply: Reply, now: float) -> None:
        super().on_reply(reply, now)
        if reply.status == 200 and not (isinstance(reply.data, dict) and "p-ticket" in reply.data):
            self._penalties.clear()
            self._retries = [(min(until, now), order, request) for until, order, request in self._retries]


@mutant(
    "ends-penalties-by-any-success",
    "RLP-020 RLP-050",
    reason="a penalty ends when its time is over: the success of a request to another endpoint ends none",
)
class AnySuccess(ReferenceClient):
    """Takes any success for the end of all penalties."""

    session_class = with_queue(_AnySuccessQueue)
