"""Virtual time: an asyncio loop whose clock jumps to the next timer whenever nothing is ready.

The law: what has been written to a socket of this process is read before the clock moves. Sockets are real ones on
loopback, polled without waiting; only when several polls in a row found nothing does time go on. Everything must live
on this loop: a peer in another process or a blocking thread would be judged by a clock that it cannot see. While an
executor's call is under way the clock stands still. Cost is zero in virtual time, so processing time is never judged.
"""

from __future__ import annotations

import asyncio
import asyncio.selector_events
import datetime
import selectors
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from contextlib import suppress
from typing import Any, TypeVar, TypeVarTuple, cast

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# The calendar at time 0. Far in the future: a client that reads the real calendar finds its tokens good, as it should.
CALENDAR = datetime.datetime(2100, 1, 4, 14, 30, tzinfo=datetime.UTC)
AHEAD = "brokercert_calendar_ahead"  # a loop's attribute: seconds by which its calendar was stepped
POLLS = 3  # in a row without anything ready: loopback delivers within the call that sends
REAL_WAIT = 0.2  # seconds, where no timer is left: for a signal, or for a thread's end
LONGEST = 120.0  # seconds of real time for one loop: a client that never waits would stop the clock for ever
STUCK = 25  # such waits in a row: five seconds in which nothing came, and nothing is going to


def wall() -> float:
    """Calendar time of the running loop, as `time.time()` would give it: for clients that can be told a calendar."""
    loop = asyncio.get_running_loop()
    return CALENDAR.timestamp() + loop.time() + float(getattr(loop, AHEAD, 0.0))


def step_wall(seconds: float) -> None:
    """Step the calendar of the running loop, and of nothing else: its timers go on as they do."""
    loop = asyncio.get_running_loop()
    setattr(loop, AHEAD, float(getattr(loop, AHEAD, 0.0)) + seconds)


class StuckError(RuntimeError):
    """Every task waits for what cannot come, or one never waits at all."""


class _Selector(selectors.DefaultSelector):
    """Polls; and moves the loop's clock by what it was asked to wait."""

    def __init__(self, longest: float) -> None:
        super().__init__()
        self.now = 0.0
        self.calls = 0  # of executors, under way
        self._waits = 0
        self._longest = longest
        self._until = time.monotonic() + longest
        self._places: dict[int, int] = {}  # of file descriptors: the how manieth they were registered
        self._registered = 0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = super().register(fileobj, events, data)
        self._registered += 1
        self._places[key.fd] = self._registered
        return key

    def _ready_now(self) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready, in the order of registration. Which of several ends comes first is the kernel's, and another
        one on a busy machine; so what is written in one turn is waited for until two polls tell the same.
        """
        ready = super().select(0)
        while ready and len(more := super().select(0)) > len(ready):
            ready = more
        return sorted(ready, key=lambda one: self._places[one[0].fd])

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        # All polls in one turn: nothing of this process runs between them, and a turn of the loop costs more than one.
        at_once = timeout is not None and timeout <= 0
        for _ in range(1 if at_once else POLLS):
            ready = self._ready_now()
            if ready:
                break
        if time.monotonic() > self._until:
            self._until = time.monotonic() + self._longest  # so that what is left can be ended
            raise StuckError(f"{self._longest:g} s of real time went by, and only {self.now:g} s of virtual time")
        if ready:
            self._waits = 0
            return ready
        if at_once:
            return ready
        if self.calls or timeout is None:
            ready = super().select(REAL_WAIT)
            self._waits = 0 if ready or self.calls else self._waits + 1
            if self._waits > STUCK:
                raise StuckError("no timer and nothing to read: every task waits for what cannot come")
            return ready
        self._waits = 0
        self.now += timeout
        return ready


_Transport: Any = asyncio.selector_events._SelectorSocketTransport  # type: ignore[attr-defined]


class _Gathering(_Transport):  # type: ignore[misc]
    """What is written within one turn of the loop goes out in one piece.

    In many small ones some would have to wait for the other side's acknowledgement, which comes by the kernel's own
    clock: now and then a reader would find fewer of them than the run before (seen after ten in a row).
    """

    _gathered: bytearray | None = None

    def write(self, data: bytes) -> None:
        if self._gathered is None:
            self._gathered = bytearray()
            self._loop.call_soon(self._let_go)
        self._gathered += data

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))

    def get_write_buffer_size(self) -> int:
        return int(super().get_write_buffer_size()) + len(self._gathered or b"")

    def write_eof(self) -> None:
        self._let_go()
        super().write_eof()

    def close(self) -> None:
        self._let_go()
        super().close()

    def abort(self) -> None:
        self._let_go()
        super().abort()

    def _let_go(self) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered:
            super().write(bytes(gathered))


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that starts at 0 and takes no real time to wait. `longest`: real seconds, after which it is stuck."""

    _selector_of: type[_Selector] = _Selector

    def __init__(self, longest: float = LONGEST) -> None:
        self._virtual = self._selector_of(longest)
        super().__init__(self._virtual)
        self._clock_resolution = 1e-9  # else timers due within the real clock's resolution would fire early
        self._made: list[Any] = []

    def _make_socket_transport(self, sock: Any, protocol: Any, waiter: Any = None, **rest: Any) -> asyncio.Transport:
        made = _Gathering(self, sock, protocol, waiter, **rest)
        self._made = [one for one in self._made if one._sock is not None] + [made]  # None: its end was told
        return cast(asyncio.Transport, made)

    def close(self) -> None:
        """Abort what is still open, and close. A client that died left its transports to the other side's end, which
        comes by the kernel's clock: on a busy machine, after this loop's last turn.
        """
        made, self._made = self._made, []
        for transport in made:
            transport.abort()
        if made:
            self.call_soon(self.stop)
            with suppress(StuckError):  # nothing waits for these ends
                self.run_forever()
        super().close()

    def time(self) -> float:
        return self._virtual.now

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._virtual.calls += 1
        future.add_done_callback(self._call_ended)
        return future

    def _call_ended(self, _: object) -> None:
        self._virtual.calls -= 1
