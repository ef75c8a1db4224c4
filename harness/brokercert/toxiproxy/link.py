"""One proxied connection: two directions, each a reader, a chain of toxics, and a writer that keeps their times.

No lock is held while a socket is awaited, and nobody waits for a link: changing the chain flushes what is under way and
builds it anew. Ends are as the real server's. One travels through the chain of its direction, as data does. Then the
socket that it comes to is closed, so that the other direction has its end too, by its own chain and after what is under
way there. A reset of one side is a FIN for the other, unless `reset_peer` was there when the connection began.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from brokercert.toxiproxy.toxics import TYPES, Piece, Stub, Toxic

CHUNK = 32 * 1024  # bytes, as the real server copies
TURN = 0.01  # seconds in one go, after which whoever else is in the loop has a turn
MOST_QUEUED = 8 * 1024 * 1024  # bytes under way in one direction before the sender is made to wait


class Direction:
    """From one socket to the other. What a toxic let go waits for its moment, and then comes to the next one."""

    def __init__(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        toxics: Callable[[], Sequence[Toxic]],
        rng: random.Random,
    ) -> None:
        self._source, self._sink = source, sink
        self._toxics = toxics
        self._rng = rng
        self._loop = asyncio.get_running_loop()
        self._stubs: list[Stub] = []
        self._coming: list[deque[Piece]] = [deque()]  # to each toxic, and last to the sink: when each comes there
        self._queued = 0
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.rebuild(())

    def rebuild(self, resampled: Sequence[Toxic]) -> bool:
        """Take the toxics as they are now, and flush what has not passed the change. True where the connection is to be
        closed.

        Toxicity is drawn when a stub starts, and anew for the toxics in `resampled`.
        """
        now = self._loop.time()
        old, wanted = [stub.toxic for stub in self._stubs], list(self._toxics())
        before = dict(zip(old, self._stubs, strict=True))
        closes = any(stub.closes_on_removal and toxic not in wanted for toxic, stub in before.items())
        stubs = []
        for toxic in wanted:
            known = before.get(toxic)
            if known is not None and toxic not in resampled:
                stubs.append(known)
            elif self._rng.random() < toxic.toxicity:
                stubs.append(TYPES[toxic.type](toxic, self._rng, now))
            else:
                stubs.append(TYPES["noop"](toxic, self._rng, now))
        self._stubs = stubs
        self._flush(*_place(old, wanted, resampled), now)
        self._changed.set()
        return closes

    def _flush(self, passed: int, goes_on: int, now: float) -> None:
        """What the first `passed` toxics of the chain of before hold leaves them now, and comes to today's toxic
        `goes_on`. What is on its way behind them keeps its time.
        """
        flushed = [piece for coming in reversed(self._coming[1 : passed + 1]) for piece in coming]
        for stub in self._stubs[:goes_on]:
            stub.free = min(stub.free, now)  # none of them holds anything now
        first, behind = self._coming[0], self._coming[passed + 1 :]
        between = [deque[Piece]() for _ in range(len(self._stubs) - len(behind))]
        self._coming = [first, *between, *behind] if passed or between else self._coming
        for piece in flushed:
            piece.at = now
            self._coming[goes_on].append(piece)

    @property
    def sink(self) -> asyncio.StreamWriter:
        """Where it leads."""
        return self._sink

    def source_is_over(self) -> None:
        """Its source was closed: nothing more comes of it."""
        self._source.feed_eof()

    async def run(self) -> None:
        """Until the stream has ended and all of it is delivered."""
        reader = asyncio.create_task(self._read())
        try:
            await self._deliver()
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _read(self) -> None:
        began = self._loop.time()
        while True:
            await self._room.wait()
            began = await self._give_way(began)
            try:
                data = await self._source.read(CHUNK)
            except OSError:
                data = b""  # a reset of one side is the end for the other
            now = self._loop.time()
            self._send(0, Piece(now, data, now, ends=not data))
            if not data:
                return

    def _send(self, place: int, piece: Piece) -> None:
        """On its way to the toxic at `place`, or behind the last one to the sink."""
        coming = self._coming[place]
        if coming and piece.at < coming[-1].at:
            piece.at = coming[-1].at  # in order, whatever the jitter
        coming.append(piece)
        self._queued += len(piece.data)
        if self._queued > MOST_QUEUED:
            self._room.clear()
        self._changed.set()

    async def _deliver(self) -> None:
        while True:
            self._changed.clear()
            now = began = self._loop.time()
            while (place := self._due(now)) is not None:
                began = await self._give_way(began)
                if place < len(self._stubs):
                    self._work(place)
                elif await self._write(self._take(place)):
                    return
            await self._until_due()

    def _moments(self) -> list[tuple[float, int]]:
        """When something is due next, at each place. Of two at once the one further on goes first."""
        moments = [(coming[0].at, -place) for place, coming in enumerate(self._coming) if coming]
        wakes = [(stub.wake, -place) for place, stub in enumerate(self._stubs) if stub.wake is not None]
        return sorted([*moments, *wakes])

    def _due(self, now: float) -> int | None:
        """The place where something is due first of all; None: nowhere yet."""
        moments = self._moments()
        return -moments[0][1] if moments and moments[0][0] <= now else None

    def _work(self, place: int) -> None:
        """The toxic at `place` has something to do: because it is time, or with the piece that has come."""
        stub, coming = self._stubs[place], self._coming[place]
        if stub.wake is not None and (not coming or stub.wake < coming[0].at):
            woken, stub.wake = stub.wake, None
            self._let_go(place, stub.idle(woken))
            return
        piece = self._take(place)
        if piece.data and not stub.over:
            self._let_go(place, stub.pipe(Piece(max(piece.at, stub.free), piece.data, piece.stamp)))
        if piece.ends and not stub.over:  # it is looked at once the data before it has left
            held = self._coming[place + 1]
            at = stub.end(max(piece.at, stub.free, held[-1].at if held else piece.at))
            self._let_go(place, (Piece(at, b"", piece.stamp, ends=True),))

    def _let_go(self, place: int, pieces: Iterable[Piece]) -> None:
        stub = self._stubs[place]
        for piece in pieces:
            self._send(place + 1, piece)
            if piece.ends:
                stub.over, stub.wake = True, None

    def _take(self, place: int) -> Piece:
        piece = self._coming[place].popleft()
        self._queued -= len(piece.data)
        self._room.set()
        return piece

    async def _write(self, piece: Piece) -> bool:
        """Write it; True where it was the end."""
        if piece.data:
            self._sink.write(piece.data)
            await self._sink.drain()
        return piece.ends

    async def _give_way(self, began: float) -> float:
        """Let the loop come round where this has gone on since `began` for a turn. Returns since when it goes on now.

        Reading what is there, and writing where there is room, wait for nothing by themselves.
        """
        if self._loop.time() - began < TURN:
            return began
        await asyncio.sleep(0)
        return self._loop.time()

    async def _until_due(self) -> None:
        moments = self._moments()
        try:
            async with asyncio.timeout_at(moments[0][0] if moments else None):
                await self._changed.wait()
        except TimeoutError:
            return


def _place(old: Sequence[Toxic], new: Sequence[Toxic], changed: Sequence[Toxic]) -> tuple[int, int]:
    """How many toxics of the chain of before are flushed, and from which of today's on what they held goes on.

    As the real server does it: up to the toxic that is removed or changed, and up to the one before a new one, which
    what is flushed does not meet.
    """
    same = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a is not b), min(len(old), len(new)))
    if len(new) < len(old):
        return same + len(old) - len(new), same
    if len(new) > len(old):
        return same, same + len(new) - len(old)
    places = [place + 1 for place, toxic in enumerate(new) if toxic in changed]
    return (max(places), max(places)) if places else (0, 0)


class Link:
    """Both directions of one connection."""

    def __init__(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        toxics: Callable[[str], Sequence[Toxic]],
        rng: random.Random,
    ) -> None:
        self._writers = (client[1], server[1])
        self.directions = {
            "upstream": Direction(client[0], server[1], lambda: toxics("upstream"), rng),
            "downstream": Direction(server[0], client[1], lambda: toxics("downstream"), rng),
        }
        # The real server decides at a connection's start whether its ends will be resets.
        self._resets = any(t.type == "reset_peer" for name in self.directions for t in toxics(name))
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Until both directions have ended, or the link is closed; then both sides are ended."""
        up, down = self.directions.values()
        tasks = {asyncio.create_task(up.run()): (up, down), asyncio.create_task(down.run()): (down, up)}
        closing = asyncio.create_task(self._done.wait())
        try:
            while tasks and not self._done.is_set():
                await asyncio.wait([*tasks, closing], return_when=asyncio.FIRST_COMPLETED)
                for done in [task for task in tasks if task.done()]:
                    await asyncio.gather(done, return_exceptions=True)  # a peer that has gone is an end too
                    ended, other = tasks.pop(done)
                    _end(ended.sink, self._resets)
                    other.source_is_over()
        finally:
            for task in (*tasks, closing):
                task.cancel()
            await asyncio.gather(*tasks, closing, return_exceptions=True)
            for writer in self._writers:
                _end(writer, self._resets)

    def rebuild(self, stream: str, resampled: Sequence[Toxic] = ()) -> None:
        if self.directions[stream].rebuild(resampled):
            self.close()

    def close(self) -> None:
        self._done.set()


def _end(writer: asyncio.StreamWriter, reset: bool) -> None:
    raw = writer.get_extra_info("socket")
    transport = writer.transport
    if reset and raw is not None and not transport.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        return
    if not transport.is_closing() and transport.can_write_eof():
        # FIN first, then the socket: closing one with unread data in it would be a reset.
        try:
            transport.write_eof()
        except OSError:
            pass  # the peer has gone already
    writer.close()
