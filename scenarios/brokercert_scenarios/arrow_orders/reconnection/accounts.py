"""Reconnects a minute, by the kind of account: AR Rate Limits."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.stage import CALM, ArrowStage


async def _long_outage(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade().refuse(503, "down"):
        since = stage.lose_all()
        await stage.hold(stage.limit("window_outage"), "attempts inside the account's limits")
    await stage.recovered(since)
    await stage.hold(CALM)


@scenario(
    "outage-basic",
    "More than a minute of outage, of a Basic account",
    exercises=("AOR-050",),
    lasts=80,
    settings={"account": "Basic"},
)
async def outage_basic(stage: ArrowStage) -> None:
    await _long_outage(stage)


@scenario(
    "outage-premium",
    "More than a minute of outage, of a Premium account",
    exercises=("AOR-050",),
    lasts=80,
    settings={"account": "Premium"},
)
async def outage_premium(stage: ArrowStage) -> None:
    await _long_outage(stage)


@scenario(
    "outage-enterprise",
    "An outage of an Enterprise account: its sockets are counted",
    exercises=("AOR-050",),
    lasts=16,
    settings={"account": "Enterprise"},
)
async def outage_enterprise(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade(times=2).refuse(503, "down"):
        since = stage.lose_all()
        await stage.recovered(since)
    await stage.hold(CALM)
