"""Requests and their answers: S2 overview, TP §3. The client is asked to send them, as it would its own."""

from __future__ import annotations

from typing import Any

from brokercert.engine.scenario import scenario

from brokercert_scenarios.tradovate_stage2.stage import Stage

NEEDS = ("wire", "request")
ITEM = "order/item"  # a read that asks for one entity, known by its id, and that nobody answers from a cache
MET = 5.0  # seconds in which requests that were asked for have come, or the client sends one after the other


def orders(stage: Stage) -> list[int]:
    """Ids of the seeded orders, all of which can be asked for."""
    return sorted(stage.broker.state()["order"])


@scenario(
    "answers-out-of-order",
    "Answers come in another order than their requests, between events, and all in one frame",
    exercises=("REQ-020",),
    needs=NEEDS,
    lasts=9,
)
async def answers_out_of_order(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    first, second = orders(stage)[:3], orders(stage)[3:6]
    await _answered_backwards(stage, first, in_one_frame=False)
    await _answered_backwards(stage, second, in_one_frame=True)


async def _answered_backwards(stage: Stage, idents: list[int], *, in_one_frame: bool) -> None:
    """The newest rule meets the first request: the holds, as they are made, are the requests from the last on."""
    holds = [stage.broker.on(ITEM, times=1).hold_answer() for _ in idents]
    asked = [await stage.request(ITEM, query=f"id={ident}") for ident in idents]
    await stage.wait("the requests", lambda _: all(hold.held for hold in holds), MET)
    await stage.arrived()

    def release() -> None:
        for hold in holds:
            hold.release()
            stage.broker.market_event()

    if in_one_frame:
        with stage.broker.batch():
            release()
    else:
        release()
    for ticket in asked:
        if await stage.outcome(ticket) is None:
            return


@scenario(
    "request-unanswered",
    "A request is never answered; others are asked for beside it and after it",
    exercises=("REQ-030",),
    needs=NEEDS,
    lasts=38,
)
async def request_unanswered(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    lost, beside, after = orders(stage)[:3]
    stage.broker.on(ITEM, times=1).never_answer()
    unanswered = await stage.request(ITEM, query=f"id={lost}")
    await stage.wait(
        "the request", lambda talk: [q for c in talk.synced for q in c.requests if q.endpoint == ITEM], MET
    )
    await stage.arrived()
    other = await stage.request(ITEM, query=f"id={beside}")
    if await stage.outcome(unanswered) is None or await stage.outcome(other) is None:
        return
    # A client may give the whole connection up: then what is asked for next needs a new one.
    recovery = stage.limits["window_recovery"]
    await stage.wait("a connection", lambda talk: any(c.is_open and c.synced for c in talk.synced), recovery)
    await stage.arrived()
    await stage.outcome(await stage.request(ITEM, query=f"id={after}"))


@scenario(
    "answers-errors",
    "Answers that are errors: 4xx and 5xx with a text, and a 200 with `errorText`; and one that is none",
    exercises=("REQ-040",),
    needs=NEEDS,
    lasts=5,
)
async def answers_errors(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    answers: list[tuple[int, Any]] = [
        (404, "Not found: order"),
        (400, "Bad request"),
        (500, "Internal error"),
        (200, {"errorText": "The order cannot be shown now"}),
    ]
    *refused, good = orders(stage)[: len(answers) + 1]
    for ident, (status, data) in zip(refused, answers, strict=True):
        stage.broker.on(ITEM, times=1).answer_with(status, data)
        if await stage.outcome(await stage.request(ITEM, query=f"id={ident}")) is None:
            return
    await stage.outcome(await stage.request(ITEM, query=f"id={good}"))


@scenario(
    "orders-refused",
    "An order is answered by a 200 with `failureReason`, one by `violations`, and one is taken",
    exercises=("REQ-040",),
    needs=(*NEEDS, "orders"),
    lasts=5,
)
async def orders_refused(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    answers: tuple[Any, ...] = (
        {"failureReason": "MaxPosLimitReached", "failureText": "Position is limited to 5"},
        {"violations": [{"constraint": "max", "value": 1, "description": "orderQty: must be below the limit"}]},
    )
    for step, answer in enumerate(answers):
        stage.broker.on("order/placeorder", times=1).answer_with(200, answer)
        if await stage.outcome(await place(stage, 4500 + step)) is None:
            return
    await stage.outcome(await place(stage, 4510))
    await stage.arrived()


async def place(stage: Stage, price: float) -> int:
    """Have the client place an order far from the market, known by its price. Returns its ticket for `outcome`."""
    order = {
        "accountId": stage.broker.credentials.accounts[0],
        "action": "Buy",
        "symbol": "ESH6",
        "orderQty": 1,
        "orderType": "Limit",
        "price": price,
        "isAutomated": True,
    }
    return await stage.request("order/placeorder", order)
