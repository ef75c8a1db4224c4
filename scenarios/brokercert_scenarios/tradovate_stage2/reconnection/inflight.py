"""An order in flight when its socket dies: S2 §5, TP §11 (13). Nobody is answered; the broker took it, or did not. And
an order that is asked for while the client has no connection: TP §11 (20).
"""

from __future__ import annotations

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.reconnection.inflight import FOUND
from brokercert_mock import Connection

from brokercert_scenarios.tradovate_stage2.requests.answers import (
    NEEDS,
    ORDER_PRICE,
    on_order,
    place,
    place_for_all,
    sent_of,
)
from brokercert_scenarios.tradovate_stage2.stage import SURE, Stage

LOSSES = 2  # before it: what a client does on its first sockets it may not do on later ones


async def _in_flight(stage: Stage) -> None:
    """To be called with the rule that cuts: the order, the loss, the way back, and what the client then believes."""
    since = stage.now
    ticket = await place(stage)
    sent = await stage.wait("the order", lambda _: sent_of(stage, ticket), stage.limit("window_request"))
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

    on_order(stage, ORDER_PRICE).first(cut)
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

    on_order(stage, ORDER_PRICE).instead(cut)
    await _in_flight(stage)


@scenario(
    "order-while-away",
    "Orders are asked for while the client has no connection, after two losses that went well",
    exercises=("REC-095",),
    needs=(*NEEDS, "orders"),
    lasts=50,
)
async def order_while_away(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    for _ in range(LOSSES):
        if await stage.recovered(await stage.lose()) is None:
            return
    with stage.broker.on_upgrade().refuse(503):
        since = await stage.lose()
        await stage.arrived()
        tickets = await place_for_all(stage)
        await stage.hold(stage.limit("order_waits") + SURE, "the order to be of another moment")
    if await stage.recovered(since) is None:
        return
    await stage.hold(stage.limit("window_default") + 1, "an order that should not come")
    for ticket in tickets:
        await stage.outcome(ticket)


@scenario(
    "request-while-logging-in",
    "Orders are asked for while the answer to authorize on the new socket is held back",
    exercises=("REC-020",),
    needs=(*NEEDS, "orders"),
    lasts=10,
)
async def request_while_logging_in(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    sockets = len(stage.sockets())
    hold = stage.broker.on("authorize").hold()
    since = await stage.lose()
    if await hold.wait_held(within=stage.limit("window_recovery")):
        await stage.wait("its further sockets", lambda _: len(hold.held) >= sockets, stage.limit("window_request"))
        tickets = await place_for_all(stage)
        await stage.hold(stage.limit("withhold") + SURE, "orders that should not come yet")
        hold.release()
        if await stage.recovered(since) is not None:
            for ticket in tickets:
                await stage.outcome(ticket)
