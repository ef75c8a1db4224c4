"""Pings of the server: RFC 6455 §5.5.2."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.connecting import pings as first
from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3


@scenario(
    "pings",
    "Pings without a payload, with a short and with the longest one; and again after a loss",
    exercises=("AOC-060",),
    lasts=6,
)
async def pings(stage: ArrowStage3) -> None:
    await first.pings.play(stage)
