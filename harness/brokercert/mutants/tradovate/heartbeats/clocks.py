"""Defects of clients that measure durations by the wall clock, which a time server may step."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import State
from brokercert.reference.tradovate.wire import HEARTBEAT


class _WatchedByWall(Session):
    """Notes by the wall clock when it heard of the server."""

    def __init__(self, wall: Callable[[], float], *arguments: Any) -> None:
        super().__init__(*arguments)
        self._wall, self._heard_at = wall, wall()

    def receive(self, text: str, now: float) -> None:
        super().receive(text, now)
        self._heard_at = self._wall()

    def tick(self, now: float) -> None:
        self._heard = now - (self._wall() - self._heard_at)
        super().tick(now)


@mutant(
    "watches-by-the-wall-clock",
    "HBT-050",
    reason="set back by two hours, the clock lets no silence grow old: it is never noticed",
)
class WatchedByWall(ReferenceClient):
    """Measures by the wall clock for how long the server has been silent."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.session_class = functools.partial(_WatchedByWall, self._wall)  # type: ignore[assignment]


class _BeatsByWall(Session):
    """Beats when the wall clock says so."""

    def __init__(self, wall: Callable[[], float], *arguments: Any) -> None:
        super().__init__(*arguments)
        self._wall, self._next = wall, wall()

    def beat(self, now: float) -> None:
        if self.state not in (State.OVER, State.WAITING) and self._wall() >= self._next:
            self._out.append(HEARTBEAT)
            self._next = self._wall() + self.config.heartbeat_every

    def next_beat(self) -> float:
        if self.state is State.WAITING:
            return super().next_beat()
        return asyncio.get_running_loop().time() + max(0.0, self._next - self._wall())


@mutant(
    "beats-by-the-wall-clock",
    "HBT-010",
    reason="set back by two hours, the clock lets no heartbeat come due",
)
class BeatsByWall(ReferenceClient):
    """Measures by the wall clock when its next heartbeat is due."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.session_class = functools.partial(_BeatsByWall, self._wall)  # type: ignore[assignment]
