"""Pings of the server: RFC 6455 §5.5.2."""

from brokercert.engine.play.scenario import scenario
from brokercert.judge.arrow.model import Updates

from brokercert_scenarios.arrow_orders.stage import LITTLE, ArrowStage

PAYLOADS = (b"", b"alive?", bytes(range(125)))  # nothing, text, and the most that a control frame carries: no text


@scenario(
    "pings",
    "Pings without a payload, with a short and with the longest one; and again after a loss",
    exercises=("AOC-060",),
    lasts=6,
)
async def pings(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    await _each_payload(stage)
    since = stage.lose_all()
    if await stage.recovered(since) is not None:
        await _each_payload(stage)


async def _each_payload(stage: ArrowStage) -> None:
    """One ping after the other, each to every socket, each awaited by itself."""
    for payload in PAYLOADS:
        for socket in stage.sockets():
            socket.send_ping(payload)
        await stage.wait("a pong on every socket", _all_answered, stage.limit("pong") + LITTLE)


def _all_answered(talk: Updates) -> bool:
    return all(len(c.ponged) >= len(c.pinged) for c in talk.upgraded if c.is_open)
