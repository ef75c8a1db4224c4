"""What a client sends, taken in pieces that fit into a turn of the loop: a flood holds up nobody but its own socket.

One read brings up to 256 KiB, which are thirty thousand heartbeats. While pieces wait, nothing more is read. Each piece
bears the time of its read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from brokercert_mock.port.pace import Clock, Turn

PIECE = 2048  # bytes: some 250 of the smallest frames, a dozen milliseconds at the worst


class Inflow:
    """The bytes of one connection. `take` is given each piece and when it was read."""

    def __init__(self, transport: asyncio.ReadTransport, clock: Clock, take: Callable[[bytes, float], None]) -> None:
        self._transport, self._clock, self._take = transport, clock, take
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._going = False
        self._held = False

    def feed(self, data: bytes) -> None:
        """Bytes that were just read."""
        at = self._clock()
        self._waiting.extend((data[start : start + PIECE], at) for start in range(0, len(data), PIECE))
        if not self._going:
            self._go_on()

    def pause(self) -> None:
        """Read nothing more, for good."""
        self._held = True
        self._transport.pause_reading()

    def finish(self) -> None:
        """Nothing more comes: take what waits."""
        while self._waiting:
            self._take(*self._waiting.popleft())

    def _go_on(self) -> None:
        turn = Turn(self._clock)
        while self._waiting and turn.goes_on():
            self._take(*self._waiting.popleft())
        if self._waiting:
            if not self._going:
                self._going = True
                self._transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._go_on)
        elif self._going:
            self._going = False
            if not self._held:
                self._transport.resume_reading()
