"""Defects of logging in."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from typing import Any, ClassVar
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate import wire
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import Happening, State

LONG = 1e9  # seconds: for ever


@mutant(
    "slow-upgrade",
    "LOG-010",
    also="CON-030",  # where its first connection is sound: it knows no authority that it was given
    reason="the page allows five seconds, this takes six",
)
class SlowUpgrade(ReferenceClient):
    """Connects over TCP, and sends its upgrade request six seconds later."""

    async def open_socket(self) -> ClientConnection:
        parts = urlsplit(self.config.url)
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        await loop.sock_connect(sock, (parts.hostname, parts.port))
        await asyncio.sleep(6)
        return await connect(
            self.config.url,
            sock=sock,
            proxy=None,
            compression=None,
            ping_interval=None,
            open_timeout=None,
            close_timeout=self.config.close_within,
            max_size=self.config.largest_message,
        )


class _TwiceSession(Session):
    def send_authorize(self, now: float) -> None:
        super().send_authorize(now)
        super().send_authorize(now)


@mutant(
    "authorizes-twice",
    "LOG-020",
    also={
        "CON-050": "a request that leaves twice on a slow way looks like the way's doing",
        "LOG-040": "the second one comes when the first was refused",
        "LOG-100": "and when it drew a captcha",
        "RLP-070": "and when it was answered with 429",
    },
    reason="one authorize per socket",
)
class AuthorizesTwice(ReferenceClient):
    """Sends authorize twice."""

    session_class = _TwiceSession


class _EagerSession(Session):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.on_open(arguments[4])

    def on_open(self, now: float) -> None:
        if self.state is State.WAITING:
            super().on_open(now)


@mutant("authorizes-at-tcp-open", "LOG-025", reason="a recommendation: the page's own sample does it")
class AuthorizesAtTcpOpen(ReferenceClient):
    """Sends authorize when the socket opens, without waiting for `o`."""

    session_class = _EagerSession


class _LateSession(Session):
    authorize_at = LONG
    sync_at = LONG
    late = "authorize"

    def send_authorize(self, now: float) -> None:
        if self.late == "authorize":
            self.authorize_at = now + 3
        else:
            super().send_authorize(now)

    def send_sync(self, now: float) -> None:
        if self.late == "sync":
            self.sync_at = now + 6
        else:
            super().send_sync(now)

    def tick(self, now: float) -> None:
        if now >= self.authorize_at:
            self.authorize_at = LONG
            super().send_authorize(now)
        if now >= self.sync_at:
            self.sync_at = LONG
            super().send_sync(now)
        super().tick(now)

    def due(self) -> float:
        return min(super().due(), self.authorize_at, self.sync_at)


@mutant("slow-authorize", "LOG-030", reason="two seconds, this takes three before authorize")
class SlowAuthorize(ReferenceClient):
    """Sends authorize three seconds after `o`."""

    session_class = _LateSession


class _LateSyncSession(_LateSession):
    late = "sync"


@mutant("slow-first-request", "LOG-035", reason="five seconds, this takes six after the answer")
class SlowFirstRequest(ReferenceClient):
    """Sends its first request six seconds after the authorize answer."""

    session_class = _LateSyncSession


@mutant(
    "hammers-refused-token",
    "LOG-040",
    also={
        "LOG-050": "it knows no way to another token, so that none follows the expired one",
        "REC-070": "nor the one that ended or was revoked while it was away",
    },
    reason="the same refused token at most three times a minute",
)
class HammersRefusedToken(ReferenceClient):
    """Uses the refused token again and again, with its ordinary back-off only."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.config = dataclasses.replace(self.config, refused_delay=0.0, user="", password="")


