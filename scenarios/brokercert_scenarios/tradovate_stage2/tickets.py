"""Rate limits and penalty tickets: S2 §4, on the endpoint that every client uses."""

from brokercert.engine.scenario import scenario
from brokercert.engine.stage import Stage

PENALTY = 3  # seconds: long enough to tell waiting from a retry at once, short enough not to cost a run its time
CAPTCHA_PENALTY = 5  # seconds: the most that the rule allows, so that a wrong retry falls into the window


@scenario(
    "sync-ticket",
    "The sync request is answered by a penalty ticket",
    exercises=("RLP-010", "RLP-020", "RLP-030"),
    lasts=8,
)
async def sync_ticket(stage: Stage) -> None:
    stage.broker.on("user/syncrequest", nth=1).ticket(p_time=PENALTY)
    await stage.start()
    ticketed = await stage.wait(
        "a sync request",
        lambda talk: next((s for c in talk.synced for s in c.syncs if s.answer and s.answer.ticket), None),
        stage.limits["window_first_authorize"] + stage.limits["window_first_sync"] + 2,
    )
    if ticketed is None:
        return
    await stage.wait(
        "the retry",
        lambda talk: [s for c in talk.synced for s in c.syncs if s is not ticketed],
        PENALTY + stage.limits["ticket_late"] + 1,
    )
    await stage.hold(1, "what follows the retry")


@scenario(
    "sync-captcha",
    "The sync request is answered by a ticket that only a person can use",
    exercises=("RLP-040",),
    lasts=34,
)
async def sync_captcha(stage: Stage) -> None:
    stage.broker.on("user/syncrequest").ticket(p_time=CAPTCHA_PENALTY, captcha=True)
    await stage.start()
    ticketed = await stage.wait(
        "a sync request",
        lambda talk: next((s for c in talk.synced for s in c.syncs if s.answer and s.answer.captcha), None),
        stage.limits["window_first_authorize"] + stage.limits["window_first_sync"] + 2,
    )
    if ticketed is not None:
        await stage.hold(stage.limits["window_captcha"] + 1, "a retry that should not come")
