"""Heartbeats, and a server that falls silent: AR Heartbeat Protocol."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.stage import CALM, ArrowStage


@scenario(
    "steady",
    "A healthy session of more than a minute",
    exercises=("AOC-010", "AOH-010", "AOS-010"),
    lasts=72,
)
async def steady(stage: ArrowStage) -> None:
    if await stage.log_in() is not None:
        await stage.hold(stage.limit("window_heartbeat"))


@scenario(
    "silence",
    "A plain loss, and then a server that says nothing more",
    exercises=("AOH-020", "AOR-060"),
    lasts=42,
    most=200,
)
async def silence(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    since = stage.lose_all()
    if await stage.recovered(since) is None:
        return
    await stage.hold(CALM)
    since = stage.lose_all(lambda socket: socket.go_silent("application"))
    most = stage.limit("read_timeout_most") * (1 + stage.limit("tolerance"))
    again = stage.limit("reconnect_max_delay") * (1 + stage.limit("tolerance")) + stage.raised
    await stage.wait(
        "a new connection", lambda talk: any(c.accepted > since for c in talk.upgraded) or None, most + again
    )
    await stage.hold(stage.raised)
