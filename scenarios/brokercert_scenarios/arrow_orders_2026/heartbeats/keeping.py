"""Heartbeats, keep-alives, and a server that falls silent: A3 Heartbeat Protocol."""

from brokercert.engine.play.scenario import scenario
from brokercert.judge.transcript import SECOND

from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3


@scenario(
    "steady",
    "A healthy session of more than a minute, a loss, and more than half a minute after it",
    exercises=("AOC-310", "AOC-050", "AOC-350", "AOH-310", "AOH-315", "AOH-340", "AOS-010"),
    lasts=113,
    most=235,
)
async def steady(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    await stage.hold(stage.limit("window_heartbeat"))
    since = stage.lose_all()
    if await stage.recovered(since) is not None:
        await stage.hold(max(stage.beaten, stage.limit("window_stream") + 1), "heartbeats, as before")


PHASES = (0.1, 3.0, 4.9)  # seconds after the last message: a client that looks every 5 s notices at another time each
HEALTHY = 12.0  # seconds of a healthy connection before each: long enough to begin a ladder anew


async def _fall_silent(stage: ArrowStage3, kind: str) -> bool:
    """All connections say nothing more, and a new one is awaited. Whether it came."""
    since = stage.lose_all(lambda socket: socket.go_silent(kind))
    return bool(
        await stage.wait(
            "a new connection",
            lambda talk: any(c.accepted > since for c in talk.upgraded) or None,
            stage.noticed + stage.limit("reconnect_delay_most"),
        )
    )


@scenario(
    "silence",
    "The server says nothing more, three times, each time at another moment of the client's clock",
    exercises=("AOH-320", "AOH-325"),
    lasts=64,
    most=340,
)
async def silence(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    for phase in PHASES:
        await stage.hold(HEALTHY, "the client's timers to run")
        await _to_phase(stage, phase)
        if not await _fall_silent(stage, "application"):
            return


async def _to_phase(stage: ArrowStage3, phase: float) -> None:
    """Until so many seconds after a beat of the client's."""
    beats = [beat.t for c in stage.talk.upgraded for beat in c.beats]
    passed = (stage.now - max(beats, default=stage.now)) / SECOND
    if passed < phase:
        await stage.hold(phase - passed, "a moment of the client's clock")


@scenario(
    "silence-unanswered",
    "The server says nothing more, and answers no close frame either",
    exercises=("AOH-320",),
    lasts=24,
    most=140,
)
async def silence_unanswered(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    await stage.hold(HEALTHY, "the client's timers to run")
    await _fall_silent(stage, "dead")
    await stage.hold(stage.raised)


async def _only_keep_alives(stage: ArrowStage3) -> None:
    """Nothing else for a while, and then an update."""
    if await stage.log_in() is None:
        return
    await stage.hold(stage.limit("window_keep_alive") + 1, "keep-alives and nothing else")
    stage.broker.orders.modify(stage.live()[0], price="612.00")
    await stage.hold(stage.reported)


@scenario(
    "keep-alive-nul",
    "Keep-alives are texts of one NUL character",
    exercises=("AOH-330",),
    lasts=33,
    settings={"keep_alive_text": "\0"},
)
async def keep_alive_nul(stage: ArrowStage3) -> None:
    await _only_keep_alives(stage)


@scenario(
    "keep-alive-empty",
    "Keep-alives are empty texts",
    exercises=("AOH-330",),
    lasts=33,
    settings={"keep_alive_text": ""},
)
async def keep_alive_empty(stage: ArrowStage3) -> None:
    await _only_keep_alives(stage)


@scenario(
    "keep-alive-words",
    "Keep-alives are a word that is no JSON",
    exercises=("AOH-330",),
    lasts=33,
    settings={"keep_alive_text": "keepalive"},
)
async def keep_alive_words(stage: ArrowStage3) -> None:
    await _only_keep_alives(stage)
