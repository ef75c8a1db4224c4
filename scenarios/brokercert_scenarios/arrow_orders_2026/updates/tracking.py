"""Orders that are over, and the tracking of orders."""

from __future__ import annotations

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.updates import tracking as first
from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3


@scenario(
    "finished-cleared",
    "Orders that are over leave the tracking map",
    exercises=("AOU-070",),
    needs=("wire", "snapshot"),
    lasts=66,
)
async def finished_cleared(stage: ArrowStage3) -> None:
    await first.finished_cleared.play(stage)


@scenario(
    "tracking",
    "Five orders are tracked: complete, cancelled, over while the client is away, rejected, and never over",
    exercises=("AOU-380",),
    needs=("wire", "report", "config"),
    lasts=18,
    settings={"tracked": 5, "told": {"TRACK_TIMEOUT": f"{first.TRACKED:g}"}},
)
async def tracking(stage: ArrowStage3) -> None:
    await first.tracking.play(stage)
