"""Delivers hostile frames to a running client: in batches, with a look between them, bisected where a batch fails.

The law: it acts and waits, and judges nothing. The frames come first, on the client's first sockets, so that they are
met by a client that cannot reconnect or sync too. They come once more on the next socket, after a loss, and on the one
after that. A batch that ends in a clean reconnect is halved, so that the rest of it goes to the new socket; after so
many reconnects what is left is listed in the trace as not delivered. After the last frame comes the live probe: the
next heartbeat, a pong, and the recovery from a scripted close. Where the client does not come back, and only there, it
is started anew, and a plain close shows whether it ever does: its own control.
"""

from __future__ import annotations

from collections.abc import Sequence

from brokercert.hostile import Hostile
from brokercert.hostile.delivery import BATCH, Marker, batches, send, send_marker
from brokercert.judge.tradovate.model.conversation import Connection, Conversation
from brokercert.judge.tradovate.model.hostile import BEGINS, ENDS, MARKER, UNDELIVERED, is_told
from brokercert_mock import Connection as BrokerConnection

from brokercert_scenarios.tradovate_stage2.stage import SURE, Stage

MOST_RECONNECTS = 5  # a run; each costs a step of the client's back-off
LOSSES = 2  # after which the frames come once more
PONG = 5.0  # seconds for a pong: libraries answer pings at once, between two messages


