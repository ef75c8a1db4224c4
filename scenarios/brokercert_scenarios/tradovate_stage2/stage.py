"""What a Tradovate scenario is handed."""

from __future__ import annotations

from collections.abc import Callable

from brokercert.engine.play.stage import ARRIVAL, AnyStage
from brokercert.judge.tradovate.model.conversation import SECOND, Connection, Conversation
from brokercert.judge.tradovate.model.points import differences_at, due_at, unseen_at
from brokercert.trace.names import RuleName
from brokercert_mock import Connection as BrokerConnection
from brokercert_mock import TradovateBroker

SETTLE = 1.5  # seconds without a new socket after which the client is taken to have opened all of its own
SETTLE_MOST = 12.0  # seconds: a client that opens socket after socket is not waited for for ever
SURE = 0.5  # seconds beyond a limit: no judgement without its whole window
POLL = 0.25  # seconds between two snapshots of a comparison: twenty until it is due


class Stage(AnyStage[TradovateBroker, Conversation]):
    """What a Tradovate scenario is handed."""

    fold = Conversation
    window_start = "window_first_authorize"

    def has_shown(self, talk: Conversation) -> bool:
        """A client that looks up the broker's name has started, though it may not be told the address."""
        return super().has_shown(talk) or any(rule.name.startswith(RuleName.DNS) for _, _, rule in talk.rules)

    @property
    def heartbeat_gap(self) -> float:
        """Seconds: the longest gap between heartbeats that the page allows, tolerance included."""
        return self.limit("heartbeat_gap_page") * (1 + self.limit("heartbeat_gap_tolerance"))

    def sockets(self) -> list[BrokerConnection]:
        return super().sockets()

    async def log_in(self, within: float | None = None) -> Connection | None:
        """Start the client, and wait until it has synced: its first socket, once no further one is opened."""
        await self.start()
        return await self.synced(within=within)

    async def synced(self, *, after: int = -1, within: float | None = None) -> Connection | None:
        """The first socket accepted after `after` that has its sync answer, once its companions have theirs.

        Waits for login and sync, each as long as the rules say; nothing where they do not come.
        """

        def upgraded(talk: Conversation) -> Connection | None:
            return next((c for c in talk.upgraded if c.accepted > after), None)

        def authorized(talk: Conversation) -> Connection | None:
            return next((c for c in talk.authorized if c.accepted > after), None)

        def done(talk: Conversation) -> Connection | None:
            return next((c for c in talk.synced if c.synced and c.accepted > after), None)

        until = self._loop.time() + within if within is not None else None

        def left(window: str) -> float:
            """The rule's own time; all of `within`, where that is longer: no judgement without its whole window."""
            return max(self.limit(window) + 1, until - self._loop.time() if until is not None else 0)

        first = within if within is not None else left("window_first_authorize")
        if await self.wait("an upgrade", upgraded, first) is None:
            return None
        if await self.wait("authorize", authorized, left("window_first_authorize")) is None:
            return None
        found = await self.wait("a sync request", done, left("window_first_sync"))
        if found is not None:
            await self._settle()
        return found

    async def _settle(self) -> None:
        """Until the client has opened and synced all the sockets that it opens by itself, and has their answers."""
        deadline = self._loop.time() + SETTLE_MOST
        while self._loop.time() < deadline:
            sockets = list(self.talk.connections.values())
            newest = max((c.accepted for c in sockets), default=0)
            pending = [c for c in sockets if c.is_open and c.syncs and not c.synced]
            answered = max((c.synced.t for c in sockets if c.synced), default=0)
            settled = self.now - newest >= SETTLE * SECOND and self.now - answered >= ARRIVAL * SECOND
            if settled and not pending:
                return
            await self.hold(SETTLE / 3, "the client's further sockets")

    async def recovered(self, after: int, within: float | None = None) -> Connection | None:
        """A socket accepted after `after` that is authorized, and synced if any before it was."""
        return await self.synced(after=after, within=within or self.limit("window_recovery"))

    def last_event(self) -> None:
        """A plain event to everybody, so that what follows is no end of a quiet time."""
        self.broker.market_event()

    async def fresh_event(self) -> None:
        """A plain event to everybody has arrived, so that a loss now is no end of a quiet time."""
        self.last_event()
        await self.arrived()

    async def lose(self, how: Callable[[BrokerConnection], object] = BrokerConnection.fin) -> int:
        """End every socket of the client right after an event (REC-010). Returns when, in microseconds."""
        await self.fresh_event()
        return self.lose_all(how)

    async def outage(self, window: str, how: Callable[[BrokerConnection], object] = BrokerConnection.fin) -> None:
        """Lose every socket, and watch for as long as attempts in an outage are counted. The caller's rule keeps the
        client away until this returns. `window` is what the trace calls it: a `WindowName`, and how it is done.
        """
        await self.lose(how)
        with self.window(window):
            await self.hold(self.limit("outage") + SURE, "attempts to reconnect")

    async def compare(self, name: str) -> None:
        """Record the ledger under `name`, and ask for the client's state until it is equal or must have been, and
        once more when it must be equal still. To be called after the last event of the flow: plain events that
        repeat an entity would mend a client that had missed it (`broker.quiet(True)`).
        """
        self.broker.tell_ledger(name)
        settle = round(self.limit("snapshot_settle") * SECOND)
        declared = self._spec.entity_types
        while True:
            shot = await self.snapshot()
            if shot is None:
                return
            equal = not differences_at(self.talk, name, shot, declared)
            if shot.asked >= due_at(self.talk, name, settle) or (equal and not unseen_at(self.talk, name, declared)):
                break
            await self.hold(POLL, "the client's state to become the ledger's")
        if not equal:
            return
        await self.hold(self.limit("snapshot_stable"), "the client's state to stay the ledger's")
        await self.snapshot()
