"""Penalties for requests that the client was asked to send, and what has to wait for their end: S2 §4, TP §7."""

from __future__ import annotations

from collections.abc import Callable

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.model.conversation import LOCKED_OUT, Answer, Conversation, Request

from brokercert_scenarios.tradovate_stage2.lasting import lost_twice
from brokercert_scenarios.tradovate_stage2.rate_limits.tickets import (
    CAPTCHA_PENALTY,
    FOLLOWS,
    NO_TIME,
    PENALTY,
    SECOND,
    all_sent_again,
    long_penalty,
)
from brokercert_scenarios.tradovate_stage2.requests.answers import (
    ITEM,
    NEEDS,
    ORDER_PRICE,
    on_item,
    on_order,
    orders,
    place,
    sent_of,
)
from brokercert_scenarios.tradovate_stage2.stage import Stage

QUEUE_PENALTY = 6  # seconds: a slow reader of commands has read two hundred in it
QUEUED = 260  # requests, the one that draws the ticket included: more than an id of one byte can number
LATE = 4  # of them: they are answered late, so that whoever empties the queue a second time has not heard of the first
LATE_BY = 1.0  # seconds
FEW = 60  # requests on a later socket
VERSION = "orderVersion/item"  # another read of the same kind
# Mixed, so that no order of them is the order of asking: not as numbers, not as texts, nor where 0 is taken for none.
PRIORITIES = (5, 1, 10, 5, 0, 9, 10, 0, 5, 1)
STRIDE = (
    97  # from one order asked for to the next: so that what is asked first has neither the lowest id nor the highest
)
IN_BODY = 3  # one request of so many names its order in its body (TP §1.2): of one priority, bodies differ


async def _drawn(stage: Stage, command: int) -> Request | None:
    """The request of that command that was answered by a ticket."""

    def look(_: Conversation) -> Request | None:
        return next((q for q in sent_of(stage, command) if q.penalty is not None), None)

    found = await stage.wait("the request", look, stage.limit("window_request"))
    if found is not None:
        await stage.arrived()
    return found


