"""What a scenario of the third edition is handed."""

from __future__ import annotations

from brokercert.judge.arrow.edition3 import Updates3

from brokercert_scenarios.arrow_orders.stage import ArrowStage

LATE = 3.0  # seconds that the harness itself may be late in that time


class ArrowStage3(ArrowStage):
    """One playing of one scenario."""

    fold = Updates3

    @property
    def beaten(self) -> float:
        """Seconds in which every client that is right sends a heartbeat."""
        return self.limit("pong_most") * (1 + self.limit("tolerance")) + LATE

    @property
    def noticed(self) -> float:
        """Seconds after which a silent connection has been noticed by every client that is right."""
        return self.limit("silence_most") * (1 + self.limit("tolerance")) + self.limit("close_late") + 1
