"""Names that do not resolve: S2 Error handling. The client asks a name server of ours."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.tradovate_stage2.stage import Stage

NAME = "broker.example"
FAILS = 12.0  # seconds: past the time-out of a single try, and a few tries


@scenario(
    "name-unresolved",
    "The broker's name does not resolve at the start, nor for a while after a loss",
    exercises=("CON-020",),
    needs=("wire", "dns"),
    lasts=54,
    settings={"name": NAME},
)
async def name_unresolved(stage: Stage) -> None:
    broker = stage.broker
    broker.resolve("nxdomain")
    await stage.start()
    asked = await stage.wait("a query for the name", stage.has_shown, stage.limit("window_first_authorize") + 1)
    if asked:  # a client may take long to start, and is to meet the failure
        await stage.hold(FAILS, "a name that does not resolve")
    broker.resolve("answer")
    if await stage.synced(within=stage.limit("window_recovery") + 1, syncs=False) is None:
        return
    since = await stage.lose()  # a plain one, so that the next is not the first
    if await stage.recovered(since) is None:
        return
    await stage.fresh_event()
    broker.resolve("servfail")
    stage.lose_all()
    await stage.hold(FAILS, "a name server that fails")
    since = stage.now
    broker.resolve("answer")
    await stage.back(since)
