"""Connecting, and credentials: AR Connection Setup, Security."""

from brokercert.engine.play.scenario import scenario
from brokercert.engine.run.preflight import first_connection

from brokercert_scenarios.arrow_orders.stage import ArrowStage


@scenario(
    "preflight",
    "Before all: one start of the client, with nothing wrong",
    exercises=("AOC-010",),
    lasts=2,
    before_all=True,
)
async def preflight(stage: ArrowStage) -> None:
    await first_connection(stage)


@scenario(
    "query-encoded",
    "Session and token have characters that mean something else in an address",
    exercises=("AOC-010", "AOC-015", "AOS-010"),
    lasts=5,
    settings={"credentials": "reserved"},
)
async def query_encoded(stage: ArrowStage) -> None:
    await stage.start()
    await stage.connected()


@scenario(
    "credentials-refused",
    "Session and token are refused, for a minute",
    exercises=("AOC-020", "AOS-010"),
    lasts=64,
    settings={"account": "Basic"},
)
async def credentials_refused(stage: ArrowStage) -> None:
    await refused_for_a_minute(stage, 401)


async def refused_for_a_minute(stage: ArrowStage, status: int) -> None:
    """Every upgrade is refused with that status."""
    stage.broker.on_upgrade().refuse(status, stage.broker.edition.missing)
    await stage.start()
    if await stage.attempts(1, stage.limit("window_connect") + 1):
        await stage.hold(stage.limit("window_refused") + 1, "attempts with credentials that were refused")


@scenario(
    "session-expires",
    "The session times out while the client is connected",
    exercises=("AOC-025", "AOS-010"),
    needs=("wire", "config"),
    lasts=15,
)
async def session_expires(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    since = stage.now
    login = stage.sockets()[0].login
    assert login is not None
    stage.broker.time_out(login)
    await stage.recovered(since)
    await stage.hold(stage.raised)
