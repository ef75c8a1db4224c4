"""What the client believes: S2 §3, TP §4. Orders come and go, told in every way that a broker may tell of them, and the
client's state is compared with the ledger.

The market is quiet: a plain event says an entity once more, and would mend a client that had missed it.
"""

from __future__ import annotations

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.tradovate_stage2.flows import clearing_flow, closing_flow, gathered, order_flow, range_flow
from brokercert_scenarios.tradovate_stage2.stage import Stage

NEEDS = ("wire", "snapshot")


async def quietly(stage: Stage) -> bool:
    """Logged in and synced; from here on nothing happens but the scenario's own flow."""
    stage.broker.quiet(True)
    return await stage.log_in() is not None


@scenario(
    "order-flow",
    "Orders are placed, modified, filled in part and whole, cancelled and rejected",
    exercises=("EVT-050",),
    needs=NEEDS,
    lasts=6,
)
async def flow_of_orders(stage: Stage) -> None:
    if not await quietly(stage):
        return
    order_flow(stage.broker)
    await stage.compare("after the flow")


@scenario(
    "whole-range",
    "Prices below zero and of zero, fields that are left out, and every status of an order",
    exercises=("EVT-050",),
    needs=NEEDS,
    lasts=8,
    settings={"flat_price": "none"},
)
async def whole_range(stage: Stage) -> None:
    if not await quietly(stage):
        return
    range_flow(stage.broker)
    await stage.compare("while commands are under way")
    stage.broker.exchange.resume()
    await stage.compare("after the flow")


@scenario(
    "events-repeated",
    "Every event of a flow comes twice, and the fills, positions and orders of it once more",
    exercises=("EVT-060",),
    needs=NEEDS,
    lasts=9,
)
async def events_repeated(stage: Stage) -> None:
    if not await quietly(stage):
        return
    db = stage.broker.db
    known = {(kind, ident) for kind in ("order", "fill", "position") for ident in db.entities[kind]}
    with stage.broker.on_events().twice():
        order_flow(stage.broker)
        gone = stage.broker.exchange.place(stage.broker.credentials.accounts[0], "ESH6", "Buy", 1, price=4950)
        stage.broker.exchange.cancel(gone)
        stage.broker.exchange.delete("order", gone)
    await stage.compare("after the flow")
    stage.step("once more, as they are now")
    for kind in ("order", "fill", "position"):
        for ident, entity in db.entities[kind].items():
            if (kind, ident) not in known:
                stage.broker.emit(kind, "Created", entity)
            stage.broker.emit(kind, "Updated" if kind != "fill" else "Created", entity)
    await stage.compare("after the repetitions")


@scenario(
    "events-in-one-frame",
    "The sync answer and the events of orders share a frame, and a whole flow comes in another",
    exercises=("EVT-070",),
    needs=NEEDS,
    lasts=8,
)
async def events_in_one_frame(stage: Stage) -> None:
    stage.broker.quiet(True)
    hold = stage.broker.on("user/syncrequest").hold_answer()
    await stage.start()
    if not await hold.wait_held(stage.limit("window_first_authorize") + stage.limit("window_first_sync")):
        return
    await stage.arrived()  # its further sockets ask as well
    account = stage.broker.credentials.accounts[0]
    exchange = stage.broker.exchange
    with stage.broker.batch():
        hold.release()
        part = exchange.place(account, "ESH6", "Buy", 2, price=4990.5)
        exchange.fill(part, 1)
        exchange.cancel(exchange.place(account, "ESH6", "Sell", 1, price=5011))
    if await stage.synced() is None:
        return
    await stage.compare("after the answer's frame")
    with stage.broker.batch():
        exchange.cancel(part)
        order_flow(stage.broker)
    await stage.compare("after the flow's frame")


@scenario(
    "events-before-answer",
    "Orders come and are deleted between the sync request and its answer, which tells the state before it",
    exercises=("EVT-080",),
    needs=NEEDS,
    lasts=8,
)
async def events_before_answer(stage: Stage) -> None:
    stage.broker.quiet(True)
    exchange = stage.broker.exchange
    doomed = exchange.place(stage.broker.credentials.accounts[0], "ESH6", "Buy", 1, price=4980.25)
    hold = stage.broker.on("user/syncrequest").hold_answer()
    await stage.start()
    if not await hold.wait_held(stage.limit("window_first_authorize") + stage.limit("window_first_sync")):
        return
    await stage.arrived()
    order_flow(stage.broker)
    exchange.cancel(doomed)
    exchange.delete("order", doomed)
    await stage.arrived()
    hold.release()
    if await stage.synced() is not None:
        await stage.compare("after the sync answer")


@scenario(
    "arrays-and-deletions",
    "Events carry one entity in an array, then many; then what there is is deleted, one by one and in arrays",
    exercises=("EVT-120",),
    needs=NEEDS,
    lasts=10,
)
async def arrays_and_deletions(stage: Stage) -> None:
    if not await quietly(stage):
        return
    broker = stage.broker
    stage.step("arrays of one")
    with broker.on_events().as_array():
        order_flow(broker)
    await stage.compare("after arrays of one")
    stage.step("arrays of many")
    with broker.hold_events() as held:
        order_flow(broker)
    held.frames = [gathered(held.frames)]
    with broker.batch(arrays=True):
        held.release()
    await stage.compare("after arrays of many")
    stage.step("deletions")
    closing_flow(broker)
    clearing_flow(broker)
    await stage.compare("after the deletions")


@scenario(
    "late-updates",
    "An order of each final status is said to be created once more, and to be working",
    exercises=("EVT-130",),
    needs=NEEDS,
    lasts=8,
)
async def late_updates(stage: Stage) -> None:
    if not await quietly(stage):
        return
    broker, exchange = stage.broker, stage.broker.exchange
    account = broker.credentials.accounts[0]
    with broker.hold_events() as held:
        orders = [exchange.place(account, "ESH6", "Buy", 1, price=5000.25 - number) for number in range(5)]
    told = [change for frame in held.frames for change in frame if change.kind == "order"]
    held.release()
    working = [broker.db.entities["order"][order] for order in orders]
    exchange.fill(orders[0])
    exchange.cancel(orders[1])
    exchange.expire(orders[2])
    exchange.reject(orders[3], "NoQuote", "No market")
    exchange.declare(orders[4], "Completed")
    await stage.arrived()
    for change in told:
        if change.event_type == "Created":
            broker.emit("order", "Created", change.entity)
    for order in working:
        broker.emit("order", "Updated", order)
    await stage.compare("after the late updates")