class Delivery:
    """One run of hostile frames. `reconnects` and `undelivered` tell how it went."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._began = 0  # before the first hostile frame ...
        self._count = 0  # ... the client had so many sockets
        self._pongs = False  # and answered a ping
        self._away = False  # it did not come back after something ...
        self._returned = False  # ... and did, after a plain close
        self.reconnects = 0
        self.undelivered: list[Hostile] = []

    async def run(
        self, frames: Sequence[Hostile], *, batch: int = BATCH, fatal: bool = False, again: int | None = None
    ) -> None:
        """Log in; all frames on the first socket; the first `again` of them (None: all) on later ones; control.

        `fatal`: such frames that a client should fail its connection, so that later ones meet later sockets anyway.
        """
        stage = self._stage
        if await stage.log_in(syncs=False) is None:
            return
        await self._round(frames, batch)
        for losses in () if fatal else range(1, LOSSES + 1):
            if not self._returned or self._away or self.undelivered:
                break
            stage.step(f"the same after {losses} loss(es): what works on the first socket may not on a later one")
            await self._round(frames[:again], batch)
        if (self._away and not self._returned and not stage.left) or (fatal and stage.left):
            await self._control()

    async def _round(self, frames: Sequence[Hostile], batch: int) -> None:
        """All of these on the sockets that there are, and the probe with its scripted close."""
        stage = self._stage
        for socket in stage.sockets():
            socket.send_ping()
        await stage.fresh_event()
        await self._marker()
        if not stage.sockets():
            return
        self._began, self._count = stage.now, len(stage.sockets())
        self._pongs = any(c.ponged for c in stage.talk.connections.values())
        await self._all(frames, batch)
        if not stage.left and stage.sockets():
            await self._probe()

    async def _all(self, frames: Sequence[Hostile], batch: int) -> None:
        """All frames, as far as the client takes them."""
        stage = self._stage
        stage.step(f"{len(frames)} hostile frames, {batch} at a time")
        todo = list(batches(frames, batch))[::-1]
        while todo:
            if not await self._one(todo):
                break
        self.undelivered += [frame for left in reversed(todo) for frame in left]
        if self.undelivered:
            detail = f"{len(self.undelivered)} frames: {names(self.undelivered)}"
            stage.rule(UNDELIVERED, 0, f"{detail}; after {self.reconnects} reconnects")

    async def _one(self, todo: list[list[Hostile]]) -> bool:
        """The next batch; where it fails and a reconnect follows, its halves are put back. False: no use going on."""
        stage = self._stage
        if self.reconnects >= MOST_RECONNECTS:
            return False
        frames = todo.pop()
        since = stage.now
        sockets = stage.sockets()
        for socket in sockets:
            _send(stage, socket, frames)
        ids = [socket.id for socket in sockets]

        def settled(talk: Conversation) -> bool:
            return all(_lost(talk, i) or any(pong.t >= since for pong in talk.connections[i].ponged) for i in ids)

        await stage.wait("a pong, or the client to give up", settled, PONG)
        await stage.arrived()
        if stage.left:
            return False
        if not any(_lost(stage.talk, i) for i in ids):
            return await self._marker()
        if not await self._back():
            return False
        if len(frames) > 1:
            half = len(frames) // 2
            todo += [frames[half:], frames[:half]]
        return await self._marker()

    async def _marker(self) -> bool:
        """A valid event, and its report where the client gives reports; again on the new socket where the old one was
        given up meanwhile. False: it was not reported, or no socket is left.
        """
        stage = self._stage
        while "report" in stage.offers:
            sent = self._send_markers()

            def settled(talk: Conversation, sent: Sequence[tuple[int, str, int]] = sent) -> bool:
                told = [any(is_told(x, kind, ident) for x in talk.told.processed) for _, kind, ident in sent]
                return all(told) or any(_lost(talk, conn) for conn, _, _ in sent)

            if not await stage.wait("the report of a valid event", settled, stage.limit("window_default") + 1):
                return False
            if not any(_lost(stage.talk, conn) for conn, _, _ in sent):
                return True
            if self.reconnects >= MOST_RECONNECTS or not await self._back():
                return False
        return True

    async def _back(self) -> bool:
        """Until the client has as many sockets as before; it may have opened one before it left another."""
        if await self._stage.back(self._began, sockets=self._count) is None:
            self._away = True
            return False
        self.reconnects += 1
        return True

    def _send_markers(self) -> list[tuple[int, str, int]]:
        """A new entity of a type that it wants on every socket: (connection, type, id) each."""
        stage = self._stage
        sent = []
        for socket in stage.sockets():

            def announce(marker: Marker, conn: int = socket.id) -> None:
                stage.rule(MARKER, conn, f"{marker.kind} {marker.ident}")

            marker = send_marker(socket, stage.broker.db, announce)
            if marker is not None:
                sent.append((socket.id, marker.kind, marker.ident))
        return sent

    async def _probe(self) -> None:
        """The next heartbeat on time, a pong, and recovery from a scripted close."""
        stage = self._stage
        since = stage.now
        ids = [socket.id for socket in stage.sockets()]
        for socket in stage.sockets():
            socket.send_ping()

        def alive(c: Connection) -> bool:
            beaten = any(t > since for t, _ in c.beats)
            return c.loss is not None or (beaten and (not self._pongs or any(pong.t >= since for pong in c.ponged)))

        await stage.wait(
            "a heartbeat and a pong, or the client to give up",
            lambda talk: all(alive(talk.connections[i]) for i in ids),
            stage.heartbeat_gap + 1,
        )
        if any(_lost(stage.talk, i) for i in ids):
            await self._back()
            return
        await stage.fresh_event()
        stage.step("the scripted close")
        back = await self._closed(stage.limit("window_recovery"))
        self._away, self._returned = back is None, self._returned or back is not None

    async def _closed(self, within: float) -> Connection | None:
        """A plain close of every socket, and the client's way back."""
        return await self._stage.back(self._stage.lose_all(), within)

    async def _control(self) -> None:
        """A new start, which meets nothing but a plain close."""
        stage = self._stage
        stage.step("control: does the client come back from a plain close, where it met nothing before?")
        await stage.start_again()
        if await stage.synced(syncs=False) is None:
            return
        await stage.fresh_event()
        await self._closed(stage.limit("window_control") + SURE)


def names(frames: Sequence[Hostile]) -> str:
    """The defects of these frames, each with how often it is there."""
    counts: dict[str, int] = {}
    for frame in frames:
        counts[frame.name] = counts.get(frame.name, 0) + 1
    return ", ".join(f"{name} x{count}" if count > 1 else name for name, count in counts.items())


def _send(stage: Stage, socket: BrokerConnection, frames: Sequence[Hostile]) -> None:
    """One batch on one socket, between the records that say where it begins and ends; and a ping."""
    stage.rule(BEGINS, socket.id, names(frames))
    send(socket, frames)
    stage.rule(ENDS, socket.id, "")
    socket.send_ping()


def _lost(talk: Conversation, ident: int) -> bool:
    return talk.connections[ident].loss is not None
