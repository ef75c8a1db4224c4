"""Heartbeats, and a server that falls silent: AR Heartbeat Protocol."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.stage import CALM, ArrowStage


@scenario(
    "steady",
    "A healthy session of more than a minute",
    exercises=("AOC-010", "AOC-050", "AOH-010", "AOS-010"),
    lasts=72,
)
async def steady(stage: ArrowStage) -> None:
    if await stage.log_in() is not None:
        await stage.hold(stage.limit("window_heartbeat"))


SEEN = 2  # refused attempts after each loss: the delays between them tell a rung from a loss that was noticed late


@scenario(
    "silence",
    "A plain loss, and then a server that says nothing more; some attempts are refused after each",
    exercises=("AOH-020", "AOR-060"),
    lasts=54,
    most=260,
)
async def silence(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade(times=SEEN).refuse(503, "down"):
        since = stage.lose_all()
        if await stage.recovered(since) is None:
            return
    await stage.hold(CALM)
    with stage.broker.on_upgrade(times=SEEN).refuse(503, "down"):
        since = stage.lose_all(lambda socket: socket.go_silent("application"))
        slack = 1 + stage.limit("tolerance")
        most, rung = stage.limit("read_timeout_most") * slack, stage.limit("reconnect_max_delay") * slack
        await stage.wait(
            "a new connection",
            lambda talk: any(c.accepted > since for c in talk.upgraded) or None,
            most + (SEEN + 1) * rung + stage.raised,
        )
    await stage.hold(stage.raised)
