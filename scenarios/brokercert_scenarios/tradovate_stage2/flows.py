"""What happens to a user's orders, positions and accounts, for the scenarios that compare states: no scenario itself.

Each flow reaches every compared field: prices that no float of 32 bits holds, quantities and prices that a modification
changed, fills at other prices than their order's, two contracts and two accounts. Where a number tells the later of two
(an order's commands, a command's reports), the later one has a digit more: as texts they stand the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from brokercert_mock import TradovateBroker
from brokercert_mock.tradovate.exchange.parade import parade
from brokercert_mock.tradovate.state import Change

REPORTED = 2  # numbers that a modification takes up to its first report: the command's, and that report's


def order_flow(broker: TradovateBroker) -> None:
    """Place, modify, partial fill, fill, cancel, reject; a modification that is refused; orders left alive."""
    exchange = broker.exchange
    first, second = broker.credentials.accounts[:2]
    order = exchange.place(first, "ESH6", "Buy", 3, price=5000.25)
    broker.db.number_over()
    exchange.modify(order, orderQty=4, price=5001.5)
    exchange.fill(order, 1, 5001.25)
    exchange.fill(order, price=5000.75)
    part = exchange.place(second, "NQH6", "Sell", 5, price=17500.25)
    exchange.fill(part, 1, 17501.75)
    exchange.fill(part, 1)
    broker.db.number_over(REPORTED)
    exchange.modify(part, orderQty=4, price=17499.5)
    exchange.reject_next("TooLate", "Too late", verb="Modify")
    exchange.modify(part, orderQty=9, price=17000)
    exchange.cancel(exchange.place(first, "NQH6", "Buy", 2, "Stop", stop_price=17600.5))
    exchange.reject_next("MaxPosLimitReached", "Position is limited to 5")
    exchange.place(second, "ESH6", "Buy", 50, price=4999)
    exchange.place(second, "ESH6", "Sell", 2, "Stop", stop_price=4900.25)


class Before(NamedTuple):
    """Orders that work before a client goes away, by what becomes of them then."""

    filled: int
    cancelled: int
    deleted: int
    gone: int  # filled, and then deleted with its fill
    traded: int  # filled before, and deleted with its fill then


def away_flow(broker: TradovateBroker, before: Before) -> None:
    """Everything that may happen while a client is away, to what it knew (`before`, of `orders_before`) and to what it
    never saw: fills, a cancel, deletes (of fills too), rejects, new orders, a position turned round and one closed and
    deleted, cash paid in, an account closed.
    """
    exchange = broker.exchange
    first, second, *_, last = broker.credentials.accounts
    filled, cancelled, deleted, gone, traded = before
    broker.db.number_over()
    exchange.modify(filled, orderQty=5, price=5002.25)
    exchange.fill(filled, 2, 5001.75)
    exchange.fill(filled)
    exchange.cancel(cancelled)
    exchange.cancel(deleted)
    exchange.delete("order", deleted)
    exchange.reject(exchange.place(second, "ESH6", "Buy", 1, price=4990.5), "NoQuote", "No market")
    exchange.reject_next()
    exchange.place(second, "ESH6", "Sell", 3, price=5100)
    turned = exchange.place(first, "ESH6", "Sell", 9, price=4999.75)  # from long to short
    exchange.fill(turned)
    part = exchange.place(second, "NQH6", "Buy", 4, price=17450.25)
    exchange.fill(part, 3, 17449.5)
    exchange.modify(part, orderQty=6, price=17451)
    exchange.place(first, "NQH6", "Buy", 1, price=17000.5)
    exchange.fill(gone, price=5009.75)
    for order in (gone, traded):
        _delete_traded(broker, order)
    _close_position(broker, second, "ESH6")
    exchange.pay(first, Decimal("-250.75"))
    _close_account(broker, last)


def orders_before(broker: TradovateBroker) -> Before:
    """Orders that work, one of them filled in part, and positions: what `away_flow` goes on with."""
    exchange = broker.exchange
    first, second = broker.credentials.accounts[:2]
    filled = exchange.place(first, "ESH6", "Buy", 4, price=5000.25)
    exchange.fill(filled, 1, 5000)
    traded = exchange.place(second, "ESH6", "Buy", 2, price=5000.5)
    exchange.fill(traded)
    return Before(
        filled,
        exchange.place(second, "ESH6", "Sell", 2, price=5010.5),
        exchange.place(first, "NQH6", "Sell", 1, price=17600),
        exchange.place(second, "ESH6", "Sell", 2, price=5009.5),
        traded,
    )


def night_flow(broker: TradovateBroker) -> None:
    """A night that a client is away for: the day's orders expire, every position is closed, and what was the day's is
    gone. No order, fill or position is left.
    """
    exchange, db = broker.exchange, broker.db
    exchange.end_day()
    for position in db.of("position"):
        symbol = db.entities["contract"][position["contractId"]]["name"]
        _close_position(broker, position["accountId"], symbol)
    for order in db.of("order"):
        if not exchange.is_over(order["id"]):
            exchange.cancel(order["id"])  # good till cancelled
        _delete_traded(broker, order["id"])


def _delete_traded(broker: TradovateBroker, order: int) -> None:
    """An order that is over, with its fills."""
    for fill in broker.db.of_order("fill", order):
        broker.exchange.delete("fill", fill["id"])
    broker.exchange.delete("order", order)


def _close_position(broker: TradovateBroker, account: int, symbol: str) -> None:
    """What is held is sold or bought back, and the position is deleted."""
    broker.exchange.delete("position", _flatten(broker, account, symbol))


def _flatten(broker: TradovateBroker, account: int, symbol: str) -> int:
    """What is held is sold or bought back. The id of the position, which is flat then."""
    exchange = broker.exchange
    contract = exchange.contract_of(symbol)
    assert contract is not None
    net = exchange.books.net(account, contract["id"])
    if net:
        exchange.fill(exchange.place(account, symbol, "Sell" if net > 0 else "Buy", abs(net), price=5000))
    position = exchange.books.position(account, contract["id"])
    assert position is not None
    return int(position["id"])


def _close_account(broker: TradovateBroker, account: int) -> None:
    """An account that has never traded, with its orders."""
    exchange = broker.exchange
    for order in broker.db.of("order"):
        if order["accountId"] == account:
            if not exchange.is_over(order["id"]):
                exchange.cancel(order["id"])
            exchange.delete("order", order["id"])
    exchange.delete("account", account)


def closing_flow(broker: TradovateBroker) -> None:
    """Deletions: finished orders, a position that is flat, and an account with all that belongs to it.

    Nothing that has fills is deleted: whether these go with it is nowhere said.
    """
    exchange = broker.exchange
    first, *_, last = broker.credentials.accounts
    flat = exchange.place(first, "NQH6", "Buy", 2, price=17500)
    exchange.fill(flat)
    exchange.fill(exchange.place(first, "NQH6", "Sell", 2, price=17500.25))
    _close_position(broker, first, "NQH6")
    _close_account(broker, last)


def clearing_flow(broker: TradovateBroker) -> None:
    """Deletions of many at once, each type's in an array: finished orders without fills, and two flat positions."""
    exchange, db = broker.exchange, broker.db
    second = broker.credentials.accounts[1]
    flat = [_flatten(broker, second, symbol) for symbol in ("ESH6", "NQH6")]
    spent = [x["id"] for x in db.of("order") if exchange.is_over(x["id"]) and not db.of_order("fill", x["id"])]
    with broker.batch(arrays=True):
        for order in spent:
            exchange.delete("order", order)
        for position in flat:
            exchange.delete("position", position)


