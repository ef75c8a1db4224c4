"""Updates that come twice, that nobody can read, or that are invalid."""

from __future__ import annotations

from typing import Any

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.stage import CALM, ArrowStage

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
    await stage.hold(stage.reported)


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
    await stage.hold(stage.limit("pong_every") * (1 + stage.limit("tolerance")) + 3, "the client to go on")
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
    await stage.hold(stage.reported)
