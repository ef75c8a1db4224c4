"""Connection events, each of which is to be raised: A3 Connection Events."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.connecting import events as first
from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3


@scenario(
    "events-raised",
    "A session with updates, a close, a loss and a failing attempt: every event is raised",
    exercises=("AOC-330", "AOS-010"),
    needs=("wire", "report"),
    lasts=22,
)
async def events_raised(stage: ArrowStage3) -> None:
    await first.events_raised.play(stage)
