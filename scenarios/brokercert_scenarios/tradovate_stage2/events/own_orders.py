"""Orders of the client's own: S2 §3, TP §8. Their events come before their answers, or with them in one frame.

The market is quiet: a plain event says an entity once more, and would mend a client that had missed it.
"""

from __future__ import annotations

from typing import Any

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.tradovate_stage2.events.believing import NEEDS, quietly
from brokercert_scenarios.tradovate_stage2.flows import order_flow
from brokercert_scenarios.tradovate_stage2.requests.answers import ORDER_PRICE, PLACE, on_order
from brokercert_scenarios.tradovate_stage2.stage import Stage

MODIFY, CANCEL = "order/modifyorder", "order/cancelorder"
OWN = (*NEEDS, "request", "orders")


async def _asked(stage: Stage, endpoint: str, **body: Any) -> set[int]:
    """Have the client send it; the orders that are new then."""
    before = set(stage.broker.db.entities["order"])
    ticket = await stage.request(endpoint, body | {"isAutomated": True})
    await stage.outcome(ticket, 2 * stage.limit("window_request"))  # to be sent, and to be answered
    return set(stage.broker.db.entities["order"]) - before


def _order(stage: Stage, quantity: int, price: float) -> dict[str, Any]:
    return {
        "accountId": stage.broker.credentials.accounts[0],
        "action": "Buy",
        "symbol": "ESH6",
        "orderType": "Limit",
        "timeInForce": "Day",
        "orderQty": quantity,
        "price": price,
    }


async def _trade(stage: Stage) -> None:
    """Orders that are filled, modified, cancelled and rejected."""
    exchange = stage.broker.exchange
    exchange.auto_fill = "partial then full"
    await _asked(stage, PLACE, **_order(stage, 3, 5000.25))
    exchange.auto_fill = "never"
    for placed in await _asked(stage, PLACE, **_order(stage, 2, 4990.5)):
        stage.broker.db.number_over()  # the command has a number of more digits
        await _asked(stage, MODIFY, orderId=placed, orderQty=4, orderType="Limit", price=4991.25)
    for placed in await _asked(stage, PLACE, **_order(stage, 1, 4980.75)):
        await _asked(stage, CANCEL, orderId=placed)
    exchange.reject_next("MaxPosLimitReached", "Position is limited to 5")
    await _asked(stage, PLACE, **_order(stage, 50, 4999))


@scenario(
    "orders-of-its-own",
    "The client is asked to place, modify and cancel orders; the events of each come before its answer",
    exercises=("EVT-050",),
    needs=OWN,
    lasts=6,
    settings={"order_events": "before answer"},
)
async def orders_of_its_own(stage: Stage) -> None:
    if not await quietly(stage):
        return
    await _trade(stage)
    await stage.compare("after its orders")


@scenario(
    "own-orders-in-one-frame",
    "The client places, modifies and cancels orders; each answer and its events share a frame, one with others' events",
    exercises=("EVT-070",),
    needs=OWN,
    lasts=9,
)
async def own_orders_in_one_frame(stage: Stage) -> None:
    if not await quietly(stage):
        return
    rules = [stage.broker.on(endpoint).in_one_frame() for endpoint in (PLACE, MODIFY, CANCEL)]
    await _trade(stage)
    await stage.compare("after its orders, each in a frame")
    for rule in rules:
        rule.cancel()
    hold = on_order(stage, ORDER_PRICE).hold_answer()
    await stage.request(PLACE, _order(stage, 1, ORDER_PRICE) | {"isAutomated": True})
    if not await hold.wait_held(stage.limit("window_request")):
        return
    await stage.arrived()
    with stage.broker.batch():
        hold.release()
        order_flow(stage.broker)
    await stage.compare("after its answer and a flow in one frame")