@scenario(
    "queue-in-penalty",
    "Requests of mixed priority to one endpoint, during its penalty: 260 on the first socket, 60 after two losses",
    exercises=("RLP-050", "RLP-060", "REQ-010"),
    needs=NEEDS,
    # A request that comes too early is answered: hundreds of new tickets would be another scenario.
    settings={"archived_orders": QUEUED + FEW, "early_retry": "answer"},
    lasts=40,
)
async def queue_in_penalty(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    known = orders(stage)
    many, few = _mixed(known[:QUEUED]), _mixed(known[QUEUED : QUEUED + FEW])
    if not await _queue(stage, many):
        return
    await stage.hold(stage.limit("window_default") - QUEUE_PENALTY, "ids that should not come twice")
    if await lost_twice(stage):
        await _queue(stage, few)
        await stage.arrived()


def _mixed(idents: list[int]) -> list[int]:
    """All of these, in an order in which nobody would sort them."""
    return [idents[n * STRIDE % len(idents)] for n in range(len(idents))]


async def _queue(stage: Stage, idents: list[int]) -> bool:
    """The first of these reads draws a ticket, and the others are asked for in its penalty. False: it drew none."""
    first, *others = idents
    on_item(stage, first).ticket(p_time=QUEUE_PENALTY)
    asked = [await stage.request(ITEM, query=f"id={first}")]
    if await _drawn(stage, asked[0]) is None:
        return False
    for ident in others[:LATE]:
        on_item(stage, ident, times=None).answer_after(LATE_BY)
    for n, ident in enumerate(others):
        body, query = ({"id": ident}, "") if n % IN_BODY == 0 else (None, f"id={ident}")
        asked.append(await stage.request(ITEM, body, query=query, priority=PRIORITIES[n % len(PRIORITIES)]))
    told = [stage.talk.told.commands[ticket] for ticket in asked]
    await stage.wait(
        "the outcomes of all",
        lambda _: all(one.outcome for one in told),
        QUEUE_PENALTY + stage.limit("request_end") + 1,
    )
    return True


async def _wait_out(stage: Stage, command: int, p_time: float) -> None:
    """From the drawing of a ticket to the retry of its request, and to its outcome."""
    drawn = await _drawn(stage, command)
    if drawn is None:
        return
    again = all_sent_again(stage, lambda talk: [drawn])
    await stage.wait("the retry", again, p_time + stage.limit("ticket_late") + 1)
    await stage.outcome(command, stage.limit("window_request"))
    await stage.hold(FOLLOWS, "what follows the retry")


@scenario(
    "request-ticket",
    "A request that the client was asked for draws a penalty ticket, and another one of 0 s; after two losses too",
    exercises=("RLP-010", "RLP-020", "RLP-030"),
    needs=NEEDS,
    lasts=24,
)
async def request_ticket(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    await _one_ticket(stage, 0, PENALTY)
    await _one_ticket(stage, 1, NO_TIME)
    if await lost_twice(stage):
        await _one_ticket(stage, 2, PENALTY)
        await _one_ticket(stage, 3, NO_TIME)


async def _one_ticket(stage: Stage, place: int, p_time: float) -> None:
    """A request for the order at that place draws a ticket."""
    ident = orders(stage)[place]
    on_item(stage, ident).ticket(p_time=p_time)
    await _wait_out(stage, await stage.request(ITEM, query=f"id={ident}"), p_time)


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
    on_order(stage, ORDER_PRICE).ticket(p_time=PENALTY)
    await _wait_out(stage, await place(stage), PENALTY)


@scenario(
    "request-ticket-long",
    "After two losses, a request draws a ticket of 75 s; heartbeats and events go on",
    exercises=("RLP-020", "RLP-080"),
    needs=NEEDS,
    lasts=87,
)
async def request_ticket_long(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    if not await lost_twice(stage):
        await stage.start_again()
        if await stage.synced() is None:
            return
    await _one_ticket(stage, 0, long_penalty(stage))


@scenario(
    "request-captcha",
    "A request draws a ticket, and its retry one that only a person can use; another request draws such a one at once",
    exercises=("RLP-040",),
    needs=NEEDS,
    lasts=51,
)
async def request_captcha(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    ident, other = orders(stage)[:2]
    on_item(stage, ident, times=None).ticket(p_time=CAPTCHA_PENALTY, captcha=True)
    await _retried(stage, ident, lambda answer: answer.captcha)
    # Of another endpoint: a client may leave the first alone now.
    stage.broker.on(VERSION, times=None, only={"id": other}).ticket(p_time=CAPTCHA_PENALTY, captcha=True)
    await _drawn(stage, await stage.request(VERSION, query=f"id={other}"))
    await stage.hold(stage.limit("window_captcha") + 1, "a retry that should not come")


async def _retried(stage: Stage, ident: int, fits: Callable[[Answer], bool], late: float = 0.0) -> bool:
    """The request for that order draws a ticket first, and then an answer that fits, by a rule that was laid before,
    so many seconds late. False: that answer was not seen.
    """
    on_item(stage, ident).ticket(p_time=PENALTY)
    command = await stage.request(ITEM, query=f"id={ident}")
    if await _drawn(stage, command) is None:
        return False

    def answered(_: Conversation) -> bool:
        return any(q.answer is not None and fits(q.answer) for q in sent_of(stage, command))

    within = PENALTY + stage.limit("ticket_late") + late + 1
    if not await stage.wait("the answer to its retry", answered, within):
        return False
    await stage.arrived()
    return True


@scenario(
    "retry-429",
    "A request draws a ticket, and its retry is answered with 429, four seconds late",
    exercises=("RLP-070",),
    needs=NEEDS,
    lasts=80,
)
async def retry_429(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    ident, other = orders(stage)[:2]
    on_item(stage, ident).status(LOCKED_OUT)
    late = stage.limit("withhold") + 1  # so that what a client sends with the retry is no answer to it
    on_item(stage, ident).answer_after(late)
    if not await _retried(stage, ident, lambda answer: answer.status == LOCKED_OUT, late):
        return
    # Asked for in the lock-out: they are not to be sent, not to an endpoint either whose penalty is over.
    await stage.request(SECOND, {})
    await stage.request(ITEM, query=f"id={other}")
    await stage.hold(stage.limit("window_lockout") + 1, "requests that should not come")
