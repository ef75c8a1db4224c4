"""Defects in handling tokens and the answers to authorize."""

from __future__ import annotations

import asyncio
import dataclasses
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.rest import RestError, call
from brokercert.reference.tradovate.client import GIVEN_UP, NORMAL, ReferenceClient
from brokercert.reference.tradovate.requests import Outcome, Request, RequestQueue
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import Happening
from brokercert.reference.tradovate.tokens import Tokens

MOST_REASON = 123  # bytes: the longest reason of a close frame (RFC 6455 §5.5)


class _FirstTokenOnly(Tokens):
    async def get(self) -> str:
        return self._config.token


@mutant(
    "uses-its-first-token-for-ever",
    "LOG-050 REC-070",
    also="LOG-040",
    reason="neither an end nor a refusal leads to a fresh token",
)
class FirstTokenOnly(ReferenceClient):
    """Authorizes with the token that it was started with, whatever becomes of that."""

    tokens_class = _FirstTokenOnly


class _ClosingAtTheEnd(Session):
    def tick(self, now: float) -> None:
        if self.live_since is not None and now - self.live_since > 42:
            self.happen(Happening.TIMED_OUT, "the token ends soon", now)
        super().tick(now)


@mutant(
    "drops-the-socket-with-its-token",
    "LOG-055",
    also="LOG-060 HBT-040 HBT-080 RLP-020",
    reason="a socket outlives its token; one of a steady session, or with a request that waits, is dropped as well",
)
class DropsWithToken(ReferenceClient):
    """Closes its socket when a token of 45 s is about to end, and comes back with a new one."""

    session_class = _ClosingAtTheEnd


class _AuthorizingAgain(Session):
    again = False

    def tick(self, now: float) -> None:
        if self.live_since is not None and now - self.live_since > 46 and not self.again:
            self.again = True
            self._requests.submit("authorize", lambda outcome, at: None, now=now, body=self._token)
        super().tick(now)


@mutant("authorizes-again-on-renewal", "LOG-055 LOG-020", reason="one authorize on a socket, whatever its token does")
class AuthorizesAgain(ReferenceClient):
    """Sends authorize again on a live socket when its token was renewed."""

    session_class = _AuthorizingAgain


@mutant("calls-rest-with-an-old-token", "LOG-055", also="RLP-070", reason="REST requests carry a renewed token")
class OldTokenOverRest(ReferenceClient):
    """Asks for its accounts over REST every ten seconds, with the token that it was started with."""

    async def run(self) -> int:
        asking = asyncio.create_task(self._ask())
        try:
            return await super().run()
        finally:
            asking.cancel()

    async def _ask(self) -> None:
        while True:
            await asyncio.sleep(10)
            with suppress(RestError):
                await call(f"{self.config.rest_url}/account/list", bearer=self.config.token)


@mutant("prints-its-token", "LOG-090", reason="whoever reads the log can trade")
class PrintsItsToken(ReferenceClient):
    """Prints the token that it logs in with."""

    async def open_socket(self) -> ClientConnection:
        self._output(f"connecting with {self.config.token}")
        return await super().open_socket()


@mutant("prints-its-token-as-bytes", "LOG-090", reason="what a program prints of a buffer is its content all the same")
class PrintsItsTokenAsBytes(ReferenceClient):
    """Prints the bytes of the token that it logs in with, as Node's console shows a buffer."""

    async def open_socket(self) -> ClientConnection:
        self._output(f"connecting with <Buffer {self.config.token.encode().hex(' ')}>")
        return await super().open_socket()


@mutant("prints-most-of-its-token", "LOG-090", reason="four characters are guessed in an hour")
class PrintsMostOfItsToken(ReferenceClient):
    """Prints the token that it logs in with, but for its last four characters."""

    async def open_socket(self) -> ClientConnection:
        self._output(f"connecting with {self.config.token[:-4]}****")
        return await super().open_socket()


@mutant(
    "token-in-its-good-bye", "LOG-090", reason="the reason of a close frame is logged on the way, and by the server"
)
class TokenInItsGoodBye(ReferenceClient):
    """Says in the reason of its close frame whose session ends."""

    async def leave(self, ws: ClientConnection) -> None:
        await ws.close(NORMAL if self._stop.is_set() else GIVEN_UP, f"bye {self.config.token}"[:MOST_REASON])


@mutant("token-in-the-url", "LOG-090", reason="URLs are logged on the way")
class TokenInUrl(ReferenceClient):
    """Adds its token to the URL of the socket."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.config = dataclasses.replace(self.config, url=f"{self.config.url}?token={self.config.token}")


class _AnyTwoHundred(Session):
    def on_authorize(self, outcome: Outcome, now: float) -> None:
        super().on_authorize(Outcome(outcome.status) if outcome.status == 200 else outcome, now)


@mutant(
    "takes-an-error-text-for-a-login",
    "LOG-100",
    also={"LOG-045": "it knows of no refusal that it could tell of"},
    reason="200 is no success when an error text stands in it",
)
class AnyTwoHundred(ReferenceClient):
    """Takes every 200 answer to authorize for a login."""

    session_class = _AnyTwoHundred


class _NoTicketForLoginQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        if request.endpoint == "authorize":
            request.done(Outcome(200, data, "a ticket"), now)
        else:
            super().on_ticket(request, data, now)


class _NoTicketForLogin(Session):
    queue_class = _NoTicketForLoginQueue

    def on_authorize(self, outcome: Outcome, now: float) -> None:
        if outcome.status == 200 and isinstance(outcome.data, dict) and "p-ticket" in outcome.data:
            self.happen(Happening.TIMED_OUT, "authorize was answered with a ticket", now)
        else:
            super().on_authorize(outcome, now)


@mutant(
    "logs-in-again-before-its-ticket-allows",
    "LOG-100",
    reason="a recommendation: the time of a ticket passes before the next authorize, on a new socket too",
)
class LogsInAtOnce(ReferenceClient):
    """Takes a ticket for authorize for a trouble of the connection, and comes back with its ordinary back-off."""

    session_class = _NoTicketForLogin


class _NoCaptchaForLogin(Session):
    def on_authorize(self, outcome: Outcome, now: float) -> None:
        if "captcha" in outcome.error:
            self._requests._lockout.resting.pop("authorize", None)
            self.happen(Happening.TIMED_OUT, "authorize was answered with a captcha", now)
        else:
            super().on_authorize(outcome, now)


@mutant(
    "logs-in-again-after-a-captcha",
    "LOG-100",
    reason="a recommendation: only a person can solve a captcha, and an hour passes before the next authorize",
)
class LogsInAfterCaptcha(ReferenceClient):
    """Takes a captcha for authorize for a trouble of the connection, and comes back with its ordinary back-off."""

    session_class = _NoCaptchaForLogin


class _CaptchaIsATicketQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        plain = {"p-captcha": False} if request.endpoint == "authorize" else {}
        super().on_ticket(request, {**data, **plain}, now)


@mutant(
    "authorizes-again-after-a-captcha",
    "LOG-100",
    reason="a recommendation: only a person can solve a captcha, and an hour passes before the next authorize",
)
class AuthorizesAfterCaptcha(ReferenceClient):
    """Looks for a captcha in the answers to requests, and not in that to authorize: it waits `p-time` out there."""

    session_class = with_queue(_CaptchaIsATicketQueue)
