"""One socket's life, without I/O: text and time in, text to send and a reason to close out.

    session.receive(text, now)     what came
    session.tick(now)              at `session.due()`, or later
    session.take()                 what is to be sent
    session.over                   why the socket is to be closed, once it is

A session is made for one socket and thrown away with it: nothing of it can survive into the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from brokercert.reference.tradovate import wire
from brokercert.reference.tradovate.config import Config
from brokercert.reference.tradovate.requests import Lockout, Outcome, RequestQueue
from brokercert.reference.tradovate.states import TRANSITIONS, Happening, State
from brokercert.reference.tradovate.store import Store

INFINITE = float("inf")
MOST_EARLY = 100_000  # events kept until the snapshot: 100 s of the largest rate that a scenario sends
SYNC = "user/syncrequest"
URGENT = 0  # the priority of what the session itself asks


@dataclass(frozen=True, slots=True)
class Over:
    """Why a socket is to be closed: `how` decides what the shell does next."""

    how: Happening
    text: str


class Session:
    """One socket. `now` is seconds of any clock that does not go back."""

    queue_class: type[RequestQueue] = RequestQueue

    def __init__(
        self,
        config: Config,
        token: str,
        sync_body: dict[str, Any],
        store: Store,
        now: float,
        on_event: Callable[[str, Any], None] | None = None,
        lockout: Lockout | None = None,
    ) -> None:
        """`lockout` is shared by all sockets of a user; without one, the session has its own."""
        self.config = config
        self.state = State.WAITING
        self.over: Over | None = None
        self.live_since: float | None = None
        self.store = store
        self._token = token
        self._sync_body = sync_body
        self.notices: list[str] = []  # failures to tell the user of, though the socket stays
        self._on_event = on_event
        self._early: list[Any] = []  # events before the snapshot, which may be older than they are
        self._requests = self.queue_class(lockout or Lockout(config.lockout))
        self._out: list[str] = []
        self._heard = now
        self._sync_again = INFINITE
        self._open_due = now + config.open_within
        self._grid = now  # heartbeats are sent on multiples of the period from here
        self._beats = 0

    # What the shell calls.

    def receive(self, text: str, now: float) -> None:
        """A text frame of the server's."""
        self._heard = now
        for item in wire.read(text):
            if self.state is State.OVER:
                return
            self.on_item(item, now)

    def tick(self, now: float) -> None:
        """Let time pass."""
        if self.state is State.OVER:
            return
        if self.state is State.WAITING and now >= self._open_due:
            self.happen(Happening.TIMED_OUT, f"no `o` in {self.config.open_within:g} s", now)
        elif now >= self._heard + self.config.silence_within and self.state is not State.WAITING:
            self.on_silence(now)
        if now >= self._sync_again and self.state is State.AUTHORIZED:
            self._sync_again = INFINITE
            self.send_sync(now)
        self._requests.tick(now)
        self.beat(now)

    def due(self) -> float:
        """When `tick` is needed next."""
        times = [self._requests.due(), self.next_beat(), self._sync_again]
        if self.state is State.WAITING:
            times.append(self._open_due)
        else:
            times.append(self._heard + self.config.silence_within)
        return min(times)

    def take(self) -> list[str]:
        """What is to be sent, in order."""
        out, self._out = self._out + self._requests.take(), []
        return out

    def stop(self, now: float) -> None:
        self.happen(Happening.STOPPED, "asked to stop", now)

    def abandon(self, now: float) -> None:
        """The socket is gone: end what still waits for an answer. The reason in `over` stays as it was."""
        self.state = State.OVER
        self._requests.abandon(now)

    def request(
        self,
        endpoint: str,
        done: Callable[[Outcome, float], None],
        *,
        now: float,
        query: str = "",
        body: Any = None,
        priority: int = 5,
    ) -> None:
        """Send a request of the user's, or queue it; `done` is called once. Raises `QueueFull`."""
        self._requests.submit(
            endpoint, done, now=now, query=query, body=body, priority=priority, within=self.config.request_within
        )

    # What happens. Each of these is one decision, so that one of them can be made otherwise.

    def happen(self, happening: Happening, text: str, now: float) -> bool:
        """Move on by the table; False where the table has nothing to say."""
        following = TRANSITIONS[self.state].get(happening)
        if following is None:
            return False
        self.state = following
        if following is State.OVER:
            self.over = Over(happening, text)
        return True

    def on_item(self, item: wire.Item, now: float) -> None:
        match item:
            case wire.Opened():
                self.on_open(now)
            case wire.Reply():
                self._requests.on_reply(item, now)
            case wire.Event(kind=kind, data=data):
                self.on_event(kind, data, now)
            case wire.ServerClosing(code=code, reason=reason):
                self.happen(Happening.SERVER_CLOSED, f"the server closed the session: {code} {reason}", now)
            case wire.ServerBeat() | wire.Unreadable():
                pass  # a sign of life, no more

    def on_open(self, now: float) -> None:
        """The first `o` asks for authorize; a later one is answered by a heartbeat."""
        if self.happen(Happening.OPENED, "", now):
            self._grid = now
            self.send_authorize(now)
        else:
            self._out.append(wire.HEARTBEAT)

    def send_authorize(self, now: float) -> None:
        self._requests.submit(
            "authorize",
            self.on_authorize,
            now=now,
            body=self._token,
            priority=URGENT,
            within=self.config.answer_within,
        )

    def on_authorize(self, outcome: Outcome, now: float) -> None:
        if outcome.status == 0:
            self.happen(Happening.TIMED_OUT, "authorize was never answered", now)
        elif outcome.status == 429:
            self.happen(Happening.LOCKED_OUT, "authorize was answered with 429", now)
        elif now < self._requests.rests_until("authorize"):
            self.notices.append(f"login: {outcome.error}")
            self.happen(Happening.LOCKED_OUT, f"authorize was answered with {outcome.error}", now)
        elif outcome.ok:
            if self.happen(Happening.ACCEPTED, "", now):
                self.send_sync(now)
        else:
            self.happen(Happening.REFUSED, f"authorize was refused: {outcome.error}", now)

    def send_sync(self, now: float) -> None:
        """The sync request; of a captcha that an earlier socket drew, when its rest is over."""
        rests_until = self._requests.rests_until(SYNC)
        if now < rests_until:
            self._sync_again = rests_until
            return
        self._requests.submit(
            SYNC,
            self.on_sync,
            now=now,
            body=self._sync_body,
            priority=URGENT,
            within=self.config.request_within,
            more=self.on_sync_part,
        )

    def on_sync_part(self, outcome: Outcome, now: float) -> None:
        """A further answer to the sync request: another part of a split snapshot (inferred; TP §5.3)."""
        if outcome.ok and isinstance(outcome.data, dict) and self.state is State.LIVE:
            self.store.add(outcome.data)

    def on_sync(self, outcome: Outcome, now: float) -> None:
        if outcome.ok and isinstance(outcome.data, dict):
            self.store.replace(outcome.data)
            for data in self._early:
                self.store.apply(data)
            self._early.clear()
            self.live_since = now
            if self.happen(Happening.SYNCED, "", now):
                self.subscribe(now)
        elif outcome.status == 429 or (outcome.status == 200 and "captcha" in outcome.error):
            # Nothing but waiting helps; the socket stays, since a new one would only ask the same again.
            self.notices.append(f"sync: {outcome.error}")
            self._sync_again = now + self.config.lockout
        else:
            self.happen(Happening.SYNC_FAILED, f"sync failed: {outcome.error}", now)

    def subscribe(self, now: float) -> None:
        """Quotes, on each new socket once; of several shards, by the first."""
        if self._sync_body.get("shardingExpression", {}).get("remainder", 0) == 0:
            for symbol in self.config.symbols:
                self.request("md/subscribeQuote", lambda outcome, at: None, now=now, body={"symbol": symbol})

    def on_event(self, kind: str, data: Any, now: float) -> None:
        if kind == "props":
            self.store.apply(data)
            if self.state is not State.LIVE and len(self._early) < MOST_EARLY:
                self._early.append(data)
        if self._on_event is not None:
            self._on_event(kind, data)

    def on_silence(self, now: float) -> None:
        self.happen(Happening.SILENT, f"nothing came for {self.config.silence_within:g} s", now)

    # Heartbeats: on a grid, so that lateness does not add up.

    def beat(self, now: float) -> None:
        if self.state is State.OVER or self.state is State.WAITING or now < self.next_beat():
            return
        self._out.append(wire.HEARTBEAT)
        # At least one further: on the grid itself, a division may come out a hair too small.
        self._beats = max(self._beats + 1, int((now - self._grid) / self.config.heartbeat_every))

    def next_beat(self) -> float:
        if self.state is State.WAITING:
            return INFINITE
        return self._grid + (self._beats + 1) * self.config.heartbeat_every
