"""What a Tradovate scenario is handed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from brokercert.engine.play.stage import ARRIVAL, AnyStage
from brokercert.judge.tradovate.model.conversation import SECOND, Connection, Conversation
from brokercert.judge.tradovate.model.lanes import Lanes, lanes_of
from brokercert.judge.tradovate.model.points import differences_at, due_at, unseen_at
from brokercert.trace.names import FaultName, RuleName
from brokercert_mock import Connection as BrokerConnection
from brokercert_mock import TradovateBroker

SYNCS = "EVT-020"  # the row that asks for a sync request
SETTLE = 1.5  # seconds without a new socket after which the client is taken to have opened all of its own
SETTLE_MOST = 12.0  # seconds: a client that opens socket after socket is not waited for for ever
SURE = 0.5  # seconds beyond a limit: no judgement without its whole window
POLL = 0.25  # seconds between two snapshots of a comparison: twenty until it is due


def _after(sockets: list[Connection], t: int) -> Connection | None:
    """The first of them that was accepted after that time."""
    return next((c for c in sockets if c.accepted > t), None)


class Stage(AnyStage[TradovateBroker, Conversation]):
    """What a Tradovate scenario is handed."""

    fold = Conversation
    window_start = "window_first_authorize"
    window_shape = "shape_settle", "shape_most"
    _syncs = True  # the scenario asks for a sync request

    _again = False  # what comes was met before, or comes late
    _lost_at = 0  # for that
    _missed = False  # nothing of ours kept the client from coming to where a scenario is met, and it did not

    async def start(self) -> None:
        """Start the client under test; nothing where its stimulus is met again: it goes on."""
        if not self._again:
            await super().start()

    async def meet_again(self, losses: int, rested: bool) -> bool:
        """After so many losses the broker is as it was at the start, and so is `talk`: whatever the scenario does to a
        client that it starts, it may do once more. False: the client is not there.

        The last loss is the last thing that happens: rules that are laid at once meet the client's way back. Where it
        is to be `rested`, it is back instead, and so long that its next loss begins a series.
        """
        if not self._starts and await self.log_in() is None:
            return False
        self._again, self._missed = True, False
        for number in range(losses):
            if (number and await self.recovered(self._lost_at) is None) or not self.sockets():
                return False
            await self.fresh_event()
            self.broker.book.begin_anew()
            self._lost_at = self.lose_all()
        if rested:
            return await self._rest()
        if losses:
            self.look_anew()
        return not self.left

    async def hush(self, seconds: float) -> None:
        self.broker.heartbeats("off")
        self.broker.quiet(True)
        await super().hush(seconds)
        self.broker.heartbeats("auto")
        self.broker.quiet(False)

    def was_met(self) -> bool:
        """Not where it was missed at a login, nor where no connection came and nothing of ours kept it away."""
        return not self._missed and (bool(self.talk.connections) or self._was_kept_away())

    async def meet_afresh(self, play: Callable[[Any], Awaitable[None]]) -> None:
        self.broker.book.begin_anew()
        self._again = False
        await super().meet_afresh(play)

    async def _rest(self) -> bool:
        if await self.recovered(self._lost_at) is None:
            return False
        await self.hold(self.limit("series_ends") + SURE, "the next loss to begin a series")
        return bool(self.sockets())

    def has_shown(self, talk: Conversation) -> bool:
        """A client that looks up the broker's name has started, though it may not be told the address."""
        return super().has_shown(talk) or any(rule.name.startswith(RuleName.DNS) for _, _, rule in talk.rules)

    @property
    def lanes(self) -> Lanes:
        """Which socket is on which lane of the client's healthy shape, and whose sequel it is, as of now."""
        return lanes_of(self.talk)

    @property
    def sockets_of_a_start(self) -> int:
        """How many sockets the client opens by itself; 1 where that is not known."""
        shape = self.talk.shape
        return shape.sockets if shape is not None else 1

    @property
    def syncs_of_a_start(self) -> int | None:
        """How many sockets the client opens by itself and syncs; None where that is not known."""
        shape = self.talk.shape
        return sum(lane.count for lane in shape.lanes if lane.sync) if shape is not None else None

    @property
    def heartbeat_gap(self) -> float:
        """Seconds: the longest gap between heartbeats that the page allows, tolerance included."""
        return self.limit("heartbeat_gap_page") * (1 + self.limit("heartbeat_gap_tolerance"))

    def sockets(self) -> list[BrokerConnection]:
        return super().sockets()

    async def log_in(self, within: float | None = None, *, syncs: bool = True) -> Connection | None:
        """Start the client, and wait until it has synced: its first socket, once no further one is opened.

        `syncs` False: for rows that ask for an authorized socket alone. Where no sync comes in time, it is that, and so
        is the way back after a loss.
        """
        self._syncs = syncs
        await self.start()
        return await self.synced(within=within, syncs=syncs)

    async def synced(self, *, after: int = -1, within: float | None = None, syncs: bool = True) -> Connection | None:
        """The first socket accepted after `after` that has its sync answer, once its companions have theirs.

        Waits for login and sync, each as long as the rules say; nothing where they do not come. Then the trace says
        what did not, since a scenario that asked for this goes no further without it. `syncs` as in `log_in`.
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
        again = after >= 0
        if await self.wait("an upgrade", upgraded, first) is None:
            self._without("no upgrade request came", again)
            return None
        if await self.wait("authorize", authorized, left("window_first_authorize")) is None:
            self._without("no socket was authorized", again)
            return None
        found = await self.wait("a sync request", done, left("window_first_sync"))
        if not syncs:
            found = found or authorized(self.talk)
        if found is None:
            self._without("no sync request was answered", again, SYNCS)
            return None
        await self._settle()
        return found

    def _without(self, text: str, again: bool, row: str = "") -> None:
        """Leave off, by the row that asks for it at the first login, where no chain of demands leads to it. After a
        loss none is named: how the client lost its socket may be no loss of which the rows speak.
        """
        if not again and self._again:
            self._missed = not self._was_kept_away()
        self.leave_off(f"{text} after the loss" if again else text, "" if again else row)

    def _was_kept_away(self) -> bool:
        """Whether something of ours may be why the client is not back. What is slow only hides no connection."""
        faults = [one.what.name for one in self.talk.faults]
        if not self.talk.connections:
            faults = [name for name in faults if not name.startswith(FaultName.TOXIC)]
        return bool(faults or self.talk.rules or self.talk.withheld)

    async def _settle(self) -> None:
        """Until the client has opened and synced all the sockets that it opens by itself, and has their answers."""
        deadline = self._loop.time() + SETTLE_MOST
        while self._loop.time() < deadline:
            sockets = list(self.talk.connections.values())
            newest = max((c.accepted for c in sockets), default=0)
            pending = [c for c in sockets if c.is_open and c.syncs and not c.synced]
            answered = max((c.synced.t for c in sockets if c.synced), default=0)
            lacks = self._lacks(sockets)
            settled = not lacks and self.now - newest >= SETTLE * SECOND and self.now - answered >= ARRIVAL * SECOND
            if settled and not pending:
                return
            await self.hold(SETTLE / 3, "the client's further sockets")

    def is_given_up(self, c: Connection, since: int = -1) -> bool:
        """Whether that socket ended, or another one took its place after `since`: one of its own lane."""
        return c.loss is not None or self.lanes.successor(c, since) is not None

    def _lacks(self, sockets: Iterable[Connection]) -> bool:
        """Whether fewer sockets are open than a healthy start has, of a client that opens the same each time."""
        shape = self.talk.shape
        if shape is None or not shape.steady:
            return False
        open_now = [c for c in sockets if c.is_open]
        return len(open_now) < shape.sockets or sum(bool(c.syncs) for c in open_now) < (self.syncs_of_a_start or 0)

    async def recovered(self, after: int, within: float | None = None) -> Connection | None:
        """A socket accepted after `after` that is authorized, and synced, unless no sync was asked for and none came
        before.
        """
        within = within or self.limit("window_recovery")
        if self._syncs or any(c.synced for c in self.talk.synced if c.accepted <= after):
            return await self.synced(after=after, within=within)
        back = await self.wait("a new socket that is authorized", lambda talk: _after(talk.authorized, after), within)
        if back is None:
            self.leave_off("no socket was authorized after the loss")
        return back

    async def back(self, after: int, within: float | None = None, *, sockets: int = 1) -> Connection | None:
        """A socket accepted after `after` that is authorized, once there are so many, open: what REC-030 asks of it is
        waited for, and it is back without. None: it did not come within `within`, the limit `window_recovery`.
        """
        within = within or self.limit("window_recovery")

        def standing(talk: Conversation) -> list[Connection]:
            return [c for c in talk.authorized if c.is_open]

        def whole(talk: Conversation) -> bool:
            return len(standing(talk)) >= sockets and any(c.accepted > after for c in standing(talk))

        await self.wait("authorize on a new socket", whole, within)
        found = next((c for c in standing(self.talk) if c.accepted > after), None)
        if found is None:
            return None
        await self._synced_as_before(found)
        await self._settle()
        return found

    async def _synced_as_before(self, c: Connection) -> None:
        """Until it is synced, where the one before it was: who did not sync last time is not awaited again."""
        before = [other for other in self.talk.authorized if other.accepted < c.accepted]
        if any(other.synced for other in before[-1:]):
            window = self.limit("window_first_sync") + 1
            await self.wait("a sync request", lambda _: c.synced or not c.is_open, window)

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
        name += ", again" * sum(known.startswith(name) for known in self._whole.newest.told.ledgers)
        self.broker.tell_ledger(name)
        settle = round(self.limit("snapshot_settle") * SECOND)
        declared = self._spec.entity_types
        while True:
            shot = await self.snapshot()
            if shot is None:
                return
            equal = not differences_at(self.talk, name, shot, declared)
            if shot.asked >= due_at(self.talk, name, settle, shot) or (
                equal and not unseen_at(self.talk, name, declared)
            ):
                break
            await self.hold(POLL, "the client's state to become the ledger's")
        if not equal:
            return
        await self.hold(self.limit("snapshot_stable"), "the client's state to stay the ledger's")
        await self.snapshot()


async def lose_now(stage: Stage, how: Callable[[BrokerConnection], object]) -> None:
    """A loss, and the way back, watched for a second sync."""
    since = stage.lose_all(how)
    if await stage.recovered(since) is not None:
        await stage.hold(stage.limit("window_single_sync") + 1)
