"""Snapshots larger than a library's default limits, and heartbeats through one: S2 §2, §3; TP §11, row 10.

The size is a setting, `snapshot_bytes`; a smaller one that still exceeds the usual limit of 1 MiB does in virtual time,
unless that is played at full volume.
"""

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.events.snapshots import SPLIT
from brokercert.judge.tradovate.model.conversation import SECOND

from brokercert_scenarios.tradovate_stage2.heartbeats.cadence import (
    SMALLER_RATE,
    VIRTUAL_RATE,
    load_without_h,
)
from brokercert_scenarios.tradovate_stage2.stage import Stage

SIZE = 5 * 1024 * 1024  # bytes: the set's `snapshot_size`; a setting stands before there is a stage to ask
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
    await stage.broker.grow_history(threaded=stage.real)
    if await stage.log_in() is None:
        return
    stage.broker.heartbeats("off")
    began = stage.now
    await load_without_h(stage, SMALLER_RATE if stage.full else VIRTUAL_RATE, stage.limit("load_span") + 1)
    stage.broker.heartbeats("auto")
    left = stage.limit("window_default") + 1 - (stage.now - began) / SECOND
    await stage.hold(max(0.0, left), "a close that should not come")


@scenario(
    "snapshot-split",
    "The snapshot comes in three answers to one sync request",
    exercises=("EVT-095",),
    needs=("wire", "snapshot"),
    lasts=8,
    settings={"split_parts": 3, "snapshot_orders": 12},
)
async def snapshot_split(stage: Stage) -> None:
    stage.broker.quiet(True)  # a plain event would mend what a client had not put together
    if await stage.log_in() is not None:
        await stage.compare(SPLIT)