def range_flow(broker: TradovateBroker) -> None:
    """What the schema allows and no other flow has (TP §8): prices below zero and of zero, fields left out, each status
    of an order, and every value that is listed. The exchange is paused at its end, with commands under way.
    """
    exchange = broker.exchange
    first, second, *_, last = broker.credentials.accounts
    spread = "NQM6-NQH6"
    exchange.list_contract(spread, like="NQH6", price=-12.5)
    exchange.fill(exchange.place(first, spread, "Buy", 3, price=-12.75), price=-13)
    exchange.place(second, spread, "Sell", 2, price=0)
    exchange.place_spread(first, "Buy", 1, price=-0.25)
    exchange.fill(exchange.place(last, "ESH6", "Sell", 2, "Market"), price=5000.25)  # short, in an account below zero
    exchange.fill(exchange.place(second, "NQH6", "Buy", 100_000, price=17500.25), 1)
    for action in ("Buy", "Sell"):
        exchange.fill(exchange.place(last, "NQH6", action, 1, price=17500))  # and flat again
    parent = exchange.place(first, "ESH6", "Buy", 1, price=4995.5)
    exchange.place(first, "ESH6", "Sell", 1, price=5005.5, parent=parent)
    exchange.expire(exchange.place(second, "ESH6", "Buy", 1, price=4994.25))
    for status in ("Completed", "Unknown"):
        exchange.declare(exchange.place(second, "ESH6", "Sell", 1, price=5004.25), status)
    changed, ended = (exchange.place(first, "NQH6", "Buy", 1, price=17400 + number) for number in range(2))
    parade(exchange)
    exchange.pay(second, Decimal("1000.25"))
    exchange.place(first, "NQH6", "Buy", 1, price=17402)
    exchange.modify(changed, orderQty=2, price=17403.5)
    exchange.cancel(ended)


def gathered(frames: Iterable[Iterable[Change]]) -> list[Change]:
    """What these frames come to, told at once: each entity once, as it is in the end; types in the order in which they
    came, and of one type new ones first.
    """
    last: dict[tuple[str, int], Change] = {}
    types: dict[str, int] = {}
    for change in (change for frame in frames for change in frame):
        types.setdefault(change.kind, len(types))
        key = change.kind, change.entity["id"]
        known = last.pop(key, None)
        is_new = known is not None and known.event_type == "Created" and change.event_type == "Updated"
        last[key] = change._replace(event_type="Created") if is_new else change
    return sorted(last.values(), key=lambda change: (types[change.kind], change.event_type))