@mutant(
    "sends-a-refused-token-every-19-s",
    "LOG-040",
    also={
        "LOG-050": "it knows no way to another token, so that none follows the expired one",
        "REC-070": "nor the one that ended or was revoked while it was away",
    },
    reason="the same refused token at most three times in any minute",
)
class TooSoon(ReferenceClient):
    """Sends the refused token again and again, 19 s after each refusal."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.config = dataclasses.replace(self.config, refused_delay=19.0, user="", password="")


class _DeafToRefusalSession(Session):
    deaf_to: ClassVar[tuple[int, ...]] = (401, 403)

    def on_authorize(self, outcome: Outcome, now: float) -> None:
        self.refused = outcome.status in self.deaf_to
        super().on_authorize(Outcome(200) if self.refused else outcome, now)

    def send_sync(self, now: float) -> None:
        # A second later, so that it cannot have been on its way already.
        self.later = now + 1 if self.refused else LONG
        if not self.refused:
            super().send_sync(now)

    later = LONG
    refused = False

    def tick(self, now: float) -> None:
        if now >= self.later:
            self.later = LONG
            super().send_sync(now)
        super().tick(now)

    def due(self) -> float:
        return min(super().due(), self.later)


@mutant(
    "ignores-refusal",
    "LOG-040",
    also={
        "EVT-020": "its sync request comes without a success",
        "LOG-045": "it knows of no refusal that it could tell of",
        "REC-070": "a revoked token's refusal goes unnoticed, so that no other follows",
    },
    reason="nothing but heartbeats follows on a socket whose token was refused",
)
class IgnoresRefusal(ReferenceClient):
    """Goes on as if it were logged in after a refusal."""

    session_class = _DeafToRefusalSession


class _DeafTo400(_DeafToRefusalSession):
    deaf_to = (400, 403)


@mutant(
    "takes-400-for-a-login",
    "LOG-040",
    also={
        "EVT-020": "its sync request comes without a success",
        "LOG-045": "it knows of no refusal that it could tell of",
    },
    reason="nothing but heartbeats follows a refusal, with any status",
)
class Takes400(ReferenceClient):
    """Takes 401 alone for a refusal, and syncs after any other status."""

    session_class = _DeafTo400


class _AtOnceSession(Session):
    def on_authorize(self, outcome: Outcome, now: float) -> None:
        if outcome.status in (401, 403):
            super().send_sync(now)
        super().on_authorize(outcome, now)


@mutant(
    "syncs-at-once-after-a-refusal",
    "LOG-040",
    also={
        "EVT-020": "its sync request comes without a success",
    },
    reason="nothing but heartbeats follows on a socket whose token was refused, a millisecond later as little as later",
)
class SyncsAtOnce(ReferenceClient):
    """Sends its sync request at once when authorize is refused, and gives the socket up then."""

    session_class = _AtOnceSession


class _ShortSession(Session):
    def tick(self, now: float) -> None:
        if self.live_since is not None and now >= self.live_since + 20:
            self.happen(Happening.TIMED_OUT, "twenty seconds are enough", now)
        super().tick(now)

    def due(self) -> float:
        return min(super().due(), LONG if self.live_since is None else self.live_since + 20)


@mutant(
    "hangs-up-after-20-s",
    "LOG-060",
    also={
        "HBT-040": "it ends the connection in a time of nothing but `h`",
        "RLP-020": "a request that waits for the end of 75 s dies with its connection",
        "RLP-050": "and what is queued behind two tickets",
        "EVT-110": "it ends the connection while unknown events are on it, which looks like their doing",
        "CON-050": "it ends the connection over a slow way too, which looks like the way's doing",
        "EVT-090": "it ends the connection twenty seconds after a large snapshot as well",
        "LOG-055": "it ends the connection whose token is to expire",
    },
    reason="it ends a healthy connection, which every longer observation sees",
)
class HangsUp(ReferenceClient):
    """Ends its connection after twenty seconds and connects again."""

    session_class = _ShortSession


class _FirstOnlySession(Session):
    def receive(self, text: str, now: float) -> None:
        self._heard = now
        for item in list(wire.read(text))[:1]:
            self.on_item(item, now)


@mutant(
    "first-message-only",
    "LOG-070 EVT-070",
    also="EVT-050 EVT-060 EVT-080 EVT-120 REC-040 REQ-020",
    reason="what counts may stand last in its frame: an answer, and of every new order its command and version",
)
class FirstMessageOnly(ReferenceClient):
    """Looks at the first message of a frame only."""

    session_class = _FirstOnlySession


@mutant("waits-for-the-answer-for-ever", "LOG-080", reason="an unanswered authorize is to be given up")
class WaitsForAnswer(ReferenceClient):
    """Waits for the authorize answer for ever."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.config = dataclasses.replace(self.config, answer_within=LONG)


@mutant("waits-for-open-for-ever", "LOG-080", reason="an `o` that never comes is to be given up")
class WaitsForOpen(ReferenceClient):
    """Waits for `o` for ever."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.config = dataclasses.replace(self.config, open_within=LONG)
