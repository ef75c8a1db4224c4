"""Requests and their answers: S2 overview, TP §3. The client is asked to send them, as it would its own.

The law: it is asked for what no client asks by itself, and a rule is laid over that one request alone. So a client may
read and trade beside it, on whatever socket, and nothing of that is taken for what it was asked for.
"""

from __future__ import annotations

from typing import Any

from brokercert.engine.play.scenario import scenario
from brokercert.judge.told import Asked
from brokercert.judge.tradovate.model.conversation import SECOND, Connection, Conversation, Request
from brokercert.judge.tradovate.model.sends import sends_of
from brokercert_mock import Hold
from brokercert_mock.tradovate.rules import OnRequest

from brokercert_scenarios.tradovate_stage2.lasting import lost_twice
from brokercert_scenarios.tradovate_stage2.stage import Stage

NEEDS = ("wire", "request")
ITEM = "order/item"  # a read that asks for one entity, known by its id, and that nobody answers from a cache
PLACE = "order/placeorder"
PENALTY = 2  # seconds of a ticket whose retry is not answered
IN_FLIGHT = 5  # requests at a loss, and as many later: under ids that begin anew with a socket, some are the same
TELLING = 10.0  # seconds: a client with a shorter time-out may end a new request by it, while an old one's is awaited
BESIDE = 1.0  # seconds before the time-out of what was lost, and after it, for which new requests stand open
ORDER_PRICE = 4487  # far from the market, and no round price
ORDER_QTY = 3


def orders(stage: Stage) -> list[int]:
    """Ids of orders of earlier days: they can be asked for, and no client knows them."""
    return stage.broker.archived_orders


def on_item(stage: Stage, ident: int, times: int | None = 1) -> OnRequest:
    """A rule for the request for that order alone; `times` None: whenever it comes."""
    return stage.broker.on(ITEM, times=times, only={"id": ident})


def on_order(stage: Stage, price: float, times: int | None = 1) -> OnRequest:
    """A rule for the order of that price alone, which `place` has the client send."""
    return stage.broker.on(PLACE, times=times, only={"price": price})


def sent_of(stage: Stage, ticket: int) -> list[Request]:
    """What the client has sent of a command, on whatever socket, in the order in which it came."""
    return sends_of(stage.talk, stage.talk.told.commands[ticket])


