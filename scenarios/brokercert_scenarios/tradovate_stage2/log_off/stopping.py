"""Log-off: the programme's overview names it (TP §0)."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.tradovate_stage2.stage import Stage


@scenario(
    "stop-open",
    "Asked to stop on an open connection",
    exercises=("OFF-010",),
    needs=("wire", "stop"),
    lasts=6,
)
async def stop_open(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    await stage.arrived()
    await stage.ask_stop()
    await stage.hold(stage.limit("window_stop") + 1, "the client to leave")


@scenario(
    "stop-away",
    "Asked to stop while it is not connected",
    exercises=("OFF-010",),
    needs=("wire", "stop"),
    lasts=12,
)
async def stop_away(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    await stage.fresh_event()
    with stage.broker.on_upgrade().refuse(503):
        since = stage.lose_all()
        again = await stage.wait(
            "an attempt to reconnect",
            lambda talk: [c for c in talk.connections.values() if c.accepted > since and c.refused_status],
            stage.limit("reconnect") + 6,
        )
        if not again:
            stage.step("it is away, and tries nothing: it is asked to stop all the same")
        await stage.arrived()
        await stage.ask_stop()
        await stage.hold(stage.limit("window_stop") + 1, "the client to leave")
