"""Snapshots larger than a library's default limits, and heartbeats through one: S2 §2, §3; TP §11, row 10.

The size is a setting, `snapshot_bytes`; a smaller one that still exceeds the usual limit of 1 MiB does in virtual time,
unless that is played at full volume.
"""

from typing import Any

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.events.snapshots import SPLIT, WRAPPERS
from brokercert.judge.tradovate.model.conversation import decoded

from brokercert_scenarios.tradovate_stage2.heartbeats.cadence import (
    SMALLER_RATE,
    VIRTUAL_RATE,
    load_without_h,
)
from brokercert_scenarios.tradovate_stage2.lasting import hold_from_last
from brokercert_scenarios.tradovate_stage2.stage import Stage

SIZE = 5 * 1024 * 1024  # bytes: the set's `snapshot_size`; a setting stands before there is a stage to ask
LATER = 2  # sockets after the first, each with a snapshot as large
SMALLER_SIZE = 1_153_434  # bytes, 1.1 MiB: past the usual limit, and quick


@scenario(
    "snapshot-large",
    "The answer to the sync request is a snapshot of 5 MiB, and events follow it without an `h`",
    exercises=("EVT-090", "HBT-030"),
    lasts=32,
    settings={"snapshot_bytes": SIZE},
    small={"snapshot_bytes": SMALLER_SIZE},
)
async def snapshot_large(stage: Stage) -> None:
    await stage.broker.grow_history(_sync_bodies(stage), threaded=stage.real)
    if await stage.log_in() is None:
        return
    stage.broker.heartbeats("off")
    await load_without_h(stage, SMALLER_RATE if stage.full else VIRTUAL_RATE, stage.limit("load_span") + 1)
    stage.broker.heartbeats("auto")
    await hold_from_last(
        stage,
        stage.limit("window_default") + 1,
        "a close that should not come",
        lambda talk: (answer.t for _, answer in talk.caught_up),
    )
    for _ in range(LATER):
        since = await stage.lose()
        if await stage.recovered(since) is None:
            return


def _sync_bodies(stage: Stage) -> list[Any]:
    """What the client's sockets ask for by their sync requests, as far as its shape is known and tells them whole."""
    shape = stage.talk.shape
    found = [decoded(lane.sync) for lane in shape.lanes if lane.sync] if shape is not None else []
    return [body for body in found if isinstance(body, dict)]


@scenario(
    "snapshot-split",
    "The snapshot comes in three answers to one sync request, in the form that the client declares to read",
    exercises=("EVT-095",),
    needs=("wire", "snapshot"),
    lasts=8,
    settings={"split_parts": 3, "snapshot_orders": 12},
    readings={("split-snapshot", WRAPPERS): {"split_form": "wrappers"}},
)
async def snapshot_split(stage: Stage) -> None:
    stage.broker.quiet(True)  # a plain event would mend what a client had not put together
    if await stage.log_in() is not None:
        await stage.compare(SPLIT)
