"""What a broker says of itself: props events to the sockets that asked for them, `h`, and an open market's noise.

A plain event says an entity once more: it is schema-true and has no consequence. What the exchange tells goes out in
its own frames, unless a scenario puts several into one (`batch`) or keeps them back (`hold`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Literal, Self

from brokercert_mock.port.ground import Ground
from brokercert_mock.port.pace import Pace
from brokercert_mock.port.rules.book import RuleBook
from brokercert_mock.port.rules.shared import EventRule
from brokercert_mock.port.rules.turns import EventTurn
from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.state import Change, Entity, State
from brokercert_mock.tradovate.told import Told

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
        self._events.tell(Told.EVENTS_HELD, f"{len(self.frames)} frame(s)")

    def release(self, *, reverse: bool = False) -> None:
        """Send what was kept back, to whoever wants it now; the last first with `reverse`."""
        waiting, self.frames = self.frames[::-1] if reverse else self.frames, []
        self._events.tell(Told.EVENTS_RELEASED, f"{len(waiting)} frame(s){', reversed' if reverse else ''}")
        for frame in waiting:
            self._events.publish(frame)


class Events:
    """The events and heartbeats of one broker.

    `connections` are those that stand, `stamp` is the time as the wire says it. `on_market` is called whenever the open
    market moves.
    """

    def __init__(
        self,
        ground: Ground,
        settings: Settings,
        book: RuleBook,
        state: State,
        stamp: Callable[[], str],
        connections: Callable[[], Sequence[Connection]],
        on_market: Callable[[], None],
    ) -> None:
        self._ground = ground
        self._settings = settings
        self._book = book
        self._state = state
        self._stamp = stamp
        self._connections = connections
        self._on_market = on_market
        self.beats: Literal["auto", "always", "off"] = "auto"
        self.quiet = False
        self.holds: list[HeldEvents] = []
        self._until_answered: list[Frame] | None = None
        self._stream: asyncio.Task[None] | None = None
        self._pace: Pace | None = None
        self._told_dropped, self._told_at = 0, 0.0
        self._turn = 0

    def start(self) -> None:
        self._ground.call_later(self._settings.heartbeat_every, self._beat)
        self._ground.call_later(self._settings.event_every, self._market)

    def stop(self) -> None:
        if self._stream is not None:
            self._stream.cancel()
            self._stream = None
        if self._pace is not None:
            self._tell_behind(self._pace)
            self._pace = None

    def tell(self, what: Told, detail: str) -> None:
        self._ground.tell_rule(what.value, 0, detail)

    def emit(self, kind: str, event_type: Literal["Created", "Updated", "Deleted"], entity: Entity) -> None:
        """A props event to every synced socket that asked for such."""
        self.publish([Change(kind, event_type, entity, self._state.account_of(kind, entity))])

    def publish(self, frame: Frame) -> None:
        """Changes in one frame, to every synced socket that asked for such."""
        self._ground.changed()
        if self.holds:
            self.holds[-1].frames.append(frame)
        elif self._until_answered is not None:
            self._until_answered.append(frame)
        else:
            for conn in self._connections():
                if conn.is_synced and conn.subscription is not None:
                    wanted = [x for x in frame if conn.subscription.takes(self._state, x.kind, x.account)]
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

    def _send(self, conn: Connection, messages: Sequence[dict[str, Any]]) -> None:
        """Props events in one frame, under the rules for each."""
        now: list[Any] = []
        again: list[Any] = []
        for message in messages:
            turn = EventTurn(message)
            rule = self._book.met(EventRule, conn.id)
            if rule is None:
                turn.now.append(message)
            else:
                rule.apply(turn)
            now += turn.now
            again += turn.again
        for frame in (now, again):
            if frame:
                conn.send_messages(frame)

    def market_event(self) -> None:
        """One plain event, of the next type that anybody subscribed to, to everybody who did."""
        for conn in self._connections():
            if not conn.is_synced or conn.subscription is None:
                continue
            message = self._plain_event(conn)
            if message is not None:
                self._send(conn, [message])

    def _plain_event(self, conn: Connection) -> dict[str, Any] | None:
        """An entity said once more, with a new time stamp."""
        assert conn.subscription is not None
        db = self._state
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
            entity = db.put(kind, entity | {"timestamp": self._stamp()})
        return frames.props(kind, "Updated", entity)

    def background(self, rate: float) -> None:
        """A stream of plain events, `rate` a second to each synced socket; 0 ends it.

        It never keeps the loop for longer than a turn (`brokercert_mock.port.pace`). What this machine cannot send in
        time is dropped, and told to the recorder (`load`).
        """
        self.stop()
        if rate > 0:
            self._pace = Pace(rate, self._ground.clock)
            self._told_dropped, self._told_at = 0, self._ground.clock()
            self._stream = asyncio.create_task(self._stream_events(self._pace))

    async def _stream_events(self, pace: Pace) -> None:
        while True:
            with self._ground.guarding():
                for _ in pace.turn():
                    self.market_event()
            if self._ground.clock() - self._told_at >= TOLD_EVERY:
                self._tell_behind(pace)
            await asyncio.sleep(max(BURST_TICK, 1 / pace.rate))

    def _tell_behind(self, pace: Pace) -> None:
        """Tell what was dropped, if anything was since it was told last."""
        self._told_at = now = self._ground.clock()
        if pace.dropped > self._told_dropped:
            self._told_dropped = pace.dropped
            self._ground.recorder.load(now, pace.rate, pace.reached, pace.sent, pace.dropped)

    def _beat(self) -> None:
        every = self._settings.heartbeat_every
        now = self._ground.clock()
        nearest = every
        for conn in self._connections():
            if not conn.is_open or conn.open_sent_at is None or self.beats == "off":
                continue
            due = (conn.last_sent_at if self.beats == "auto" else conn.last_beat_at) + every
            if due <= now + 0.001:  # a timer's resolution
                conn.send_text(frames.HEARTBEAT)
                conn.last_beat_at = now
                due = now + every
            nearest = min(nearest, due - now)
        self._ground.call_later(max(nearest, 0.01), self._beat)

    def _market(self) -> None:
        if not self.quiet:
            self.market_event()
            self._on_market()
        self._ground.call_later(self._settings.event_every, self._market)
