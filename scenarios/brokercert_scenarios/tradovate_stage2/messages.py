"""Message errors: S2, Error handling. Before anything hostile, a plain close is the client's own control."""

from collections.abc import Iterable

from brokercert.engine.scenario import scenario
from brokercert.engine.stage import Stage

MALFORMED = (
    'a[{"e":"props","d":{"entityType":"order","eventType":"Created","entity":{"id":1',
    'a[{"e":"props","d":}]',
    "a[",
    "a[}",
    "a{",
    'a[{"s":200,"i":}]',
    'a["unfinished',
    "a[{'single':'quotes'}]",
    'a[{"e":"props","d":{"entityType":"order☃',
    "a[NaN,]",
    "c[3000",
    "a☃",
)
UNKNOWN = (
    "x",
    "☃",
    'x[{"e":"props"}]',
    "☃[1,2]",
    "\x00",
    "m[1]",
    'a[{"e":"tomorrow☃","d":null}]',
    "hh",
    "{}",
)


async def _hostile(stage: Stage, frames: Iterable[str]) -> None:
    if await stage.log_in() is None:
        return
    stage.step("control: does the client come back after a plain close?")
    stage.last_event()
    await stage.arrived()
    since = stage.now
    for socket in stage.sockets():
        socket.fin()
    if await stage.recovered(since) is None:
        return
    stage.step("the hostile frames")
    for socket in stage.sockets():
        stage.rule("hostile", socket.id, "frames that no healthy broker sends")
        for text in frames:
            socket.send_text(text)
    await _probe(stage)


async def _probe(stage: Stage) -> None:
    """The next heartbeat on time, a pong, and recovery from a scripted close."""
    since = stage.now
    for socket in stage.sockets():
        socket.send_ping()
    gap = stage.limits["heartbeat_gap_page"] * (1 + stage.limits["heartbeat_gap_tolerance"])
    open_ids = {socket.id for socket in stage.sockets()}
    await stage.wait(
        "a heartbeat, or the client to give up",
        lambda talk: all(
            talk.connections[i].loss or any(t > since for t, _ in talk.connections[i].beats) for i in open_ids
        ),
        gap + 1,
    )
    if any(stage.talk.connections[i].loss for i in open_ids):
        await stage.recovered(since)
        return
    stage.last_event()
    await stage.arrived()
    stage.step("the scripted close")
    since = stage.now
    for socket in stage.sockets():
        socket.fin()
    await stage.recovered(since)


@scenario("malformed-json", "Malformed JSON, in twelve ways", exercises=("MSG-010",), lasts=22)
async def malformed_json(stage: Stage) -> None:
    await _hostile(stage, MALFORMED)


@scenario("unknown-frames", "Frame letters that nobody knows, and a second `o`", exercises=("MSG-020",), lasts=22)
async def unknown_frames(stage: Stage) -> None:
    await _hostile(stage, (*UNKNOWN, "o"))
