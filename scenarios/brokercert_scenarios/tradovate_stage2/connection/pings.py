"""Pings of the server: RFC 6455 §5.5.2."""

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.model.conversation import Conversation

from brokercert_scenarios.tradovate_stage2.stage import SURE, Stage

PAYLOADS = (b"", b"alive?", bytes(range(125)))  # nothing, text, and the most that a control frame carries: no text


@scenario(
    "pings",
    "Pings without a payload, with a short and with the longest one; and again after a loss",
    exercises=("CON-070",),
    lasts=6,
)
async def pings(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    await _each_payload(stage)
    since = await stage.lose()
    if await stage.recovered(since) is not None:
        await _each_payload(stage)


async def _each_payload(stage: Stage) -> None:
    """One ping after the other, each to every socket, each awaited by itself."""
    for payload in PAYLOADS:
        for socket in stage.sockets():
            socket.send_ping(payload)
        await stage.wait("a pong on every socket", _all_answered, stage.limit("pong") + SURE)


def _all_answered(talk: Conversation) -> bool:
    return all(len(c.ponged) >= len(c.pinged) for c in talk.upgraded if c.is_open)
