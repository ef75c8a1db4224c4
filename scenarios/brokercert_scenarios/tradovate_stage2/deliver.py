"""Delivers hostile frames to a running client: in batches, with a look between them, bisected where a batch fails.

The law: it acts and waits, and judges nothing. A batch that ends in a clean reconnect is halved, so that the rest of it
goes to the new socket; after so many reconnects what is left is listed in the trace as not delivered. Before the first
frame a plain close is the client's own control; after the last one comes the live probe: the next heartbeat, and the
recovery from a scripted close.
"""

from __future__ import annotations

from collections.abc import Sequence

from brokercert.hostile import Hostile
from brokercert.hostile.delivery import BATCH, Marker, batches, send, send_marker
from brokercert.judge.tradovate.model.conversation import Conversation
from brokercert.judge.tradovate.model.hostile import BEGINS, ENDS, MARKER, UNDELIVERED, is_told
from brokercert_mock import Connection as BrokerConnection

from brokercert_scenarios.tradovate_stage2.stage import Stage

MOST_RECONNECTS = 5  # a run; each costs a step of the client's back-off
PONG = 5.0  # seconds for a pong: libraries answer pings at once, between two messages


class Delivery:
    """One run of hostile frames. `reconnects` and `undelivered` tell how it went."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.reconnects = 0
        self.undelivered: list[Hostile] = []

    async def run(self, frames: Sequence[Hostile], *, batch: int = BATCH) -> None:
        """Log in, control, all frames, probe."""
        stage = self._stage
        if await stage.log_in() is None:
            return
        stage.step("control: does the client come back after a plain close?")
        await stage.fresh_event()
        if not await self._scripted_close():
            return
        await self._marker()
        stage.step(f"{len(frames)} hostile frames, {batch} at a time")
        todo = list(batches(frames, batch))[::-1]
        while todo:
            if not await self._one(todo):
                break
        self.undelivered += [frame for left in reversed(todo) for frame in left]
        if self.undelivered:
            detail = f"{len(self.undelivered)} frames: {names(self.undelivered)}"
            stage.rule(UNDELIVERED, 0, f"{detail}; after {self.reconnects} reconnects")
        if not stage.left and stage.sockets():
            await self._probe()

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
            return all(_lost(talk, i) or any(t >= since for t in talk.connections[i].pongs) for i in ids)

        await stage.wait("a pong, or the client to give up", settled, PONG)
        await stage.arrived()
        if stage.left:
            return False
        if not any(_lost(stage.talk, i) for i in ids):
            return await self._marker()
        if await stage.recovered(since) is None:
            return False
        self.reconnects += 1
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
            since = stage.now
            sent = self._send_markers()

            def settled(talk: Conversation, sent: Sequence[tuple[int, str, int]] = sent) -> bool:
                told = [any(is_told(x, kind, ident) for x in talk.told.processed) for _, kind, ident in sent]
                return all(told) or any(_lost(talk, conn) for conn, _, _ in sent)

            if not await stage.wait("the report of a valid event", settled, stage.limit("window_default") + 1):
                return False
            if not any(_lost(stage.talk, conn) for conn, _, _ in sent):
                return True
            if self.reconnects >= MOST_RECONNECTS or await stage.recovered(since) is None:
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
        """The next heartbeat on time, and recovery from a scripted close."""
        stage = self._stage
        since = stage.now
        ids = [socket.id for socket in stage.sockets()]
        await stage.wait(
            "a heartbeat, or the client to give up",
            lambda talk: all(_lost(talk, i) or any(t > since for t, _ in talk.connections[i].beats) for i in ids),
            stage.heartbeat_gap + 1,
        )
        if any(_lost(stage.talk, i) for i in ids):
            await stage.recovered(since)
            return
        await stage.fresh_event()
        stage.step("the scripted close")
        await self._scripted_close()

    async def _scripted_close(self) -> bool:
        since = self._stage.lose_all()
        return await self._stage.recovered(since) is not None


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
