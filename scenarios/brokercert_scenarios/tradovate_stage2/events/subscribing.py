"""Synchronisation, events and sharding: S2 §3."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.tradovate_stage2.lasting import LOSSES, held_after, hold_from_last
from brokercert_scenarios.tradovate_stage2.login.arriving import answered_late
from brokercert_scenarios.tradovate_stage2.stage import Stage

SHARDS = 3
UNANSWERED = 35.0  # seconds: past the half minute that clients give an answer


@scenario(
    "answer-held",
    "The answer to authorize is held back for four seconds, on the first socket and after each of two losses",
    exercises=("EVT-020",),
    lasts=24,
)
async def answer_held(stage: Stage) -> None:
    await answered_late(stage)
    await stage.wait("a sync request", lambda talk: talk.synced, stage.limit("window_first_sync") + 1)
    await stage.arrived()
    for _ in range(LOSSES):
        if not stage.talk.synced:
            return
        hold = stage.broker.on("authorize").hold()  # a repeat of it is not answered either
        since = await stage.lose()
        await held_after(stage, "authorize", since, "a sync request that should not come yet")
        hold.release()
        await stage.recovered(since)


UNKNOWN = (
    '[{"e":"tomorrow","d":{"x":1}}]',
    '[{"e":"props","d":{"entityType":"orderOfTomorrow","eventType":"Created","entity":{"id":900001,"a":[1,2]}}}]',
    '[{"e":"props","d":{"entityType":"userReadStatus","eventType":"Updated","entity":{"id":1,"newsId":5,"userId":7,'
    '"aFieldOfTomorrow":{"deep":[null,true]}},"andAnother":"x"},"third":3}]',
    '[{"e":"tomorrow"},{"e":"clock","d":"{\\"t\\":\\"2026-01-05T14:30:00.000Z\\",\\"s\\":20}"}]',
)


@scenario(
    "unknown-events",
    "Event kinds, entity types and fields that nobody knows yet",
    exercises=("EVT-110",),
    lasts=28,
)
async def unknown_events(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    for socket in stage.sockets():
        for text in UNKNOWN:
            socket.send_text(f"a{text}")
    since = stage.now
    await stage.hold(stage.limit("window_default") + 1, "a disconnect that should not come")
    await stage.wait(
        "a heartbeat",
        lambda talk: all(any(t > since for t, _ in c.beats) for c in talk.working() if c.is_open),
        stage.heartbeat_gap,
    )


def _shards(number: int) -> dict[str, str]:
    return {"BROKERCERT_SHARDS": str(number)}


async def _sharded(stage: Stage, number: int) -> None:
    if await stage.log_in() is None:
        return
    within = stage.limit("window_default")
    await stage.wait("all shards", lambda talk: len([c for c in talk.synced if c.synced]) >= number, within)
    window = stage.limit("window_default") + 1
    await hold_from_last(stage, window, "what each shard is told", lambda talk: (a.t for _, a in talk.caught_up))


@scenario(
    "shards-2",
    "Two sockets are asked for, to share the work",
    exercises=("EVT-100",),
    needs=("wire", "shards"),
    lasts=26,
    env=_shards(2),
)
async def shards_2(stage: Stage) -> None:
    await _sharded(stage, 2)


@scenario(
    "shards-7",
    "Seven sockets are asked for, to share the work",
    exercises=("EVT-100",),
    needs=("wire", "shards"),
    lasts=28,
    env=_shards(7),
)
async def shards_7(stage: Stage) -> None:
    await _sharded(stage, 7)


@scenario(
    "shards",
    "Three sockets are asked for, to share the work, and to share it again after a loss",
    exercises=("EVT-100", "REC-030"),
    needs=("wire", "shards"),
    lasts=58,
    env=_shards(SHARDS),
)
async def shards(stage: Stage) -> None:
    await _sharded(stage, SHARDS)
    if not stage.talk.synced:
        return
    since = await stage.lose()
    if await stage.recovered(since) is not None:
        await stage.hold(stage.limit("window_first_sync") + 1)


@scenario(
    "types-after-loss",
    "Log in, lose the connection, log in again: what is subscribed to each time",
    exercises=("EVT-040",),
    lasts=9,
)
async def types_after_loss(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    since = await stage.lose()
    await stage.recovered(since)


@scenario(
    "sync-answered-late",
    "The answer to the sync request is held back for longer than a client's usual time-out, between heartbeats",
    exercises=("EVT-010",),
    lasts=60,
)
async def sync_answered_late(stage: Stage) -> None:
    hold = stage.broker.on("user/syncrequest").hold_answer()
    await stage.start()
    if await hold.wait_held(stage.limit("window_first_authorize") + stage.limit("window_first_sync")):
        await stage.hold(UNANSWERED, "a second sync request")
        hold.release()
        await stage.hold(stage.limit("window_single_sync") + 1, "a second sync request")
