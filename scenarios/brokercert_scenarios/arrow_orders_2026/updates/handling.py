"""Updates that come twice, that nobody can read, or that are invalid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brokercert.engine.play.scenario import scenario
from brokercert_mock.arrow.edition import MODIFIED

from brokercert_scenarios.arrow_orders.stage import CALM
from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3

UNREADABLE = (
    "{",
    "",
    "{}",
    '{"orderId":"1","orderStatus":"OPEN"}',
    '{"id":""}',
    '{"id":null,"orderStatus":"OPEN"}',
    '{"id":"26","orderStatus":"OP',
    "☃",
    '{"☃":1',
    "[" * 2000,
)
NO_OBJECT = ("null", "5", '"PONG"', "[]", '[{"id":"1"}]', "true")
Message = dict[str, Any]
BINARY = (b"\x00\xff\xfe", b'{"id":"1","orderStatus":"OPEN"}')


@scenario(
    "duplicates",
    "Updates come twice, on one socket and again after a reconnect",
    exercises=("AOU-020", "AOU-340"),
    needs=("wire", "report"),
    lasts=12,
)
async def duplicates(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    book, live = stage.broker.orders, stage.live()
    with stage.broker.on_events(next=3).twice():
        book.fill(live[0], 10, "625.00")
        book.modify(live[1], price="600.00")
        book.fill(live[2], 30, "1480.00")
    book.fill(live[0], 15, "624.00")
    book.place(symbol="ONGC-EQ", price="270.40", quantity=10)
    again = live[1].message(MODIFIED)
    await stage.hold(CALM)
    since = stage.lose_all()
    if await stage.recovered(since) is None:
        return
    await stage.hold(CALM)
    for socket in stage.sockets():
        stage.rule("update-again", socket.id, "an update of the socket before")
        socket.send_update(again)
    book.fill(live[1], 20, "600.00")
    await stage.hold(stage.reported)


async def _ignored(stage: ArrowStage3, texts: tuple[str, ...], binary: tuple[bytes, ...]) -> None:
    """What is no update, then one that is, and then long enough for the next beat of every client that is right."""
    if await stage.log_in() is None:
        return
    for socket in stage.sockets():
        stage.rule("unreadable", socket.id, f"{len(texts)} texts and {len(binary)} binary frames")
        for text in texts:
            socket.send_text(text)
        for data in binary:
            socket.send_binary(data)
    stage.broker.orders.modify(stage.live()[0], price="612.00")
    await stage.hold(stage.beaten, "the client to go on")
    since = stage.lose_all()
    await stage.recovered(since)


@scenario(
    "unreadable",
    "Malformed text, binary frames, and objects without `id`",
    exercises=("AOU-350",),
    lasts=42,
)
async def unreadable(stage: ArrowStage3) -> None:
    await _ignored(stage, UNREADABLE, BINARY)


@scenario(
    "no-object",
    "JSON that is no object: null, a number, lists, a text",
    exercises=("AOU-352",),
    lasts=42,
)
async def no_object(stage: ArrowStage3) -> None:
    await _ignored(stage, NO_OBJECT, ())


def _unknown_status(body: Message) -> Message:
    return {**body, "orderStatus": "FOO"}


def _no_quantity(body: Message) -> Message:
    return {name: value for name, value in body.items() if name != "quantity"}


def _too_much_filled(body: Message) -> Message:
    return {**body, "cumulativeFillQty": str(2 * int(body["quantity"])), "leavesQuantity": body["quantity"]}


DEFECTS: tuple[Callable[[Message], Message], ...] = (_unknown_status, _no_quantity, _too_much_filled)


@scenario(
    "invalid-updates",
    "Updates with an unknown status, without a quantity, with more filled than ordered",
    exercises=("AOU-060",),
    needs=("wire", "report"),
    lasts=7,
)
async def invalid_updates(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    for socket in stage.sockets():
        stage.rule("invalid-updates", socket.id, "updates of live orders, each with one defect")
        for n, (order, spoiled) in enumerate(zip(stage.live(), DEFECTS, strict=False)):
            socket.send_update({**spoiled(order.message(MODIFIED)), "orderTime": f"2031-01-01T00:00:{n:02}"})
    await stage.hold(stage.reported)
