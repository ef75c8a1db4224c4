"""Orders that are over, and the tracking of orders."""

from __future__ import annotations

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.stage import CALM, ArrowStage

TRACKED = 10.0  # seconds after which the client is told to end the tracking of one order


@scenario(
    "finished-cleared",
    "Orders that are over leave the tracking map",
    exercises=("AOU-070",),
    needs=("wire", "snapshot"),
    lasts=66,
)
async def finished_cleared(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    book, live = stage.broker.orders, stage.live()
    book.cancel(live[0])
    book.fill(live[1], live[1].pending)
    book.reject(book.place())
    await stage.snapshot()
    await stage.hold(stage.limit("clear_terminal") + 1, "finished orders to be cleared")
    await stage.snapshot()


@scenario(
    "tracking",
    "Five orders are tracked: complete, cancelled, over while the client is away, rejected, and never over",
    exercises=("AOU-080",),
    needs=("wire", "report", "config"),
    lasts=18,
    settings={"tracked": 5, "told": {"TRACK_TIMEOUT": f"{TRACKED:g}"}},
)
async def tracking(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    book, live = stage.broker.orders, stage.live()
    book.fill(live[0], 10)
    book.fill(live[0], live[0].pending)
    book.cancel(live[1])
    book.reject(live[2])
    await stage.hold(CALM)
    since = stage.lose_all()
    book.fill(live[3], live[3].pending)
    stage.broker.tell_ledger("over while away")
    if await stage.recovered(since) is None:
        return
    await stage.hold(TRACKED + stage.reported, "the tracking of an order that stays open to end")
