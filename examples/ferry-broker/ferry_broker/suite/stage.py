"""What a Ferry scenario is handed."""

from __future__ import annotations

from brokercert.engine.play.stage import AnyStage

from ferry_broker.judge.fold import FerrySocket, Ride
from ferry_broker.mock import FerryBroker


class FerryStage(AnyStage[FerryBroker, Ride]):
    """One playing of one scenario."""

    fold = Ride
    window_start = "window_connect"

    async def aboard(self, count: int = 1) -> FerrySocket | None:
        """Start the client unless it was, and wait until it has been let aboard so often."""
        if self.talk.started is None:
            await self.start()
        within = self.limits["window_connect"] + 1
        return await self.wait(
            f"boarding {count}", lambda talk: talk.aboard[count - 1] if len(talk.aboard) >= count else None, within
        )
