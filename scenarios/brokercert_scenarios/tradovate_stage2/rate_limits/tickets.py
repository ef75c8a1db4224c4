"""Rate limits and penalty tickets: S2 §4, on the endpoint that every client uses."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.tradovate_stage2.stage import Stage

PENALTY = 3  # seconds: long enough to tell waiting from a retry at once, short enough not to cost a run its time
SECOND_PENALTY = 2
LOST_PENALTY = 6  # seconds: past the way back
FOLLOWS = 1.0  # seconds after a retry: it is answered at once
CAPTCHA_PENALTY = 5  # seconds: the most that the rule allows, so that a wrong retry falls into the window


@scenario(
    "sync-ticket",
    "The sync request is answered by a penalty ticket",
    exercises=("RLP-010", "RLP-020", "RLP-030", "REQ-010"),
    lasts=30,
)
async def sync_ticket(stage: Stage) -> None:
    stage.broker.on("user/syncrequest", nth=1).ticket(p_time=PENALTY)
    await _penalty(stage, PENALTY)
    if stage.talk.synced:
        await stage.hold(stage.limit("window_default"), "ids that should not come twice")


@scenario(
    "sync-ticket-nested",
    "The sync request draws a ticket, and its retry another one",
    exercises=("RLP-010", "RLP-020", "RLP-030"),
    lasts=10,
)
async def sync_ticket_nested(stage: Stage) -> None:
    stage.broker.on("user/syncrequest", nth=1).ticket(p_time=PENALTY)
    stage.broker.on("user/syncrequest", nth=2).ticket(p_time=SECOND_PENALTY)
    await _penalty(stage, PENALTY)
    await stage.wait(
        "the retry of the retry",
        lambda talk: [s for c in talk.synced for s in c.syncs if s.answer and s.answer.ok],
        SECOND_PENALTY + stage.limit("ticket_late") + 1,
    )


@scenario(
    "sync-ticket-long",
    "The sync request draws a ticket of 36 s",
    exercises=("RLP-020", "RLP-080"),
    lasts=44,
)
async def sync_ticket_long(stage: Stage) -> None:
    long = long_penalty(stage)
    stage.broker.on("user/syncrequest", nth=1).ticket(p_time=long)
    await _penalty(stage, long)


def long_penalty(stage: Stage) -> int:
    """Seconds: longer than the gap between heartbeats that the page allows, tolerance included."""
    return round(stage.heartbeat_gap) + 3


async def _penalty(stage: Stage, p_time: float) -> None:
    """From the start of the client to the retry of the first ticketed sync request."""
    await stage.start()
    ticketed = await stage.wait(
        "a sync request",
        lambda talk: next((s for c in talk.synced for s in c.syncs if s.answer and s.answer.ticket), None),
        stage.limit("window_first_authorize") + stage.limit("window_first_sync") + 2,
    )
    if ticketed is None:
        return
    await stage.wait(
        "the retry",
        lambda talk: [s for c in talk.synced for s in c.syncs if s is not ticketed],
        p_time + stage.limit("ticket_late") + 1,
    )
    await stage.hold(FOLLOWS, "what follows the retry")


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
        stage.limit("window_first_authorize") + stage.limit("window_first_sync") + 2,
    )
    if ticketed is not None:
        await stage.hold(stage.limit("window_captcha") + 1, "a retry that should not come")


@scenario(
    "sync-429",
    "The sync request is answered with 429",
    exercises=("RLP-070",),
    lasts=64,
)
async def sync_429(stage: Stage) -> None:
    stage.broker.on("user/syncrequest").status(429)
    await stage.start()
    locked = await stage.wait(
        "a sync request",
        lambda talk: next((s for c in talk.synced for s in c.syncs if s.answer), None),
        stage.limit("window_first_authorize") + stage.limit("window_first_sync") + 2,
    )
    if locked is not None:
        await stage.hold(stage.limit("window_lockout") + 1, "requests that should not come")


FIRST, SECOND = "order/list", "account/list"  # two endpoints that a request may go to at any time


@scenario(
    "ticket-of-another",
    "While one request waits for its penalty's end another is sent; then one waits when the socket dies",
    exercises=("RLP-090",),
    needs=("wire", "request"),
    lasts=44,
)
async def ticket_of_another(stage: Stage) -> None:
    broker = stage.broker
    if await stage.log_in() is None:
        return
    broker.on(FIRST, nth=1).ticket(p_time=PENALTY)
    first = await stage.request(FIRST, {})
    await stage.arrived()
    other = await stage.request(SECOND, {})
    await stage.outcome(other, within=stage.limit("window_request"))
    await stage.outcome(first, within=PENALTY + stage.limit("ticket_late") + 1)
    broker.on(FIRST, nth=3).ticket(p_time=LOST_PENALTY)
    await stage.request(FIRST, {})
    await stage.arrived()
    since = await stage.lose()
    if await stage.recovered(since) is not None:
        await stage.hold(LOST_PENALTY + stage.limit("window_default"), "requests that should come once at most")


@scenario(
    "request-429",
    "A request is answered with 429",
    exercises=("RLP-070",),
    needs=("wire", "request"),
    lasts=66,
)
async def request_429(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.on(FIRST).status(429)
    await stage.request(FIRST, {})
    locked = await stage.wait(
        "the answer to it",
        lambda talk: next((q for c in talk.upgraded for q in c.requests if q.answer and q.answer.status == 429), None),
        2 * stage.limit("window_request"),
    )
    if locked is not None:
        await stage.arrived()
        await stage.request(SECOND, {})  # asked for in the lock-out: it is not to be sent
        await stage.hold(stage.limit("window_lockout") + 1, "requests that should not come")
