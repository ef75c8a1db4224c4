"""Every value that the schema lists for a field (TP §8), told once, whether an exchange would come to it or not.

The law: what is told fits together, so that a client may go by orders, by commands or by reports. What no document
explains is left out: what becomes of a fill that is called back, and which accounts a client need not keep.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from brokercert_mock.tradovate.exchange.commands import NewOrder
from brokercert_mock.tradovate.exchange.ledger import COMMANDS_THAT_COUNT
from brokercert_mock.tradovate.exchange.market import Exchange
from brokercert_mock.tradovate.state import TRADE_DATE, Entity

ORDER_TYPES = "LimitIfTouched MIT Market QTS Stop StopLimit TrailingStop TrailingStopLimit Limit".split()
TIMES_IN_FORCE = "Day FOK GTC GTD IOC".split()
ACCOUNT_TYPES = "Customer Employee Giveup House Omnibus Wash".split()
MARGIN_ACCOUNT_TYPES = ("Speculator", "Hedger")
UNDER_WAY = "PendingExecution ExecutionStopped Replaced OnHold ExecutionSuspended AtExecution".split()  # of a command
STATUS_AFTER = {  # by the kind of an execution report
    "PendingNew": "PendingNew",
    "New": "Working",
    "OrderStatus": "Working",
    "Suspended": "Suspended",
    "PendingReplace": "PendingReplace",
    "Replaced": "Working",
    "PendingCancel": "PendingCancel",
    "Stopped": "Working",
}
ENDS = {"DoneForDay": "Expired", "Completed": "Completed"}
REJECT_REASONS = (
    "AccountClosed AdvancedTrailingStopUnsupported AnotherCommandPending BackMonthProhibited"
    " ExecutionProviderNotConfigured ExecutionProviderUnavailable InvalidContract InvalidPrice"
    " KeyInformationDocumentRequired LiquidationOnly LiquidationOnlyBeforeExpiration MaxOrderQtyIsNotSpecified"
    " MaxOrderQtyLimitReached MaxPosLimitMisconfigured MaxPosLimitReached MaxTotalPosLimitReached"
    " MultipleAccountPlanRequired NoQuote NotEnoughLiquidity OtherExecutionRelated ParentRejected RiskCheckTimeout"
    " SSFRiskDisclosureAcknowledgmentRequired SessionClosed TooLate TradingLocked TrailingStopNonOrderQtyModify"
    " Unauthorized UnknownReason Unsupported"
).split()
ADMIN_ACTIONS = (
    "DisableAutoLiq LiquidateImmediately LiquidateOnlyModeImmediately LockTradingImmediately PlaceAutoLiqOnHold Normal"
).split()
TEXT = "zażółć 🚦"
MORE_OF_AN_ACCOUNT = {
    "evaluationSize": Decimal("50000.5"),
    "readonly": False,
    "ccEmail": TEXT,
    "futuresDisabled": False,
    "swapEnabled": True,
    "ssfRiskDisclosureAcknowledgment": False,
    "spotMarginEnabled": False,
}


def parade(exchange: Exchange) -> None:
    """Each of them, in entities that have every optional field, or none. The exchange is paused at its end."""
    account, *_ = exchange.state.accounts
    _refusals(exchange, account)
    _commands(exchange, account)
    _reports(exchange, account)
    _accounts(exchange)
    _risk(exchange, account)
    exchange.pause()
    _versions(exchange, account)


def _refusals(exchange: Exchange, account: int) -> None:
    for reason in REJECT_REASONS:
        exchange.reject_next(reason, TEXT)
        exchange.place(account, "ESH6", "Buy", 1, price=4900.25)


def _commands(exchange: Exchange, account: int) -> None:
    """An order for each status at which a modification counts: its second one comes to rest there, and the one before
    came through. No other status that counts is told on the way, so that this one makes the version.
    """
    on_the_way = [status for status in UNDER_WAY if status not in COMMANDS_THAT_COUNT]
    for number, last in enumerate(COMMANDS_THAT_COUNT):
        order = exchange.place(account, "ESH6", "Buy", 1, price=4901.5 + number)
        _modified(exchange, order, 7, 4902.25 + number, UNDER_WAY)
        _modified(exchange, order, 9, 4902.75 + number, [*on_the_way, last])


def _modified(exchange: Exchange, order: int, qty: int, price: float, statuses: Sequence[str]) -> None:
    exchange.pause()
    command = exchange.modify(order, orderQty=qty, price=price)
    for status in statuses:
        exchange.tell_of(command, status)
    exchange.drop(order)
    exchange.declare(order, "Working")
    exchange.paused = False


def _reports(exchange: Exchange, account: int) -> None:
    """Execution reports of every kind, each with the status of its order that goes with it."""
    first, *others = (exchange.place(account, "ESH6", "Buy", 1, price=4903 + number) for number in range(1 + len(ENDS)))
    told = [(first, kind, status) for kind, status in STATUS_AFTER.items()]
    told += [(order, *end) for order, end in zip(others, ENDS.items(), strict=True)]
    for order, kind, status in told:
        _report(exchange, order, kind, {"ordStatus": status})
        exchange.declare(order, status)
    more = {"execRefId": "1", "text": TEXT, "exchangeOrderId": "X1", "tradeDate": TRADE_DATE, "cumQty": 0}
    _report(exchange, first, "OrderStatus", more)


def _report(exchange: Exchange, order_id: int, kind: str, more: Entity) -> None:
    order, state = exchange.order(order_id), exchange.state
    report: Entity = {name: order[name] for name in ("accountId", "contractId", "action")}
    report |= {"id": state.new_id(), "commandId": order_id, "orderId": order_id, "name": kind, "execType": kind}
    exchange.publish([state.change("executionReport", report | {"timestamp": exchange.stamp()} | more)])


def _versions(exchange: Exchange, account: int) -> None:
    """Orders of every type, with every time in force."""
    contract = exchange.contract_of("ESH6")
    assert contract is not None
    for number, (kind, how_long) in enumerate(zip_longest(ORDER_TYPES, TIMES_IN_FORCE)):
        version: dict[str, Any] = {"orderQty": 1 + number, "orderType": kind}
        if how_long is not None:
            version |= {"timeInForce": how_long, "price": Decimal("4899.75"), "stopPrice": Decimal(5010)}
            version |= {"limitIfTouchedPrice": Decimal(4898), "pegDifference": Decimal("-0.5"), "maxShow": 1}
            version |= {"expireTime": "2100-01-01T00:00Z", "text": TEXT}
        exchange.new_orders(NewOrder(account, contract["id"], "Buy", version))


def _accounts(exchange: Exchange) -> None:
    """Accounts of every kind: by the newer schema, and by the older one, which has `active` (TP §8)."""
    first = exchange.state.of("account")[0]
    forms = [
        {name: value for name, value in first.items() if name not in ("restricted", "closed")},
        {name: value for name, value in first.items() if name != "active"} | MORE_OF_AN_ACCOUNT,
    ]
    for number, (kind, margin) in enumerate(zip_longest(ACCOUNT_TYPES, MARGIN_ACCOUNT_TYPES, fillvalue="Hedger")):
        ident = exchange.state.new_id()
        more = {"id": ident, "name": f"{TEXT}{ident}", "accountType": kind, "marginAccountType": margin}
        exchange.publish([exchange.state.change("account", forms[number % 2] | more)])


def _risk(exchange: Exchange, account: int) -> None:
    """What an administrator may have done to an account, and it is as it was."""
    status = exchange.state.entities["accountRiskStatus"][account]
    for action in ADMIN_ACTIONS:
        more = {"adminAction": action, "adminTimestamp": exchange.stamp(), "userTriggeredLiqOnly": action != "Normal"}
        exchange.publish([exchange.state.change("accountRiskStatus", status | more)])
    exchange.publish([exchange.state.change("accountRiskStatus", {"id": account})])  # all else is optional
