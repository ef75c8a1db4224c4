"""Steps of the client's wall clock, as a time server makes them: what waits and watches goes by another clock."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.tradovate_stage2.heartbeats.cadence import wait_given_up
from brokercert_scenarios.tradovate_stage2.stage import Stage

FORWARD = 600.0  # seconds: far beyond every watchdog, and far within the life of a token
BACK = -7200.0  # seconds: far beyond every scenario
TAKEN_IN = 3.0  # seconds: a client that looks at the clock has looked at it


@scenario(
    "clock-steps",
    "The client's wall clock goes forward by ten minutes, back by two hours, and back again as the server is silent",
    exercises=("HBT-010", "HBT-050"),
    lasts=98,
)
async def clock_steps(stage: Stage) -> None:
    stage.own_clock()
    if await stage.log_in(syncs=False) is None:
        return
    began = stage.now
    stage.step_clock(FORWARD)
    await stage.hold(TAKEN_IN, "what the client makes of it")
    # A client may take the step for a sleep of its machine, and connect anew: that is no breach of any row here.
    if not stage.sockets() and await stage.recovered(began) is None:
        return
    stage.step_clock(BACK)
    await stage.hold(stage.limit("window_heartbeat") + 1, "heartbeats that should go on")
    await stage.fresh_event()
    ids = {socket.id for socket in stage.sockets()}
    since = stage.lose_all(lambda socket: socket.go_silent("dead"))
    await stage.arrived()  # from here on nothing comes by which a clock that went back would be put right
    stage.step_clock(BACK)
    await wait_given_up(stage, ids, since)
