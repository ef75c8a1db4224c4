"""One proxied connection: two directions, each a reader, a chain of toxics, and a writer that keeps their times.

No lock is held while a socket is awaited, and nobody waits for a link: changing the chain flushes what is under way and
builds it anew. Ends are as the real server's: no half-close, and a reset of one side is a FIN for the other, unless
`reset_peer` was there when the connection began.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence

from brokercert.toxiproxy.toxics import TYPES, Piece, Stub, Toxic

CHUNK = 32 * 1024  # bytes, as the real server copies
TURN = 0.01  # seconds in one go, after which whoever else is in the loop has a turn
MOST_QUEUED = 8 * 1024 * 1024  # bytes under way in one direction before the sender is made to wait


class Direction:
    """From one socket to the other."""

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
        self._queue: deque[Piece] = deque()
        self._queued = 0
        self._flush = False
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.end = ""  # "fin" or "rst" once the direction is over
        self.rebuild(())

    def rebuild(self, resampled: Sequence[Toxic]) -> bool:
        """Take the toxics as they are now, and flush what is under way. True where the connection is to be closed.

        Toxicity is drawn when a stub starts, and anew for the toxics in `resampled`.
        """
        now = self._loop.time()
        before = {stub.toxic: stub for stub in self._stubs}
        wanted = list(self._toxics())
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
        self._flush = bool(self._queue)
        self._changed.set()
        return closes

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
            if not data:
                self._push_end(self._loop.time(), 0)
                return
            self._push(Piece(self._loop.time(), data), 0)

    def _push(self, piece: Piece, stage: int) -> None:
        """Send a piece through the chain from `stage` on."""
        if piece.end:
            end, piece.end = piece.end, ""
            if piece.data:
                self._push(piece, stage)
            self._append(Piece(piece.at, b"", end))
            return
        if stage == len(self._stubs):
            self._append(piece)
            return
        for out in self._stubs[stage].pipe(piece):
            self._push(out, stage + 1)
        self._changed.set()

    def _push_end(self, at: float, stage: int) -> None:
        if stage == len(self._stubs):
            self._append(Piece(at, b"", "fin"))
            return
        for out in self._stubs[stage].end(at):
            if out.end == "fin":
                self._push_end(out.at, stage + 1)
            else:
                self._append(out)

    def _append(self, piece: Piece) -> None:
        if self._queue and piece.at < self._queue[-1].at:
            piece.at = self._queue[-1].at  # in order, whatever the jitter
        self._queue.append(piece)
        self._queued += len(piece.data)
        if self._queued > MOST_QUEUED:
            self._room.clear()
        self._changed.set()

    async def _deliver(self) -> None:
        while True:
            self._changed.clear()
            self._wake_idle()
            now = began = self._loop.time()
            while self._queue and (self._flush or self._queue[0].at <= now):
                began = await self._give_way(began)
                piece = self._queue.popleft()
                self._queued -= len(piece.data)
                self._room.set()
                if piece.data:
                    self._sink.write(piece.data)
                    await self._sink.drain()
                if piece.end:
                    self.end = piece.end
                    return
            self._flush = False
            await self._until_due()

    async def _give_way(self, began: float) -> float:
        """Let the loop come round where this has gone on since `began` for a turn. Returns since when it goes on now.

        Reading what is there, and writing where there is room, wait for nothing by themselves.
        """
        if self._loop.time() - began < TURN:
            return began
        await asyncio.sleep(0)
        return self._loop.time()

    def _wake_idle(self) -> None:
        now = self._loop.time()
        for place, stub in enumerate(self._stubs):
            if stub.wake is not None and stub.wake <= now:
                stub.wake = None
                for out in stub.idle(now):
                    self._push(out, place + 1)

    async def _until_due(self) -> None:
        times = [stub.wake for stub in self._stubs if stub.wake is not None]
        times += [self._queue[0].at] if self._queue else []
        try:
            async with asyncio.timeout_at(min(times, default=None) if times else None):
                await self._changed.wait()
        except TimeoutError:
            return


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
        """Until either direction ends or the link is closed; then both sides are ended."""
        tasks = [asyncio.create_task(d.run()) for d in self.directions.values()]
        closing = asyncio.create_task(self._done.wait())
        try:
            await asyncio.wait([*tasks, closing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, closing):
                task.cancel()
            await asyncio.gather(*tasks, closing, return_exceptions=True)
            reset = self._resets
            for writer in self._writers:
                _end(writer, reset)

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
