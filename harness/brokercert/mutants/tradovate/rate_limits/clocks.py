"""Defects of clients that wait a penalty out by the wall clock, which a time server may step."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Lockout, Outcome, RequestQueue
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.wire import Reply


class _QueuedByWall(RequestQueue):
    """Waits by the wall clock."""

    def __init__(self, lockout: Lockout, wall: Callable[[], float]) -> None:
        super().__init__(lockout)
        self._wall = wall

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        super().submit(endpoint, self._told(done), now=self._wall(), **more)

    def _told(self, done: Callable[[Outcome, float], None]) -> Callable[[Outcome, float], None]:
        return lambda outcome, _: done(outcome, asyncio.get_running_loop().time())

    def on_reply(self, reply: Reply, now: float) -> None:
        super().on_reply(reply, self._wall())

    def tick(self, now: float) -> None:
        super().tick(self._wall())

    def due(self) -> float:
        return super().due() - self._wall() + asyncio.get_running_loop().time()


class _WaitsByWall(Session):
    def __init__(self, wall: Callable[[], float], rests: Lockout, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._requests = _QueuedByWall(rests, wall)


@mutant(
    "waits-by-the-wall-clock",
    "RLP-020",
    also={"LOG-100": "its sockets know by that clock how long a captcha rests, and the program does not"},
    reason="set back by two hours, the clock lets no penalty end: the retry comes two hours late",
)
class WaitsByWall(ReferenceClient):
    """Waits for the end of a penalty by the wall clock."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        rests = Lockout(self.config.lockout)  # of all its sockets, by that clock
        self.session_class = functools.partial(_WaitsByWall, self._wall, rests)  # type: ignore[assignment]
