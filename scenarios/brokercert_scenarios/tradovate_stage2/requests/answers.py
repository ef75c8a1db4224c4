"""Requests and their answers: S2 overview, TP §3. The client is asked to send them, as it would its own."""

from __future__ import annotations

from typing import Any

from brokercert.engine.play.scenario import scenario
from brokercert.judge.told import Asked
from brokercert.judge.tradovate.model.conversation import Conversation, Request
from brokercert.judge.tradovate.model.sends import Sends
from brokercert_mock import Hold

from brokercert_scenarios.tradovate_stage2.stage import Stage

NEEDS = ("wire", "request")
ITEM = "order/item"  # a read that asks for one entity, known by its id, and that nobody answers from a cache


def orders(stage: Stage) -> list[int]:
    """Ids of the seeded orders, all of which can be asked for."""
    return sorted(stage.broker.state()["order"])


@scenario(
    "answers-out-of-order",
    "Answers come in another order than their requests, between events and in one frame; late, where a client asks "
    "one thing at a time",
    exercises=("REQ-020",),
    needs=NEEDS,
    lasts=9,
    settings={"snapshot_orders": 7},  # one each for three, three, and a further one
)
async def answers_out_of_order(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    idents = orders(stage)
    first = await _Held.asked_for(stage, idents[:3])
    await _until_confusing(stage, first, idents[6])
    late, waiting = first.standing()
    first.release(late)
    if late:
        await stage.arrived()
    first.release([*first.unmet(), *reversed(waiting)])
    if not await first.ended():
        return
    second = await _Held.asked_for(stage, idents[3:6])
    await stage.wait("the requests", lambda _: second.all, stage.limit("window_request"))
    await stage.arrived()
    with stage.broker.batch():
        second.release(second.holds)
    await second.ended()


class _Held:
    """Requests whose answers are held back. The newest rule meets the first request: the holds, as they are made, are
    the requests from the last on.
    """

    def __init__(self, stage: Stage, count: int) -> None:
        self._stage = stage
        self.holds = [stage.broker.on(ITEM, times=1).hold_answer() for _ in range(count)]
        self.asked: list[Asked] = []

    @classmethod
    async def asked_for(cls, stage: Stage, idents: list[int]) -> _Held:
        held = cls(stage, len(idents))
        for ident in idents:
            await held.ask(ident)
        return held

    async def ask(self, ident: int) -> None:
        ticket = await self._stage.request(ITEM, query=f"id={ident}")
        self.asked.append(self._stage.talk.told.commands[ticket])

    @property
    def all(self) -> bool:
        return all(hold.held for hold in self.holds)

    def standing(self) -> tuple[list[Hold], list[Hold]]:
        """Held answers to requests that the client has given up, and to those for whose it waits, as they came; on
        sockets that stand.
        """
        late: list[Hold] = []
        waiting: list[Hold] = []
        for (request, one), hold in zip(self._sent(), reversed(self.holds), strict=False):
            if hold.held and self._stands(request):
                (late if one.outcomes else waiting).append(hold)
        return late, waiting

    def left(self) -> bool:
        """The client has left a socket with what it had asked there."""
        return not all(self._stands(request) for request, _ in self._sent())

    def _sent(self) -> list[tuple[Request, Asked]]:
        sends = Sends(self._stage.talk)
        return sorted(((q, one) for one in self.asked for q in sends.of(one)), key=lambda sent: sent[0].record)

    def _stands(self, request: Request) -> bool:
        return self._stage.talk.connections[request.conn].is_open

    def confusing(self) -> bool:
        """An answer given now could be taken for another request's."""
        late, waiting = self.standing()
        return len(waiting) > 1 or bool(late and waiting)

    def unmet(self) -> list[Hold]:
        return [hold for hold in self.holds if not hold.held and not hold.released]

    def release(self, holds: list[Hold]) -> None:
        """An event behind each."""
        for hold in holds:
            hold.release()
            self._stage.broker.market_event()

    async def ended(self) -> bool:
        for one in self.asked:
            if await self._stage.outcome(one.id) is None:
                return False
        return True


async def _until_confusing(stage: Stage, held: _Held, further: int) -> None:
    """Wait until answers may be taken for one another's: all requests are open; or, where the client asks one thing at
    a time, it has given one up and asks the next (`further`, where it gave up what it had not sent as well).
    """

    def met(_: Conversation) -> bool:
        return held.all or (held.confusing() and bool(held.standing()[0]))

    def over(_: Conversation) -> bool:
        return held.confusing() or held.left() or all(one.outcomes for one in held.asked)

    await stage.wait("the requests", met, stage.limit("window_request"))
    if any(hold.held for hold in held.holds) and not held.confusing():
        await stage.wait("the end of a request that is not answered", over, stage.limit("request_end") + 1)
        if not held.confusing() and all(one.outcomes for one in held.asked):
            await held.ask(further)
            await stage.wait("the next request", lambda _: held.confusing(), stage.limit("window_request"))
    await stage.arrived()


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
        "the request",
        lambda talk: [q for c in talk.synced for q in c.requests if q.endpoint == ITEM],
        stage.limit("window_request"),
    )
    await stage.arrived()
    other = await stage.request(ITEM, query=f"id={beside}")
    if await stage.outcome(unanswered) is None or await stage.outcome(other) is None:
        return
    # A client may give the whole connection up: then what is asked for next needs a new one.
    recovery = stage.limit("window_recovery")
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