@scenario(
    "answers-out-of-order",
    "Answers come in another order than their requests, between events and in one frame; late, where a client asks "
    "one thing at a time",
    exercises=("REQ-020",),
    needs=NEEDS,
    lasts=9,
)
async def answers_out_of_order(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    idents = orders(stage)
    first = await _Held.asked_for(stage, idents[:3])
    await _until_confusing(stage, first, idents[6])  # three, three, and a further one
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
    """Requests whose answers are held back, each by a hold of its own."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.holds: list[Hold] = []
        self.asked: list[Asked] = []

    @classmethod
    async def asked_for(cls, stage: Stage, idents: list[int]) -> _Held:
        held = cls(stage)
        for ident in idents:
            await held.ask(ident)
        return held

    async def ask(self, ident: int) -> None:
        self.holds.append(on_item(self._stage, ident).hold_answer())
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
        for one, request in self._sent():
            hold = self.holds[self.asked.index(one)]
            if hold.held and self._stands(request):
                (late if one.outcomes else waiting).append(hold)
        return late, waiting

    def left(self) -> bool:
        """The client has left a socket with what it had asked there."""
        return not all(self._stands(request) for _, request in self._sent())

    def _sent(self) -> list[tuple[Asked, Request]]:
        """What was asked for and came, with its first request, in the order in which they came."""
        firsts = [(one, sent_of(self._stage, one.id)[:1]) for one in self.asked]
        return sorted(((one, sent[0]) for one, sent in firsts if sent), key=lambda pair: pair[1].record)

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
    on_item(stage, lost).never_answer()
    unanswered = await stage.request(ITEM, query=f"id={lost}")
    await stage.wait("the request", lambda _: sent_of(stage, unanswered), stage.limit("window_request"))
    sockets = len(_working(stage.talk))
    await stage.arrived()
    other = await stage.request(ITEM, query=f"id={beside}")
    if await stage.outcome(unanswered) is None or await stage.outcome(other) is None:
        return
    # A client may give the whole connection up, of its several the one for requests: what is asked for next needs it.
    # It may tell of the request first, and leave then: so its end is awaited before it is looked for.
    await stage.arrived()
    await _goes_on(stage, sockets, after)


async def _goes_on(stage: Stage, sockets: int, ident: int) -> None:
    """What is asked for once the client has its connections again."""
    recovery = stage.limit("window_recovery")
    await stage.wait("its connections", lambda talk: len(_working(talk)) >= sockets, recovery)
    await stage.arrived()
    await stage.outcome(await stage.request(ITEM, query=f"id={ident}"))


@scenario(
    "order-unanswered",
    "An order is never answered, and its connection stands; another request is asked for after it",
    exercises=("REQ-030",),
    needs=(*NEEDS, "orders"),
    lasts=38,
)
async def order_unanswered(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    on_order(stage, ORDER_PRICE, times=None).never_answer()
    sockets = len(_working(stage.talk))
    if await stage.outcome(await place(stage)) is None:
        return
    await stage.arrived()
    await _goes_on(stage, sockets, orders(stage)[0])


@scenario(
    "retry-unanswered",
    "A request draws a penalty ticket, and its retry is never answered; another is asked for beside it",
    exercises=("REQ-030",),
    needs=NEEDS,
    lasts=37,
)
async def retry_unanswered(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    lost, beside = orders(stage)[:2]
    on_item(stage, lost).never_answer()
    on_item(stage, lost).ticket(p_time=PENALTY)  # the newer rule: it is the first that applies
    unanswered = await stage.request(ITEM, query=f"id={lost}")
    within = stage.limit("window_request") + PENALTY + stage.limit("ticket_late")
    if await stage.wait("the retry", lambda _: len(sent_of(stage, unanswered)) > 1, within):
        await stage.arrived()
        other = await stage.request(ITEM, query=f"id={beside}")
        if await stage.outcome(unanswered) is not None:
            await stage.outcome(other)


@scenario(
    "requests-lost-with-their-socket",
    "Requests are in flight at a third loss. On the next socket others stand open when the time-out of these is over",
    exercises=("REQ-030",),
    needs=NEEDS,
    lasts=71,
)
async def requests_lost_with_their_socket(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    alone, *known = orders(stage)[: 1 + 2 * IN_FLIGHT]
    lost, later = known[:IN_FLIGHT], known[IN_FLIGHT:]
    time_out = await _time_out(stage, alone)
    if time_out < TELLING or not await lost_twice(stage):
        return
    for ident in lost:
        on_item(stage, ident).never_answer()
    commands = [await stage.request(ITEM, query=f"id={ident}") for ident in lost]
    await stage.wait("the requests", lambda _: all(sent_of(stage, x) for x in commands), stage.limit("window_request"))
    sent = [request.t for command in commands for request in sent_of(stage, command)]
    await stage.arrived()
    if not sent or await stage.recovered(await stage.lose()) is None:
        return
    left = time_out - BESIDE - (stage.now - min(sent)) / SECOND
    if left > 0:
        await stage.hold(left, "the time-out of what was lost, almost")
        await _open_beside(stage, later)


async def _time_out(stage: Stage, ident: int) -> float:
    """Seconds after which the client ends a request that is not answered; 0: nothing tells."""
    on_item(stage, ident).never_answer()
    command = await stage.request(ITEM, query=f"id={ident}")
    outcome = await stage.outcome(command)
    sent = sent_of(stage, command)
    if outcome is None or outcome.ok or not sent:
        return 0.0
    # It may give the whole connection up, a moment after it told of the request.
    await stage.arrived()
    await stage.wait("its connections", lambda talk: _working(talk), stage.limit("window_recovery"))
    return (outcome.t - sent[-1].t) / SECOND


async def _open_beside(stage: Stage, idents: list[int]) -> None:
    """Requests for these stand open until a while from now, and are answered then."""
    holds = [on_item(stage, ident).hold() for ident in idents]
    commands = [await stage.request(ITEM, query=f"id={ident}") for ident in idents]
    await stage.hold(2 * BESIDE, "the time-out of what was lost")
    for hold in holds:
        hold.release()
    for command in commands:
        await stage.outcome(command)


@scenario(
    "answer-late",
    "The answer to a request comes after the client has told that none came",
    exercises=("REQ-040",),
    needs=NEEDS,
    lasts=34,
)
async def answer_late(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    (late,) = orders(stage)[:1]
    held = on_item(stage, late).hold()
    if await stage.outcome(await stage.request(ITEM, query=f"id={late}")) is None:
        return
    held.release()
    await stage.arrived()


def _working(talk: Conversation) -> list[Connection]:
    """The sockets that can be used: authorized, and synced where they asked for that."""
    return [c for c in talk.authorized if c.is_open and bool(c.synced) == bool(c.syncs)]


@scenario(
    "answers-errors",
    "Answers that are errors: 4xx and 5xx with a text, and a 200 with `errorText`; and two that are none, one of them"
    " with an `errorText` that is empty",
    exercises=("REQ-040",),
    needs=NEEDS,
    lasts=4,
)
async def answers_errors(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    answers: list[tuple[int, Any]] = [
        (404, "Not found: order"),
        (400, "Bad request"),
        (404, '"Not found: order"'),  # once more in quotes, as observed (TP §3)
        (403, "Ten zasób jest niedostępny 🔒"),
        (408, ""),
        (500, "Internal error"),
        (200, {"errorText": "The order cannot be shown now"}),
    ]
    *refused, good, noted, denied = orders(stage)[: len(answers) + 3]
    for ident, (status, data) in zip(refused, answers, strict=True):
        on_item(stage, ident).answer_with(status, data)
        if await stage.outcome(await stage.request(ITEM, query=f"id={ident}")) is None:
            return
    on_item(stage, noted).answer_with(200, {"id": noted, "errorText": ""})
    for ident in (good, noted):
        if await stage.outcome(await stage.request(ITEM, query=f"id={ident}")) is None:
            return
    # Last, since a client may log in once more then, and send nothing meanwhile.
    on_item(stage, denied).answer_with(401, "Access is denied")
    await stage.outcome(await stage.request(ITEM, query=f"id={denied}"))


@scenario(
    "orders-refused",
    "Orders are answered by a 200 with `failureReason`, its text there, empty or left out, and with `violations`. Two"
    " are taken, one of them with the reason `Success`",
    exercises=("REQ-040",),
    needs=(*NEEDS, "orders"),
    lasts=6,
)
async def orders_refused(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    answers: tuple[Any, ...] = (
        {"failureReason": "MaxPosLimitReached", "failureText": "Position is limited to 5"},
        {"failureReason": "UnknownReason", "failureText": ""},
        {"failureReason": "LiquidationOnly"},
        {"violations": [{"constraint": "max", "value": 1, "description": "orderQty: must be below the limit"}]},
        {"failureReason": "Success", "failureText": "", "orderId": orders(stage)[0]},  # a success (TP §3)
    )
    for step, answer in enumerate(answers):
        price = ORDER_PRICE + step
        on_order(stage, price).answer_with(200, answer)
        if await stage.outcome(await place(stage, price)) is None:
            return
    await stage.outcome(await place(stage, ORDER_PRICE + len(answers)))
    await stage.arrived()


def order_at(stage: Stage, price: float, account: int) -> dict[str, Any]:
    """An order far from the market. By its price and quantity it is no order that a client places by itself."""
    return {
        "accountId": stage.broker.credentials.accounts[account],
        "action": "Buy",
        "symbol": "ESH6",
        "orderQty": ORDER_QTY,
        "orderType": "Limit",
        "price": price,
        "isAutomated": True,
    }


async def place(stage: Stage, price: float = ORDER_PRICE, account: int = 0) -> int:
    """Have the client place that order, for one of its accounts. Returns its ticket for `outcome`."""
    return await stage.request(PLACE, order_at(stage, price, account))


async def place_for_all(stage: Stage) -> list[int]:
    """Have the client place it for each account: one of several shards may send those of one account only."""
    return [await place(stage, account=number) for number in range(len(stage.broker.credentials.accounts))]
