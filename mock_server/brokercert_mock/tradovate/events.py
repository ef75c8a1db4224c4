"""What a broker says of itself: props events to the sockets that asked for them, `h`, and an open market's noise.

A plain event says an entity once more: it is schema-true and has no consequence. What the exchange tells goes out in
its own frames, unless a scenario puts several into one (`batch`) or keeps them back (`hold`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, Self

from brokercert_mock.port.pace import Pace
from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.seed import Change, Entity

if TYPE_CHECKING:
    from brokercert_mock.tradovate.broker import TradovateBroker
    from brokercert_mock.tradovate.connection import Connection

BURST_TICK = 0.01  # seconds between the batches of a stream of events
TOLD_EVERY = 1.0  # seconds between two tellings that a stream is behind
OF_ONE_TYPE = 8  # entities that take turns: a long history must not make an event slow
PLAIN = ("cashBalance", "position", "marginSnapshot", "account", "order", "user", "contract")


Frame = Sequence[Change]  # what is told in one frame


class HeldEvents:
    """Events kept back: `with broker.hold_events() as held: ...`, then `held.release()`.

    `frames` may be put into another order, thinned out or repeated before. What is never released is never sent.
    """

    def __init__(self, events: Events) -> None:
        self._events = events
        self.frames: list[Frame] = []

    def __enter__(self) -> Self:
        self._events.holds.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._events.holds.remove(self)
        self._events.tell("events-held", f"{len(self.frames)} frame(s)")

    def release(self, *, reverse: bool = False) -> None:
        """Send what was kept back, to whoever wants it now; the last first with `reverse`."""
        waiting, self.frames = self.frames[::-1] if reverse else self.frames, []
        self._events.tell("events-released", f"{len(waiting)} frame(s){', reversed' if reverse else ''}")
        for frame in waiting:
            self._events.publish(frame)


class Events:
    """The events and heartbeats of one broker."""

    def __init__(self, broker: TradovateBroker) -> None:
        self.broker = broker
        self.beats: Literal["auto", "always", "off"] = "auto"
        self.quiet = False
        self.holds: list[HeldEvents] = []
        self._until_answered: list[Frame] | None = None
        self._batch: dict[Connection, list[Any]] | None = None
        self._stream: asyncio.Task[None] | None = None
        self._pace: Pace | None = None
        self._told_dropped, self._told_at = 0, 0.0
        self._turn = 0

    def start(self) -> None:
        self.broker.call_later(self.broker.settings.heartbeat_every, self._beat)
        self.broker.call_later(self.broker.settings.event_every, self._market)

    def stop(self) -> None:
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None
        if self._pace is not None:
            self._tell_behind(self._pace)
            self._pace = None

    def tell(self, name: str, detail: str) -> None:
        self.broker.recorder.rule(self.broker.clock(), name, 0, detail)

    def emit(self, kind: str, event_type: Literal["Created", "Updated", "Deleted"], entity: Entity) -> None:
        """A props event to every synced socket that asked for such."""
        self.publish([Change(kind, event_type, entity, self.broker.db.account_of(kind, entity))])

    def publish(self, frame: Frame) -> None:
        """Changes in one frame, to every synced socket that asked for such."""
        self.broker.changed()
        if self.holds:
            self.holds[-1].frames.append(frame)
        elif self._until_answered is not None:
            self._until_answered.append(frame)
        else:
            for conn in self.broker.connections:
                if conn.is_synced and conn.subscription is not None:
                    wanted = [x for x in frame if conn.subscription.takes(self.broker.db, x.kind, x.account)]
                    self._send(conn, [frames.props(x.kind, x.event_type, x.entity) for x in wanted])

    @contextmanager
    def until_answered(self) -> Iterator[None]:
        """What is told within goes out at the end."""
        waiting: list[Frame] = []
        self._until_answered = waiting
        try:
            yield
        finally:
            self._until_answered = None
            for frame in waiting:
                self.publish(frame)

    @contextmanager
    def batch(self, *, arrays: bool) -> Iterator[None]:
        """All messages within (answers too) in one frame a connection. A batch within a batch is part of it."""
        if self._batch is not None:
            yield
            return
        self._batch = {}
        try:
            yield
        finally:
            collected, self._batch = self._batch, None
            for conn, messages in collected.items():
                conn.send_messages(_merged(messages) if arrays else messages)
            self.tell("batch", "arrays" if arrays else "")

    def collects(self, conn: Connection, messages: Sequence[Any]) -> bool:
        """Whether a batch took these messages, to send them at its end."""
        if self._batch is None:
            return False
        self._batch.setdefault(conn, []).extend(messages)
        return True

    def _send(self, conn: Connection, messages: Sequence[dict[str, Any]]) -> None:
        """Props events in one frame, under the rules for each."""
        now, again = [], []
        for message in messages:
            rule = self.broker.book.match("event", conn.id)
            if rule is not None:
                self.broker.tell_rule(rule, conn)
                if rule.name == "event-dropped":
                    continue
                if rule.name == "event-as-array":
                    data = message["d"]
                    message = frames.event("props", data | {"entity": [data["entity"]]})
                if rule.name == "event-twice":
                    again.append(message)
            now.append(message)
        for frame in (now, again):
            if frame:
                conn.send_messages(frame)

    def market_event(self) -> None:
        """One plain event, of the next type that anybody subscribed to, to everybody who did."""
        for conn in self.broker.connections:
            if not conn.is_synced or conn.subscription is None:
                continue
            message = self._plain_event(conn)
            if message is not None:
                self._send(conn, [message])

    def _plain_event(self, conn: Connection) -> dict[str, Any] | None:
        """An entity said once more, with a new time stamp."""
        assert conn.subscription is not None
        db = self.broker.db
        candidates = [
            (kind, entity)
            for kind in PLAIN
            if kind in conn.subscription.types
            for entity in islice(db.entities[kind].values(), OF_ONE_TYPE)
            if conn.subscription.wants(db, kind, entity)
        ]
        if not candidates:
            return None
        self._turn += 1
        kind, entity = candidates[self._turn % len(candidates)]
        if "timestamp" in entity and kind != "order":
            entity = db.put(kind, entity | {"timestamp": self.broker.stamp()})
        return frames.props(kind, "Updated", entity)

    def background(self, rate: float) -> None:
        """A stream of plain events, `rate` a second to each synced socket; 0 ends it.

        It never keeps the loop for longer than a turn (`brokercert_mock.port.pace`). What this machine cannot send in
        time is dropped, and told to the recorder (`load`).
        """
        self.stop()
        if rate > 0:
            self._pace = Pace(rate, self.broker.clock)
            self._told_dropped, self._told_at = 0, self.broker.clock()
            self._stream = asyncio.create_task(self._stream_events(self._pace))

    async def _stream_events(self, pace: Pace) -> None:
        while True:
            with self.broker.guarding():
                for _ in pace.turn():
                    self.market_event()
            if self.broker.clock() - self._told_at >= TOLD_EVERY:
                self._tell_behind(pace)
            await asyncio.sleep(max(BURST_TICK, 1 / pace.rate))

    def _tell_behind(self, pace: Pace) -> None:
        """Tell what was dropped, if anything was since it was told last."""
        self._told_at = now = self.broker.clock()
        if pace.dropped > self._told_dropped:
            self._told_dropped = pace.dropped
            self.broker.recorder.load(now, pace.rate, pace.reached, pace.sent, pace.dropped)

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
            self.broker.quotes.tick()
        self.broker.call_later(self.broker.settings.event_every, self._market)


def _merged(messages: Sequence[Any]) -> list[Any]:
    """Props events of one type and change that stand together as one, whose `entity` is an array."""
    result: list[Any] = []
    for message in messages:
        data, before = message.get("d"), result[-1] if result else None
        if message.get("e") != "props":
            result.append(message)
        elif before is not None and before.get("e") == "props" and _same(before["d"], data):
            result[-1] = frames.event("props", before["d"] | {"entity": [*before["d"]["entity"], data["entity"]]})
        else:
            result.append(frames.event("props", data | {"entity": [data["entity"]]}))
    return result


def _same(one: Any, other: Any) -> bool:
    return (one["entityType"], one["eventType"]) == (other["entityType"], other["eventType"])
