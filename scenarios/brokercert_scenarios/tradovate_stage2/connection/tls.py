"""TLS that fails, four ways: S2 Error handling.

A bad certificate stands there at the client's start, and once more after a loss where the client has come in meanwhile.
So a client that never reconnects shows what it does with one too. That the good certificate works shows its control:
the same start, once that is back, or a second one. There a client that hung meets a plain close too: where it does not
come back from that either, its way back is REC-010's question. A handshake is cut at a reconnect only, since a client
may take a first connection that fails for a wrong configuration, and leave.
"""

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.model.conversation import Conversation
from brokercert.trace.names import RuleName
from brokercert_mock import Kind

from brokercert_scenarios.tradovate_stage2.stage import SURE, Stage

BAD = 12.0  # seconds: past a try or two of every ladder
SETTINGS = {"tls": True}
ROWS = ("CON-030",)
NEEDS = ("wire", "tls")
LASTS = 45  # of those that meet it twice


async def _bad(stage: Stage, kind: Kind) -> None:
    """From the start on, and after a loss."""
    stage.broker.present(kind)
    await stage.start()
    met = await stage.wait("a handshake", _hello, stage.limit("window_first_authorize") + 1)
    if met:  # a client may take long to start, and is to meet it
        await stage.hold(BAD, "connections that should not come about")
    if stage.talk.authorized:
        return  # it took the bad one: there is nothing to come back from
    if await _good(stage):
        await _bad_again(stage, kind)
    elif met:
        await _control(stage)


async def _control(stage: Stage) -> None:
    """A new start, under the good certificate. Who lived on without coming back is asked whether it ever does."""
    lived = not stage.left
    stage.step("control: does the client log in under the good certificate, where it met no other?")
    await stage.start_again()
    if await stage.synced(syncs=False) is not None and lived:
        await stage.fresh_event()
        await stage.back(stage.lose_all(), stage.limit("window_control") + SURE)


def _hello(talk: Conversation) -> bool:
    return any(rule.name == RuleName.TLS_HELLO for _, _, rule in talk.rules)


async def _bad_again(stage: Stage, kind: Kind) -> None:
    await stage.fresh_event()
    stage.broker.present(kind)
    sockets = len(stage.sockets())
    stage.lose_all()
    await stage.hold(BAD, "connections that should not come about")
    await _good(stage, sockets)


async def _good(stage: Stage, sockets: int = 1) -> bool:
    """The good certificate is there. Whether the client is back, with so many sockets where it had so many."""
    since = stage.now
    stage.broker.present("good")
    return await stage.back(since, sockets=sockets) is not None


@scenario("tls-untrusted", "An issuer that nobody trusts", exercises=ROWS, needs=NEEDS, lasts=LASTS, settings=SETTINGS)
async def tls_untrusted(stage: Stage) -> None:
    await _bad(stage, "untrusted")


@scenario("tls-wrong-host", "Another host's name", exercises=ROWS, needs=NEEDS, lasts=LASTS, settings=SETTINGS)
async def tls_wrong_host(stage: Stage) -> None:
    await _bad(stage, "wrong-host")


@scenario("tls-expired", "A certificate that has expired", exercises=ROWS, needs=NEEDS, lasts=LASTS, settings=SETTINGS)
async def tls_expired(stage: Stage) -> None:
    await _bad(stage, "expired")


@scenario("tls-cut", "A handshake that is broken off", exercises=ROWS, needs=NEEDS, lasts=24, settings=SETTINGS)
async def tls_cut(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is not None:
        await _bad_again(stage, "cut")
