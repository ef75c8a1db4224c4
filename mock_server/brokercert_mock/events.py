"""What a broker says of itself: props events to the sockets that asked for them, `h`, and an open market's noise.

A plain event says an entity once more: it is schema-true and has no consequence.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from brokercert_mock import frames
from brokercert_mock.seed import Entity

if TYPE_CHECKING:
    from brokercert_mock.broker import TradovateBroker
    from brokercert_mock.connection import Connection

BURST_TICK = 0.01  # seconds between the batches of a stream of events
PLAIN = ("cashBalance", "position", "marginSnapshot", "account", "order", "user", "contract")


class Events:
    """The events and heartbeats of one broker."""

    def __init__(self, broker: TradovateBroker) -> None:
        self.broker = broker
        self.beats: Literal["auto", "always", "off"] = "auto"
        self.quiet = False
        self._stream: asyncio.Task[None] | None = None
        self._turn = 0

    def start(self) -> None:
        self.broker.call_later(self.broker.settings.heartbeat_every, self._beat)
        self.broker.call_later(self.broker.settings.event_every, self._market)

    def stop(self) -> None:
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None

    def emit(self, kind: str, event_type: str, entity: Entity) -> None:
        """A props event to every synced socket that asked for such."""
        for conn in self.broker.connections:
            if conn.is_synced and conn.subscription and conn.subscription.wants(self.broker.db, kind, entity):
                self._send(conn, frames.props(kind, event_type, entity))

    def _send(self, conn: Connection, message: dict[str, Any]) -> None:
        rule = self.broker.book.match("event", conn.id)
        if rule is not None:
            self.broker.tell_rule(rule, conn)
            if rule.name == "event-dropped":
                return
        conn.send_messages([message])
        if rule is not None and rule.name == "event-twice":
            conn.send_messages([message])

    def market_event(self) -> None:
        """One plain event, of the next type that anybody subscribed to, to everybody who did."""
        for conn in self.broker.connections:
            if not conn.is_synced or conn.subscription is None:
                continue
            message = self._plain_event(conn)
            if message is not None:
                self._send(conn, message)

    def _plain_event(self, conn: Connection) -> dict[str, Any] | None:
        """An entity said once more, with a new time stamp."""
        assert conn.subscription is not None
        db = self.broker.db
        candidates = [
            (kind, entity) for kind in PLAIN for entity in db.of(kind) if conn.subscription.wants(db, kind, entity)
        ]
        if not candidates:
            return None
        self._turn += 1
        kind, entity = candidates[self._turn % len(candidates)]
        if "timestamp" in entity and kind != "order":
            entity = db.put(kind, entity | {"timestamp": self.broker.stamp()})
        return frames.props(kind, "Updated", entity)

    def background(self, rate: float) -> None:
        """A stream of plain events, `rate` a second to each synced socket; 0 ends it."""
        self.stop()
        if rate > 0:
            self._stream = asyncio.create_task(self._stream_events(rate))

    async def _stream_events(self, rate: float) -> None:
        began, sent = self.broker.clock(), 0
        while True:
            due = int((self.broker.clock() - began) * rate)
            with self.broker.guarding():
                while sent < due:
                    self.market_event()
                    sent += 1
            await asyncio.sleep(max(BURST_TICK, 1 / rate))

    def _beat(self) -> None:
        every = self.broker.settings.heartbeat_every
        now = self.broker.clock()
        nearest = every
        for conn in self.broker.connections:
            if not conn.is_open or conn.open_sent_at is None or self.beats == "off":
                continue
            due = (conn.last_sent_at if self.beats == "auto" else conn.last_beat_at) + every
            if due <= now + 0.001:  # a timer's resolution
                conn.send_text(frames.HEARTBEAT)
                conn.last_beat_at = now
                due = now + every
            nearest = min(nearest, due - now)
        self.broker.call_later(max(nearest, 0.01), self._beat)

    def _market(self) -> None:
        if not self.quiet:
            self.market_event()
        self.broker.call_later(self.broker.settings.event_every, self._market)
