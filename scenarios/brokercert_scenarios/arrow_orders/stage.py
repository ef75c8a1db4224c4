"""What an Arrow scenario is handed."""

from __future__ import annotations

from brokercert.engine.play.stage import AnyStage
from brokercert.judge.arrow.model import Updates, UpdateSocket
from brokercert.judge.arrow.updates.beliefs import differences
from brokercert.judge.transcript import SECOND
from brokercert_mock.arrow import ArrowBroker, ArrowConnection
from brokercert_mock.arrow.book import Order

CALM = 2.0  # seconds of a healthy connection before what comes next
LITTLE = 1.0  # seconds, so that the way back is not the last thing seen
POLL = 0.25  # seconds between two snapshots of a comparison
CAUGHT_UP = 1.5  # seconds in which a client that has just connected asks for what it missed


class ArrowStage(AnyStage[ArrowBroker, Updates]):
    """One playing of one scenario."""

    fold = Updates
    window_start = "window_connect"

    def sockets(self) -> list[ArrowConnection]:
        return super().sockets()

    @property
    def raised(self) -> float:
        """Seconds after which an event has been raised: the set's own time, and one for its report."""
        return self.limit("raised_within") + 1

    @property
    def reported(self) -> float:
        """Seconds after which updates have been reported: a further second, since several are due."""
        return self.raised + 1

    def live(self) -> list[Order]:
        """The broker's live orders, oldest first."""
        return self.broker.orders.live()

    async def log_in(self) -> UpdateSocket | None:
        """Start the client, and wait until it has connected."""
        await self.start()
        found = await self.connected()
        if found is not None:
            await self.hold(CAUGHT_UP, "the client to know the orders")
        return found

    async def connected(self, *, after: int = -1, within: float | None = None) -> UpdateSocket | None:
        """The first socket accepted after `after` that was upgraded."""

        def upgraded(talk: Updates) -> UpdateSocket | None:
            return next((c for c in talk.upgraded if c.accepted > after), None)

        most = within if within is not None else self.limit("window_connect") + 1
        return await self.wait("a connection", upgraded, most)

    async def recovered(self, after: int) -> UpdateSocket | None:
        """A socket accepted after `after` that was upgraded."""
        return await self.connected(after=after, within=self.limit("window_recovery"))

    async def attempts(self, count: int, within: float) -> bool:
        """Until so many upgrade requests have been refused; False where they were not."""
        refused = await self.wait(
            f"{count} refused attempts",
            lambda talk: sum(c.refused_status is not None for c in talk.connections.values()) >= count,
            within,
        )
        return bool(refused)

    async def compare(self, name: str) -> None:
        """Record the ledger under `name`, and ask for the client's state until it is equal or must have been."""
        self.broker.tell_ledger(name)
        began = self.now
        state = self.talk.told.ledgers[name][2]
        while True:
            shot = await self.snapshot()
            if shot is None or not differences(self.fold.edition, state, shot):
                return
            if self.now - began > self.limit("snapshot_settle") * SECOND:
                return
            await self.hold(POLL, "the client's orders to become the broker's")
