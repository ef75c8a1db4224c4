"""Every legal shape of a frame: S2 §3, TP §1.1, RFC 6455 §5.4. A flow of orders in one message, and the client's state.

The market is quiet: a plain event says an entity once more, and would mend a client that had missed it.
"""

from __future__ import annotations

from brokercert.engine.play.scenario import scenario
from brokercert_mock import Hold

from brokercert_scenarios.tradovate_stage2.flows import order_flow
from brokercert_scenarios.tradovate_stage2.stage import Stage

NEEDS = ("wire", "snapshot")
PART = 99  # bytes of a frame: dozens of frames a message, cut within characters too
ITEM = "order/item"
UNKNOWN = 7  # no entity's id


async def _flow_in_one_frame(stage: Stage, point: str) -> None:
    with stage.broker.batch():
        order_flow(stage.broker)
    await stage.compare(point)


@scenario(
    "frames-in-parts",
    "Messages are compressed where the client offers it, one has white space; after a loss one comes in many frames",
    exercises=("EVT-070",),
    needs=NEEDS,
    lasts=12,
    settings={"deflate": True},
)
async def frames_in_parts(stage: Stage) -> None:
    stage.broker.quiet(True)
    if await stage.log_in() is None:
        return
    await _flow_in_one_frame(stage, "after a frame that may be compressed")
    for socket in stage.sockets():
        socket.in_spaces()
    await _flow_in_one_frame(stage, "after a frame with white space")
    stage.broker.deflate = False
    if await stage.recovered(stage.lose_all()) is None:
        return
    for socket in stage.sockets():
        socket.in_parts(PART)
    await _flow_in_one_frame(stage, "after the frame in parts")


@scenario(
    "answers-beside-events",
    "An answer that is an error, another answer, and a whole flow of events behind them in one frame",
    exercises=("EVT-070",),
    needs=(*NEEDS, "request"),
    lasts=6,
)
async def answers_beside_events(stage: Stage) -> None:
    stage.broker.quiet(True)
    if await stage.log_in() is None:
        return
    holds = [await _held(stage, ident) for ident in (UNKNOWN, *stage.broker.archived_orders[:1])]
    await stage.wait("the requests", lambda _: all(hold.held for hold in holds), stage.limit("window_request"))
    if not holds[0].held:
        return
    await stage.arrived()
    with stage.broker.batch():
        for hold in holds:  # one whose request is yet to come is answered when it comes
            hold.release()
        order_flow(stage.broker)
    await stage.compare("after the frame of both")


async def _held(stage: Stage, ident: int) -> Hold:
    """The answer to a request for that order, which the client is asked to send."""
    hold = stage.broker.on(ITEM, times=1, only={"id": ident}).hold_answer()
    await stage.request(ITEM, query=f"id={ident}")
    return hold
