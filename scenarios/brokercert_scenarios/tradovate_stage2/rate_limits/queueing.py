"""Penalties for requests that the client was asked to send, and what has to wait for their end: S2 §4, TP §7."""

from __future__ import annotations

from collections.abc import Callable

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.model.conversation import Conversation, Request

from brokercert_scenarios.tradovate_stage2.rate_limits.tickets import CAPTCHA_PENALTY, FOLLOWS, PENALTY, long_penalty
from brokercert_scenarios.tradovate_stage2.requests.answers import ITEM, NEEDS, orders, place
from brokercert_scenarios.tradovate_stage2.stage import Stage

QUEUE_PENALTY = 6  # seconds: a slow reader of commands has read two hundred in it
QUEUED = 200  # requests, the one that draws the ticket included
PRIORITIES = (5, 1, 9, 5, 5, 1, 9, 1, 5, 9)  # mixed, so that no order of them is the order of asking


async def _drawn(stage: Stage, endpoint: str, what: str, is_it: Callable[[Request], bool]) -> Request | None:
    """The request to `endpoint` that was answered so."""

    def look(talk: Conversation) -> Request | None:
        return next((q for c in talk.synced for q in c.requests if q.endpoint == endpoint and is_it(q)), None)

    found = await stage.wait(what, look, stage.limit("window_request"))
    if found is not None:
        await stage.arrived()
    return found


def _ticketed(request: Request) -> bool:
    return request.answer is not None and bool(request.answer.ticket)


@scenario(
    "queue-in-penalty",
    "Two hundred requests of mixed priority to one endpoint, during its penalty",
    exercises=("RLP-050", "RLP-060"),
    needs=NEEDS,
    # A request that comes too early is answered: two hundred new tickets would be another scenario.
    settings={"snapshot_orders": QUEUED, "early_retry": "answer"},
    lasts=11,
)
async def queue_in_penalty(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    first, *others = orders(stage)[:QUEUED]
    stage.broker.on(ITEM, times=1).ticket(p_time=QUEUE_PENALTY)
    asked = [await stage.request(ITEM, query=f"id={first}")]
    if await _drawn(stage, ITEM, "the request", _ticketed) is None:
        return
    for n, ident in enumerate(others):
        priority = PRIORITIES[n % len(PRIORITIES)]
        asked.append(await stage.request(ITEM, query=f"id={ident}", priority=priority))
    told = [stage.talk.told.commands[ticket] for ticket in asked]
    await stage.wait(
        "the outcomes of all",
        lambda _: all(one.outcome for one in told),
        QUEUE_PENALTY + stage.limit("request_end") + 1,
    )
    await stage.arrived()


async def _wait_out(stage: Stage, endpoint: str, ticket: int, p_time: float) -> None:
    """From the drawing of a ticket to the retry of its request, and to its outcome."""
    drawn = await _drawn(stage, endpoint, "the request", _ticketed)
    if drawn is None:
        return

    def again(talk: Conversation) -> bool:
        requests = (q for c in talk.synced for q in c.requests)
        return any(q.endpoint == endpoint and q.record > drawn.record for q in requests)

    await stage.wait("the retry", again, p_time + stage.limit("ticket_late") + 1)
    await stage.outcome(ticket, stage.limit("window_request"))
    await stage.hold(FOLLOWS, "what follows the retry")


@scenario(
    "request-ticket",
    "A request that the client was asked for is answered by a penalty ticket",
    exercises=("RLP-010", "RLP-020", "RLP-030"),
    needs=NEEDS,
    lasts=9,
)
async def request_ticket(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.on(ITEM, times=1).ticket(p_time=PENALTY)
    ticket = await stage.request(ITEM, query=f"id={orders(stage)[0]}")
    await _wait_out(stage, ITEM, ticket, PENALTY)


@scenario(
    "order-ticket",
    "An order is answered by a penalty ticket",
    exercises=("RLP-010", "RLP-020", "RLP-030"),
    needs=(*NEEDS, "orders"),
    lasts=9,
)
async def order_ticket(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.on("order/placeorder", times=1).ticket(p_time=PENALTY)
    await _wait_out(stage, "order/placeorder", await place(stage, 4500), PENALTY)


@scenario(
    "request-ticket-long",
    "A request draws a ticket of 36 s; heartbeats and events go on",
    exercises=("RLP-020", "RLP-080"),
    needs=NEEDS,
    lasts=42,
)
async def request_ticket_long(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    long = long_penalty(stage)
    stage.broker.on(ITEM, times=1).ticket(p_time=long)
    ticket = await stage.request(ITEM, query=f"id={orders(stage)[0]}")
    await _wait_out(stage, ITEM, ticket, long)


@scenario(
    "request-captcha",
    "A request is answered by a ticket that only a person can use",
    exercises=("RLP-040",),
    needs=NEEDS,
    lasts=36,
)
async def request_captcha(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.on(ITEM).ticket(p_time=CAPTCHA_PENALTY, captcha=True)
    await stage.request(ITEM, query=f"id={orders(stage)[0]}")
    if await _drawn(stage, ITEM, "the request", _ticketed) is not None:
        await stage.hold(stage.limit("window_captcha") + 1, "a retry that should not come")
