"""A healthy connection, on which something arrives all the time: A3 Overview."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3

BETWEEN = 7.0  # seconds between two order updates: more than any read time-out of the page
TIMES = 9


@scenario(
    "traffic",
    "More than a minute of keep-alives, with an order update every 7 s and a ping after each",
    exercises=("AOC-350", "AOC-050"),
    lasts=66,
)
async def traffic(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    book, live = stage.broker.orders, stage.live()
    for n in range(TIMES):
        book.fill(live[n % len(live)], 1)
        for socket in stage.sockets():
            socket.send_ping(b"alive?")
        await stage.hold(BETWEEN, "the client to stay")
