"""Clients that die at what they meet: one for each stimulus, way to die, and delay, made from a table.

They stand in no register: what each must fail depends on the row, and often that is *not observed* alone. The law that
holds for all of them is in tests/matrix/test_dying.py: who died is praised for no restraint.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.client import End, ReferenceClient
from brokercert.reference.tradovate.session import Session

Met = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Stimulus:
    """What a client dies at, and the `scenarios` in which it meets that.

    It is met in a text frame (`frame`), by the HTTP status of a refused upgrade (`upgrade`), or with any loss of a
    connection, or any attempt in vain (`loss`).
    """

    scenarios: tuple[str, ...]
    frame: Met | None = None
    upgrade: int = 0
    loss: bool = False


def _has(pattern: str) -> Met:
    wanted = re.compile(pattern)
    return lambda text: wanted.search(text) is not None


def _is_malformed(text: str) -> bool:
    try:
        json.loads(text[1:])
    except (ValueError, RecursionError):
        return text[:1] == "a"
    return False


def _lacks_a_list(text: str) -> bool:
    """A snapshot that leaves the list of orders out."""
    return '"users"' in text and '"orders"' not in text


def _is_unknown(text: str) -> bool:
    return text[:1] not in ("o", "a", "c", "h")


STIMULI = {
    "ticket": Stimulus(("sync-ticket", "sync-ticket-long", "request-ticket", "order-ticket"), _has('"p-ticket"')),
    "nested-ticket": Stimulus(("sync-ticket-nested",), _has('"p-ticket"')),
    "captcha": Stimulus(("sync-captcha", "request-captcha"), _has('"p-captcha": ?true')),
    "answer-429": Stimulus(("sync-429", "request-429", "retry-429"), _has('"s": ?429')),
    "refused-token": Stimulus(("token-refused", "token-refused-closed"), _has('"s": ?40[013]')),
    "hollow-login": Stimulus(("authorize-ticket",), _has('"(p-ticket|errorText)"')),
    "error-answer": Stimulus(("answers-errors",), _has('"s": ?(4|5)\\d\\d')),
    "snapshot": Stimulus(("steady", "order-flow", "snapshot-large"), _has('"s": ?200.*"users"')),
    "missing-list": Stimulus(("empty-lists-left-out",), _lacks_a_list),
    "order-answer": Stimulus(("orders-of-its-own",), _has('"s": ?200.*"orderId"')),
    "event": Stimulus(("order-flow", "arrays-and-deletions", "late-updates"), _has('"e": ?"props"')),
    "unknown-event": Stimulus(("unknown-events",), _has('"e": ?"(?!props|clock|shutdown|md|chart)')),
    "shutdown": Stimulus(("shutdown-maintenance", "shutdown-at-once"), _has('"e": ?"shutdown"')),
    "protocol-close": Stimulus(("loss-protocol-close", "loss-protocol-close-open"), _has("^c")),
    "malformed-json": Stimulus(("malformed-json",), _is_malformed),
    "unknown-frame": Stimulus(("unknown-frames",), _is_unknown),
    "upgrade-429": Stimulus(("upgrade-429",), upgrade=429),
    "upgrade-503": Stimulus(("unavailable-503",), upgrade=503),
    "loss": Stimulus(
        (
            *("loss-fin", "loss-rst", "loss-close-1001", "loss-close-1011", "loss-close-1012", "loss-close-1000"),
            *("loss-close-1005", "loss-close-1008", "loss-close-1013", "loss-fin-quiet", "loss-proxy", "idle-close"),
            *("outage-refused", "outage-closed", "port-refused", "unavailable-accept", "silent-dead", "tls-cut"),
            *("upgrade-unanswered", "authorize-unanswered", "open-never", "ticket-of-another", "token-expired-away"),
            *("order-in-flight-placed", "order-in-flight-lost", "shutdown-ip-quota", "heartbeat-streams"),
        ),
        loss=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Way:
    """How a client dies: by an exception that nobody catches (`code` None), or by leaving with that status at once,
    `delay` seconds after what it dies at.
    """

    code: int | None
    delay: float


WAYS = {
    "raises": Way(None, 0),
    "raises-late": Way(None, 2),
    "exits": Way(3, 0),
    "exits-late": Way(3, 2),
    "leaves": Way(0, 0),
    "leaves-late": Way(0, 2),
}


class Dead(Exception):
    """It met what it dies at."""


def dying(stimulus: Stimulus, way: Way) -> type[ReferenceClient]:
    """The reference client, but that it dies at the stimulus in that way."""

    class Dying(ReferenceClient):
        """Dies at what it meets."""

        def __init__(self, *arguments: Any, **more: Any) -> None:
            super().__init__(*arguments, **more)
            client = self

            class Reading(self.session_class):  # type: ignore[name-defined, misc]
                def receive(self, text: str, now: float) -> None:
                    if stimulus.frame is not None and stimulus.frame(text):
                        client.meet()
                    super().receive(text, now)

            self.session_class: type[Session] = Reading
            self._fate = asyncio.Event()
            self._met = False

        def meet(self) -> None:
            """It is over for the client: at once, or later. Raises `Dead` where that is at once."""
            self._met = True
            if way.delay:
                asyncio.get_running_loop().call_later(way.delay, self._fate.set)
            else:
                self._fate.set()
                raise Dead("met what it dies at")

        async def run(self) -> int:
            living = asyncio.create_task(super().run())
            fate = asyncio.create_task(self._fate.wait())
            await asyncio.wait({living, fate}, return_when=asyncio.FIRST_COMPLETED)
            if not self._fate.is_set():
                fate.cancel()
                return await living
            living.cancel()
            await asyncio.gather(living, return_exceptions=True)
            if way.code is None:
                raise Dead("met what it dies at")
            return way.code

        async def leave(self, ws: ClientConnection) -> None:
            if self._fate.is_set() and way.code is not None:
                ws.transport.abort()  # a process that is gone says no good-bye
            else:
                await super().leave(ws)

        async def open_socket(self) -> ClientConnection:
            try:
                return await super().open_socket()
            except InvalidStatus as error:
                if stimulus.upgrade == error.response.status_code:
                    self.meet()
                raise

        def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
            if stimulus.loss and not self._met:
                self.meet()
            return super().delay_after(end, backoff, refusals)

    return Dying
