"""Orders through every report type and status, what was missed, and names and times of messages."""

from __future__ import annotations

from brokercert.engine.play.scenario import scenario
from brokercert_mock.arrow.edition import FIRST, STATUS

from brokercert_scenarios.arrow_orders.updates import orders as first
from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3

BETWEEN = 1.0  # seconds between two updates of one order, as they come in a market


@scenario(
    "life-cycles",
    "Orders through every report type and every status",
    exercises=("AOU-310",),
    needs=("wire", "snapshot"),
    lasts=12,
    settings={"orders": 0},  # all that is asked about is told of while the client is there
)
async def life_cycles(stage: ArrowStage3) -> None:
    await first.life_cycles.play(stage)


@scenario(
    "life-cycles-as-in-rest",
    "The same with the spellings of the REST API, a reason of rejection, growing numbers, and an order that expires",
    exercises=("AOU-310",),
    needs=("wire", "snapshot"),
    lasts=16,
    settings={"orders": 0, "report_names": "rest", "order_names": "rest", "reject_reason": "rejectReason"},
)
async def life_cycles_as_in_rest(stage: ArrowStage3) -> None:
    await first.life_cycles.play(stage)
    book = stage.broker.orders
    order = book.place(symbol="ONGC-EQ", price="270.40", quantity=130)
    book.change(order, "OPEN")
    book.fill(order, 9)
    await stage.compare("life: nine are filled")
    book.fill(order, 56)
    await stage.compare("life: sixty-five are filled")
    book.cancel(order, expired=True)
    await stage.compare("life: expired")


@scenario(
    "missed-updates",
    "Orders change while the client is away",
    exercises=("AOU-030",),
    needs=("wire", "snapshot"),
    lasts=12,
)
async def missed_updates(stage: ArrowStage3) -> None:
    await first.missed_updates.play(stage)


@scenario(
    "missed-updates-all-rows",
    "Orders change while the client is away, and the REST API lists every event of the day, newest first",
    exercises=("AOU-030",),
    needs=("wire", "snapshot"),
    lasts=12,
    settings={"book_rows": "all"},
)
async def missed_updates_all_rows(stage: ArrowStage3) -> None:
    await first.missed_updates.play(stage)


@scenario(
    "current-names",
    "Updates by the page's names, and between them objects of the older page, which have no `id`",
    exercises=("AOU-355",),
    needs=("wire", "snapshot"),
    lasts=10,
    settings={"orders": 0},
)
async def current_names(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    book = stage.broker.orders
    order = book.place(symbol="SBIN-EQ", price="625.50", quantity=40)
    book.change(order, "OPEN")
    await stage.compare("names: the page's")
    for socket in stage.sockets():
        stage.rule("older-names", socket.id, "an object of the older page: the same order is cancelled there")
        later = {"timestamp": f"{order.message(None)['orderTime']}.900Z"}
        over = {"orderStatus": "CANCELLED", "pendingQuantity": 0}
        socket.send_update(FIRST.message(order, STATUS, {**over, **later}))
    await stage.hold(BETWEEN, "the client to take it for what it is")
    await stage.compare("names: after one of the older page")
    book.fill(order, 15)
    await stage.compare("names: the page's again")


@scenario(
    "one-time",
    "All updates of an order have one time, as if it were the order's own",
    exercises=("AOU-321",),
    needs=("wire", "snapshot"),
    lasts=12,
    settings={"orders": 0, "order_time": "order"},
)
async def one_time(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    book = stage.broker.orders
    order = book.place(symbol="SBIN-EQ", price="625.50", quantity=40)
    await stage.hold(BETWEEN)
    book.change(order, "OPEN")
    await stage.hold(BETWEEN)
    book.fill(order, 9)
    await stage.hold(BETWEEN)
    book.fill(order, 16)
    await stage.compare("one time: partly filled")
    book.fill(order, 15)
    await stage.compare("one time: filled")
