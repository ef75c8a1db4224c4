"""TLS that fails, four ways: S2 Error handling. Each begins with a session under the good certificate: its control."""

from brokercert.engine.play.scenario import scenario
from brokercert_mock import Kind

from brokercert_scenarios.tradovate_stage2.stage import Stage

BAD = 12.0  # seconds: past a try or two of every ladder
SETTINGS = {"tls": True}
ROWS = ("CON-030",)
NEEDS = ("wire", "tls")
LASTS = 28


async def _bad(stage: Stage, kind: Kind) -> None:
    if await stage.log_in() is None:
        return
    await stage.fresh_event()
    stage.broker.present(kind)
    stage.lose_all()
    await stage.hold(BAD, "connections that should not come about")
    since = stage.now
    stage.broker.present("good")
    await stage.recovered(since)


@scenario("tls-untrusted", "An issuer that nobody trusts", exercises=ROWS, needs=NEEDS, lasts=LASTS, settings=SETTINGS)
async def tls_untrusted(stage: Stage) -> None:
    await _bad(stage, "untrusted")


@scenario("tls-wrong-host", "Another host's name", exercises=ROWS, needs=NEEDS, lasts=LASTS, settings=SETTINGS)
async def tls_wrong_host(stage: Stage) -> None:
    await _bad(stage, "wrong-host")


@scenario("tls-expired", "A certificate that has expired", exercises=ROWS, needs=NEEDS, lasts=LASTS, settings=SETTINGS)
async def tls_expired(stage: Stage) -> None:
    await _bad(stage, "expired")


@scenario("tls-cut", "A handshake that is broken off", exercises=ROWS, needs=NEEDS, lasts=LASTS, settings=SETTINGS)
async def tls_cut(stage: Stage) -> None:
    await _bad(stage, "cut")
