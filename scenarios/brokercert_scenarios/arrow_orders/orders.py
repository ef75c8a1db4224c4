"""Order updates: every type and status, duplicates, what was missed, what is wrong, and tracking."""

from __future__ import annotations

from typing import Any

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.stage import CALM, TOLD, ArrowStage

TRACKED = 10.0  # seconds after which the client is told to end the tracking of one order
LOST = 0.4  # seconds: the end has arrived, and the first attempt may be under way

UNREADABLE = (
    "{",
    "",
    "null",
    "5",
    '"PONG"',
    "[]",
    '[{"updateType":"ORDER_STATUS"}]',
    "{}",
    '{"orderId":"1","orderStatus":"OPEN"}',
    '{"updateType":null}',
    '{"updateType":"ORDER_STATUS","orderId":"24',
    "☃",
    '{"☃":1',
    "[" * 2000,
)


@scenario(
    "life-cycles",
    "Orders through every type of update and every status",
    exercises=("AOU-010",),
    needs=("wire", "snapshot"),
    lasts=12,
    settings={"orders": 0},  # all that is asked about is told of while the client is there
)
async def life_cycles(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    book = stage.broker.orders
    limit = book.place(symbol="HDFCBANK-EQ", price="1610.20", quantity=300)
    stop = book.place(symbol="ITC-EQ", price="450.10", quantity=50, trigger="449.00")
    amo = book.place(symbol="WIPRO-EQ", price="480.00", quantity=20, after_market=True)
    await stage.compare("life: placed")
    book.change(limit, "OPEN")
    book.change(stop, "TRIGGER_PENDING")
    await stage.compare("life: open and waiting")
    book.fill(limit, 70, "1610.15")
    book.fill(limit, 30, "1609.95")
    book.modify(limit, quantity=250, price="1611.00")
    book.change(stop, "OPEN")
    book.change(amo, "PENDING")
    await stage.compare("life: partly executed, modified, triggered")
    book.fill(limit, 150, "1611.00")
    book.cancel(stop)
    book.reject(amo, "Margin is not sufficient")
    await stage.compare("life: complete, cancelled, rejected")
    partly = book.place(symbol="LT-EQ", price="3510.00", quantity=40)
    book.change(partly, "OPEN")
    book.fill(partly, 15)
    await stage.compare("life: partly executed")
    book.cancel(partly)
    await stage.compare("life: cancelled after a part")


@scenario(
    "duplicates",
    "Updates come twice, on one socket and again after a reconnect",
    exercises=("AOU-020", "AOU-040"),
    needs=("wire", "report"),
    lasts=12,
)
async def duplicates(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    book, live = stage.broker.orders, stage.live()
    with stage.broker.on_events(next=3).twice():
        for order in live[:3]:
            book.modify(order, price="600.00")
    book.modify(live[0], price="601.00")
    book.place(symbol="ONGC-EQ", price="270.40", quantity=10)
    again = live[1].message("ORDER_MODIFIED")
    await stage.hold(CALM)
    since = stage.lose_all()
    if await stage.recovered(since) is None:
        return
    await stage.hold(CALM)
    for socket in stage.sockets():
        stage.rule("update-again", socket.id, "an update of the socket before")
        socket.send_update(again)
    book.modify(live[1], price="602.00")
    await stage.hold(TOLD)


@scenario(
    "missed-updates",
    "Orders change while the client is away",
    exercises=("AOU-030",),
    needs=("wire", "snapshot"),
    lasts=12,
)
async def missed_updates(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    book, live = stage.broker.orders, stage.live()
    with stage.broker.on_upgrade(times=1).refuse(503, "down"):
        since = stage.lose_all()
        await stage.hold(LOST)
        book.fill(live[0], 40, "624.90")
        book.fill(live[1], live[1].pending)
        book.cancel(live[2])
        book.modify(live[3], quantity=live[3].quantity + 50)
        book.change(book.place(symbol="SUNPHARMA-EQ", price="1120.00", quantity=15), "OPEN")
        book.reject(book.place(symbol="COALINDIA-EQ", price="390.00", quantity=15))
        if await stage.recovered(since) is None:
            return
    await stage.compare("away: changed, over, new")


@scenario(
    "unreadable",
    "Malformed text, binary frames, and objects that are no update",
    exercises=("AOU-050",),
    lasts=45,
)
async def unreadable(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    for socket in stage.sockets():
        stage.rule("unreadable", socket.id, f"{len(UNREADABLE)} texts and two binary frames")
        for text in UNREADABLE:
            socket.send_text(text)
        socket.send_binary(b"\x00\xff\xfe")
        socket.send_binary(b'{"updateType":"ORDER_STATUS"}')
    stage.broker.orders.modify(stage.live()[0], price="612.00")
    await stage.hold(stage.limits["pong_every"] * (1 + stage.limits["tolerance"]) + 3, "the client to go on")
    since = stage.lose_all()
    await stage.recovered(since)


def _broken(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Updates that no valid one is: each with a defect of its own."""
    without = {name: value for name, value in body.items() if name != "filledQuantity"}
    return [
        {**body, "orderStatus": "HALF_OPEN"},
        without,
        {**body, "filledQuantity": body["quantity"], "pendingQuantity": body["quantity"]},
        {**body, "quantity": "many"},
        {**body, "updateType": "ORDER_TELEPORTED"},
        {**body, "price": -1},
    ]


@scenario(
    "invalid-updates",
    "Updates with an unknown status, a missing field, quantities that do not add up",
    exercises=("AOU-060",),
    needs=("wire", "report"),
    lasts=7,
)
async def invalid_updates(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    for socket in stage.sockets():
        stage.rule("invalid-updates", socket.id, "updates of live orders, each with one defect")
        for n, body in enumerate(_broken(stage.live()[0].message("ORDER_STATUS"))):
            socket.send_update({**body, "timestamp": f"2031-01-01T00:00:{n:02}.000Z"})
    await stage.hold(TOLD)


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
    await stage.hold(stage.limits["clear_terminal"] + 1, "finished orders to be cleared")
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
    await stage.hold(TRACKED + TOLD, "the tracking of an order that stays open to end")
