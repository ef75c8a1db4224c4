"""Steps of the client's wall clock while it waits a penalty out: TP §7.2."""

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.model.conversation import Conversation

from brokercert_scenarios.tradovate_stage2.heartbeats.clocks import BACK, FORWARD
from brokercert_scenarios.tradovate_stage2.stage import Stage

PENALTY = 5  # seconds
STEPPED_AT = 1.0  # seconds into a penalty


@scenario(
    "clock-steps-in-penalty",
    "The client's wall clock goes back by two hours while a sync ticket is waited out, and forward during the next one",
    exercises=("RLP-020",),
    lasts=16,
)
async def clock_steps_in_penalty(stage: Stage) -> None:
    stage.own_clock()
    stage.broker.on("user/syncrequest", nth=1).ticket(p_time=PENALTY)
    stage.broker.on("user/syncrequest", nth=2).ticket(p_time=PENALTY)
    await stage.start()
    for number, step in enumerate((BACK, FORWARD), 1):
        within = stage.limit("window_first_authorize") + PENALTY + stage.limit("ticket_late") + 1

        def drawn(talk: Conversation, number: int = number) -> bool:
            return sum(1 for c in talk.synced for q in c.syncs if q.penalty is not None) >= number

        if not await stage.wait("a sync ticket", drawn, within):
            return
        await stage.hold(STEPPED_AT, "the penalty")
        stage.step_clock(step)

    def answered(talk: Conversation) -> bool:
        return all(any(q.succeeded for q in c.syncs) for c in talk.synced if c.is_open)

    await stage.wait("a sync that is answered", answered, PENALTY + stage.limit("ticket_late") + 1)
    await stage.arrived()
