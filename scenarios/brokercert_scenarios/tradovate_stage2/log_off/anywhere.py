"""Log-off at every point of a connection's life, each with a start of its own (TP §0)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.model.conversation import Conversation
from websockets.frames import Frame, Opcode

from brokercert_scenarios.tradovate_stage2.stage import Stage

PENALTY = 20.0  # seconds: longer than a log-off may take, so that waiting it out is seen
USERS = 2_000  # in a snapshot of which the half is sent: more than any reader takes at once

Start = Callable[[], Awaitable[None]]
Point = Callable[[Stage, Start], AbstractAsyncContextManager[bool]]  # yields whether the client came to it


def _within(stage: Stage) -> float:
    """Seconds: the longest that a client may take from its start to its sync request."""
    return stage.limit("window_first_authorize") + stage.limit("window_first_sync") + 1


@asynccontextmanager
async def _before_open(stage: Stage, start: Start) -> AsyncIterator[bool]:
    with stage.broker.on_open().never():
        await start()
        yield bool(await stage.wait("an upgrade", lambda talk: talk.upgraded, _within(stage)))


@asynccontextmanager
async def _authorizing(stage: Stage, start: Start) -> AsyncIterator[bool]:
    with stage.broker.on("authorize").never_answer():
        await start()
        yield bool(await stage.wait("authorize", _asked_to_authorize, _within(stage)))


def _asked_to_authorize(talk: Conversation) -> bool:
    return any(c.authorizes for c in talk.upgraded)


@asynccontextmanager
async def _syncing(stage: Stage, start: Start) -> AsyncIterator[bool]:
    with stage.broker.on("user/syncrequest").never_answer():
        await start()
        yield bool(await stage.wait("a sync request", lambda talk: talk.synced, _within(stage)))


@asynccontextmanager
async def _amid_a_snapshot(stage: Stage, start: Start) -> AsyncIterator[bool]:
    frame = Frame(Opcode.TEXT, b'a[{"s":200,"i":1,"d":{"users":[' + b'{"id":1},' * USERS).serialize(mask=False)
    with stage.broker.on("user/syncrequest").instead(lambda c: c.send_raw(frame[: len(frame) // 2])):
        await start()
        yield bool(await stage.wait("a sync request", lambda talk: talk.synced, _within(stage)))


@asynccontextmanager
async def _penalty(stage: Stage, start: Start) -> AsyncIterator[bool]:
    with stage.broker.on("user/syncrequest").ticket(p_time=PENALTY):
        await start()
        yield bool(await stage.wait("a sync request", lambda talk: talk.synced, _within(stage)))


@asynccontextmanager
async def _server_dead(stage: Stage, start: Start) -> AsyncIterator[bool]:
    """The server has just fallen silent: no close frame of its own answers the client's."""
    await start()
    if await stage.synced() is None:
        yield False
        return
    for socket in stage.broker.connections:
        socket.go_silent("dead")
    yield True


@asynccontextmanager
async def _after_losses(stage: Stage, start: Start) -> AsyncIterator[bool]:
    """On its third socket, before its sync is answered: what a client sets up once in its life is there on its first
    only.
    """
    await start()
    if await stage.synced() is None or await stage.recovered(await stage.lose()) is None:
        yield False
        return
    with stage.broker.on("user/syncrequest").never_answer():
        since = await stage.lose()
        yield bool(await stage.wait("a sync request", lambda talk: _synced_since(talk, since), _back(stage)))


def _synced_since(talk: Conversation, since: int) -> bool:
    return any(c.accepted > since for c in talk.synced)


def _back(stage: Stage) -> float:
    """Seconds: the longest that a client may take from a loss to its sync request."""
    return stage.limit("window_recovery") + stage.limit("window_first_sync") + 1


POINTS: tuple[tuple[str, Point], ...] = (
    ("before `o`", _before_open),
    ("before the answer to authorize", _authorizing),
    ("before the answer to the sync request", _syncing),
    ("amid a snapshot", _amid_a_snapshot),
    ("while a penalty runs", _penalty),
    ("with a server that answers nothing", _server_dead),
    ("on its third socket", _after_losses),
)


@scenario(
    "stop-anywhere",
    "Asked to stop before `o`, while it waits for an answer, amid a snapshot, in a penalty, of a dead server, later on",
    exercises=("OFF-010",),
    needs=("wire", "stop"),
    lasts=26,
)
async def stop_anywhere(stage: Stage) -> None:
    start: Start = stage.start
    for name, point in POINTS:
        stage.step(f"asked to stop {name}")
        async with point(stage, start) as reached:
            if reached:
                await stage.arrived()
                await stage.ask_stop()
                await stage.hold(stage.limit("window_stop") + 1, "the client to leave")
        start = stage.start_again
