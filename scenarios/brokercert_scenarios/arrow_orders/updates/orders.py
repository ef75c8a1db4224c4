"""Orders through every type and status, and what was missed."""

from __future__ import annotations

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.stage import ArrowStage

LOST = 0.4  # seconds: the end has arrived, and the first attempt may be under way


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
