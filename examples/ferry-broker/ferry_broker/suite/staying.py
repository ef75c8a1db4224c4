"""Staying aboard, and leaving: FP Staying aboard."""

from brokercert.engine.play.scenario import scenario

from ferry_broker.suite.stage import FerryStage


@scenario(
    "loss",
    "The ferry drops the connection",
    exercises=("FST-020",),
    lasts=3,
)
async def loss(stage: FerryStage) -> None:
    if await stage.aboard() is None:
        return
    for socket in stage.sockets():
        socket.fin()
    if await stage.aboard(2) is not None:
        await stage.arrived()


@scenario(
    "leaving",
    "The client is asked to leave",
    exercises=("FST-030",),
    needs=("wire", "stop"),
    lasts=2,
)
async def leaving(stage: FerryStage) -> None:
    if await stage.aboard() is None:
        return
    await stage.ask_stop()
    await stage.hold(stage.limits["window_stop"], "the client to leave")
