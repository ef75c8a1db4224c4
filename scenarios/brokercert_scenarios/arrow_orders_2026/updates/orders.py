"""Orders through every report type and status, what was missed, and names and times of messages."""

from __future__ import annotations

from brokercert.engine.play.scenario import scenario
from brokercert_mock.arrow.edition import FIRST, STATUS

from brokercert_scenarios.arrow_orders.updates.orders import LOST
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
    await _life(stage)


async def _life(stage: ArrowStage3) -> bool:
    """As in the first edition, but that an order is told of once as pending: after-market orders are rejected so.
    Whether the client was there.
    """
    if await stage.log_in() is None:
        return False
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
    return True


@scenario(
    "life-cycles-as-in-rest",
    "The same with the spellings of the REST API, a reason of rejection, growing numbers, and an order that expires",
    exercises=("AOU-310",),
    needs=("wire", "snapshot"),
    lasts=16,
    settings={"orders": 0, "report_names": "rest", "order_names": "rest", "reject_reason": "rejectReason"},
)
async def life_cycles_as_in_rest(stage: ArrowStage3) -> None:
    if not await _life(stage):
        return
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
    await _missed(stage)


async def _missed(stage: ArrowStage3) -> None:
    """Every attempt is refused until all has changed: the first ones come at once, and none may be there to see it."""
    if await stage.log_in() is None:
        return
    book, live = stage.broker.orders, stage.live()
    with stage.broker.on_upgrade().refuse(503, "down"):
        since = stage.lose_all()
        await stage.hold(LOST)
        book.fill(live[0], 40, "624.90")
        book.fill(live[1], live[1].pending)
        book.cancel(live[2])
        book.modify(live[3], quantity=live[3].quantity + 50)
        book.change(book.place(symbol="SUNPHARMA-EQ", price="1120.00", quantity=15), "OPEN")
        book.reject(book.place(symbol="COALINDIA-EQ", price="390.00", quantity=15))
    if await stage.recovered(since) is not None:
        await stage.compare("away: changed, over, new")


@scenario(
    "missed-updates-all-rows",
    "Orders change while the client is away, and the REST API lists every event of the day, newest first",
    exercises=("AOU-030",),
    needs=("wire", "snapshot"),
    lasts=12,
    settings={"book_rows": "all"},
)
async def missed_updates_all_rows(stage: ArrowStage3) -> None:
    await _missed(stage)


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
