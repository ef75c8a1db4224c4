"""Connecting, and credentials: A3 Connection Setup, Key Features."""

from brokercert.engine.play.scenario import scenario
from brokercert.engine.run.preflight import first_connection

from brokercert_scenarios.arrow_orders.connecting import credentials as first
from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3


@scenario(
    "preflight",
    "Before all: one start of the client, with nothing wrong",
    exercises=("AOC-310",),
    lasts=2,
    before_all=True,
)
async def preflight(stage: ArrowStage3) -> None:
    await first_connection(stage)


@scenario(
    "query-encoded",
    "The token has characters that mean something else in an address, at the start and after a loss",
    exercises=("AOC-310", "AOC-015", "AOS-010"),
    lasts=5,
    settings={"credentials": "reserved"},
)
async def query_encoded(stage: ArrowStage3) -> None:
    await stage.start()
    if await stage.connected() is not None:
        await stage.recovered(stage.lose_all())  # the address of a reconnect is built anew


@scenario(
    "credentials-refused",
    "appID and token are refused with 401, for a minute",
    exercises=("AOC-020", "AOS-010"),
    lasts=64,
    settings={"account": "Basic"},
)
async def credentials_refused(stage: ArrowStage3) -> None:
    await first.refused_for_a_minute(stage, 401)


@scenario(
    "credentials-forbidden",
    "appID and token are refused with 403, for a minute",
    exercises=("AOC-020", "AOS-010"),
    lasts=64,
    settings={"account": "Basic"},
)
async def credentials_forbidden(stage: ArrowStage3) -> None:
    await first.refused_for_a_minute(stage, 403)


@scenario(
    "token-ends",
    "The token ends while the client is connected, and the login gives another one",
    exercises=("AOC-325", "AOS-010"),
    needs=("wire", "tokens"),
    lasts=15,
)
async def token_ends(stage: ArrowStage3) -> None:
    await first.session_expires.play(stage)
