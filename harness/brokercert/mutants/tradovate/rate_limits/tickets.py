"""Defects of rate-limit handling."""

from __future__ import annotations

from typing import Any, ClassVar

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Lockout, Outcome, Request, RequestQueue
from brokercert.reference.tradovate.session import SYNC, Session
from brokercert.reference.tradovate.wire import Reply


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
    also={
        "RLP-050": "what waits for that penalty leaves before its end too",
        "LOG-020": "an authorize that is repeated before its penalty's end is a second one",
        "LOG-100": "and it is early",
    },
    reason="the retry is not to come before the penalty's end",
)
class Impatient(ReferenceClient):
    """Retries after half the penalty."""

    session_class = with_queue(_ImpatientQueue)


class _OfTheFirstQueue(RequestQueue):
    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._waits: dict[int, Any] = {}  # a request's place in the order -> the time of its first ticket

    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        wait = self._waits.setdefault(request.order, data.get("p-time", 0))
        super().on_ticket(request, {**data, "p-time": wait}, now)


@mutant(
    "waits-as-long-as-before",
    "RLP-020",
    reason="each ticket has a time of its own, and that of a retry may be longer than the first",
)
class OfTheFirst(ReferenceClient):
    """Waits for the time of a request's first ticket, whatever the ticket of its retry says."""

    session_class = with_queue(_OfTheFirstQueue)


class _TardyQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, {**data, "p-time": data.get("p-time", 0) + 12}, now)


@mutant(
    "retries-too-late",
    "RLP-020",
    reason="a retry is due ten seconds after the penalty's end at the latest",
)
class Tardy(ReferenceClient):
    """Retries twelve seconds after the penalty's end."""

    session_class = with_queue(_TardyQueue)


class _TicketlessQueue(RequestQueue):
    def body_of(self, request: Request) -> Any:
        return request.body


@mutant(
    "retries-without-the-ticket",
    "RLP-030",
    also={
        "EVT-010": "where a penalty lasts no time, nothing tells its sync request from a second one",
        "REC-030": "after a loss too",
    },
    reason="the retry carries the ticket",
)
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
        "RLP-090": "the retry is the identical request plus the ticket",
    },
    reason="the retry is the identical request plus the ticket",
)
class Forgetful(ReferenceClient):
    """Retries with the ticket alone, the body forgotten."""

    session_class = with_queue(_ForgetfulQueue)


class _CaptchaQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, {**data, "p-captcha": False}, now)


@mutant(
    "retries-a-captcha",
    "RLP-040",
    also={"LOG-100": "one in the answer to authorize too"},
    reason="a captcha can be solved by a person only",
)
class CaptchaRetrier(ReferenceClient):
    """Retries a captcha ticket like any other."""

    session_class = with_queue(_CaptchaQueue)


class _PatientCaptchaQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        patient = {"p-captcha": False, "p-time": 32} if data.get("p-captcha") is True else {}
        super().on_ticket(request, {**data, **patient}, now)


@mutant(
    "retries-a-captcha-after-32-s",
    "RLP-040",
    also={"LOG-100": "one in the answer to authorize too"},
    reason="an hour is due after a captcha, not half a minute",
)
class PatientCaptchaRetrier(ReferenceClient):
    """Retries a captcha ticket after half a minute."""

    session_class = with_queue(_PatientCaptchaQueue)


class _FirstAnswerQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, {**data, "p-captcha": False} if request.ticket else data, now)


@mutant(
    "retries-a-captcha-that-a-retry-drew",
    "RLP-040",
    reason="a captcha can be solved by a person only, whatever it answers",
)
class CaptchaOfRetryRetrier(ReferenceClient):
    """Looks for a captcha in the first answer only, and takes one in the answer to a retry for a further penalty."""

    session_class = with_queue(_FirstAnswerQueue)


