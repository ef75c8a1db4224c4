"""An order in flight when its socket dies: S2 §5, TP §11 (13). Nobody is answered; the broker took it, or did not."""

from __future__ import annotations

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.reconnection.inflight import FOUND
from brokercert_mock import Connection

from brokercert_scenarios.tradovate_stage2.requests.answers import NEEDS, place
from brokercert_scenarios.tradovate_stage2.stage import Stage

PLACE = "order/placeorder"


async def _in_flight(stage: Stage) -> None:
    """To be called with the rule that cuts: the order, the loss, the way back, and what the client then believes."""
    since = stage.now
    ticket = await place(stage, 4500)
    sent = await stage.wait(
        "the order",
        lambda talk: [q for c in talk.synced for q in c.requests if q.endpoint == PLACE],
        stage.limit("window_request"),
    )
    if not sent or await stage.recovered(since) is None:
        return
    await stage.hold(stage.limit("window_default") + 1, "an order that should not come again")
    await stage.outcome(ticket, stage.limit("request_end"))
    stage.broker.quiet(True)  # a plain event would tell of the order what the client should have found
    await stage.arrived()
    await stage.compare(FOUND)


@scenario(
    "order-in-flight-placed",
    "The broker takes an order, and every socket dies before the answer",
    exercises=("REC-090",),
    needs=(*NEEDS, "orders"),
    lasts=30,
)
async def order_in_flight_placed(stage: Stage) -> None:
    if await stage.log_in() is None:
        return

    def cut(_: Connection) -> None:
        stage.lose_all(Connection.rst)

    stage.broker.on(PLACE, nth=1).first(cut)
    await _in_flight(stage)


@scenario(
    "order-in-flight-lost",
    "Every socket dies, and the order that was in flight never reached the broker",
    exercises=("REC-090",),
    needs=(*NEEDS, "orders"),
    lasts=30,
)
async def order_in_flight_lost(stage: Stage) -> None:
    if await stage.log_in() is None:
        return

    def cut(_: Connection) -> None:
        stage.lose_all(Connection.rst)

    stage.broker.on(PLACE, nth=1).instead(cut)
    await _in_flight(stage)