class _SleepingSession(Session):
    def beat(self, now: float) -> None:
        if not self._requests.waits_for_a_penalty:
            super().beat(now)
        elif now >= self.next_beat():
            self._beats += 1


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


@mutant(
    "one-ticket-for-all",
    "RLP-090",
    also="RLP-030",
    reason="a ticket belongs to the request that drew it",
)
class OneTicketForAll(ReferenceClient):
    """Puts the last ticket that it drew into every request that follows."""

    session_class = with_queue(_GenerousQueue)


class _HoardingQueue(RequestQueue):
    spent: dict[tuple[str, str], str]  # endpoint and query -> the last ticket that such a request drew

    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, data, now)
        if request.ticket:
            self.spent[request.endpoint, request.query] = request.ticket

    def body_of(self, request: Request) -> Any:
        request.ticket = request.ticket or self.spent.get((request.endpoint, request.query), "")
        return super().body_of(request)


class _Keeping(ReferenceClient):
    """What its queues keep outlives the sockets."""

    queue: ClassVar[type[_HoardingQueue]] = _HoardingQueue

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)

        class Kept(self.queue):  # type: ignore[name-defined, misc]
            spent: ClassVar[dict[tuple[str, str], str]] = {}

        self.session_class = with_queue(Kept)


@mutant(
    "sends-a-spent-ticket-again",
    "RLP-090",
    reason="a ticket that was used with success belongs to nothing that is asked later",
)
class Hoards(_Keeping):
    """Keeps the ticket of a request, and sends it with the same request ever after."""


class _HastyQueue(_HoardingQueue):
    def __init__(self, lockout: Lockout) -> None:
        super().__init__(lockout)
        self._penalties = {}

    def on_reply(self, reply: Reply, now: float) -> None:
        request = self._pending.get(reply.id)
        if request is not None and not (isinstance(reply.data, dict) and "p-ticket" in reply.data):
            self.spent.pop((request.endpoint, request.query), None)
        super().on_reply(reply, now)


@mutant(
    "takes-its-ticket-to-the-next-socket-at-once",
    "RLP-020",
    also={"RLP-050": "what is asked for on the next socket does not wait for the penalty's end either"},
    reason="a penalty is no socket's: its time has to pass on the next one too",
)
class HastyAfterLoss(_Keeping):
    """Keeps a ticket over the loss of its socket, and forgets the time of its penalty."""

    queue = _HastyQueue


class _ForgetfulOfRests(RequestQueue):
    def rests_until(self, endpoint: str) -> float:
        return 0.0


@mutant(
    "forgets-a-captcha-with-its-socket",
    "RLP-040",
    reason="a recommendation: the hour's rest is the endpoint's, and no socket's",
)
class ForgetsRests(ReferenceClient):
    """Syncs on the next socket at once, when the one that drew a captcha is lost."""

    session_class = with_queue(_ForgetfulOfRests)


class _AnyCaptchaQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, data | ({"p-captcha": True} if "p-captcha" in data else {}), now)


@mutant(
    "takes-a-named-captcha-for-one",
    "RLP-020",
    reason="a ticket that says `p-captcha: false` is waited out as any other",
)
class AnyCaptcha(ReferenceClient):
    """Looks whether `p-captcha` is there, and not at what it says."""

    session_class = with_queue(_AnyCaptchaQueue)


class _LeavingQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        if request.endpoint != SYNC or data.get("p-captcha") is True:
            super().on_ticket(request, data, now)
            return
        self._penalties[SYNC] = max(now + data.get("p-time", 0), self._penalties.get(SYNC, now))
        request.done(Outcome(200, data, "a ticket"), now)


@mutant(
    "leaves-its-ticket-with-its-socket",
    "RLP-020",
    reason="a penalty is no socket's: who gives its socket up brings the ticket back on the next one",
)
class LeavesTicket(ReferenceClient):
    """Gives its socket up when its sync request draws a ticket, and syncs without it when the penalty is over."""

    session_class = with_queue(_LeavingQueue)
