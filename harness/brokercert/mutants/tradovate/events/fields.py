"""Defects of reading what an entity says: a field that is taken from the wrong place, or told for another's."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.state import IN_FORCE

Entity = dict[str, Any]
# Beside EVT-050. What a flow shows, every comparison after one does; what fills alone show, the one after any loss too;
# the rest is seen in a snapshot alone as well.
FLOWS = "EVT-060 EVT-070 EVT-080 EVT-120 REC-040"
FILLS = f"{FLOWS} REC-115"
COMPARING = f"{FILLS} EVT-095 REC-090"


class Telling(ReferenceClient):
    """Tells its state after `retell` had its way with each kind of it."""

    def state(self) -> dict[str, list[Entity]]:
        told = super().state()
        self.retell(told)
        return told

    def retell(self, told: dict[str, list[Entity]]) -> None:
        raise NotImplementedError

    def held(self, kind: str) -> dict[int, Entity]:
        """The whole entities of a kind, by id."""
        return {ident: one for store in self.stores for ident, one in store.entities.get(kind, {}).items()}


@mutant(
    "has-one-account",
    "EVT-050",
    also=COMPARING,
    fields="order.accountId position.accountId cashBalance.accountId",
    reason="orders, positions and balances belong to more than one account",
)
class HasOneAccount(Telling):
    """Takes its first account for that of everything."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        first = min(self.held("account"), default=0)
        for kind in ("order", "position", "cashBalance"):
            for one in told[kind]:
                one["accountId"] = first


@mutant(
    "takes-userid-for-accountid",
    "EVT-050",
    also=COMPARING,
    fields="order.accountId position.accountId cashBalance.accountId",
    reason="an account's number is not its user's",
)
class TakesUserForAccount(Telling):
    """Takes its user's id for that of the account."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        accounts = self.held("account")
        for kind in ("order", "position", "cashBalance"):
            for one in told[kind]:
                one["accountId"] = accounts.get(one["accountId"], {}).get("userId", 0)


@mutant(
    "has-one-contract",
    "EVT-050",
    also=COMPARING,
    fields="order.contractId position.contractId",
    reason="orders and positions are in more than one contract",
)
class HasOneContract(Telling):
    """Takes the first contract for that of everything."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        first = min(self.held("contract"), default=0)
        for one in (*told["order"], *told["position"]):
            one["contractId"] = first


@mutant(
    "buys-only", "EVT-050", also=COMPARING, fields="order.action", reason="an order that sells is told as one that buys"
)
class BuysOnly(Telling):
    """Takes every order for a purchase."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        for order in told["order"]:
            order["action"] = "Buy"


class _Versions(Telling):
    """Takes the version of another command for an order's current one."""

    def chosen(self, command: Entity) -> bool:
        raise NotImplementedError

    def retell(self, told: dict[str, list[Entity]]) -> None:
        versions = self.held("orderVersion")
        for order in told["order"]:
            commands = [x for x in self.held("command").values() if x["orderId"] == order["id"] and self.chosen(x)]
            version = versions.get(max((x["id"] for x in commands), default=order["id"]), {})
            order |= {"orderQty": version.get("orderQty"), "price": version.get("price")}


@mutant(
    "keeps-the-first-version",
    "EVT-050",
    also=FLOWS,
    fields="order.orderQty order.price",
    reason="a modification changes an order's quantity and price",
)
class KeepsFirstVersion(_Versions):
    """Tells an order's quantity and price as they were when it was placed."""

    def chosen(self, command: Entity) -> bool:
        return bool(command["commandType"] == "New")


@mutant(
    "believes-refused-modifications",
    "EVT-050",
    also=FLOWS,
    fields="order.orderQty order.price",
    reason="a modification that was refused changes nothing",
)
class BelievesRefused(_Versions):
    """Tells an order's quantity and price as they were asked for last, whatever became of that."""

    def chosen(self, command: Entity) -> bool:
        return command["commandType"] == "New" or (
            command["commandType"] == "Modify" and command["commandStatus"] in {*IN_FORCE, "RiskRejected"}
        )


class _Numbers(Telling):
    reading: Callable[[Any], Any]

    def retell(self, told: dict[str, list[Entity]]) -> None:
        for entities in told.values():
            for one in entities:
                for name in ("price", "netPrice", "amount"):
                    if isinstance(one.get(name), int | float):
                        one[name] = self.reading(one[name])


@mutant(
    "keeps-floats-of-32-bits",
    "EVT-050",
    also=COMPARING,
    fields="cashBalance.amount position.netPrice",
    reason="a balance has more digits than such a float",
)
class SmallFloats(_Numbers):
    """Keeps prices and amounts as floats of 32 bits."""

    def reading(self, value: Any) -> Any:
        return struct.unpack("f", struct.pack("f", value))[0]


@mutant(
    "keeps-whole-points",
    "EVT-050",
    also=COMPARING,
    fields="order.price fill.price position.netPrice cashBalance.amount",
    reason="prices and amounts are decimals",
)
class WholePoints(_Numbers):
    """Keeps prices and amounts as integers."""

    def reading(self, value: Any) -> Any:
        return int(value)


@mutant(
    "files-fills-under-the-newest-order",
    "EVT-050",
    also=COMPARING,
    fields="fill.orderId",
    reason="a fill names the order that it is of",
)
class FilesUnderNewest(Telling):
    """Takes every fill for one of the order that was placed last."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        newest = max(self.held("order"), default=0)
        for fill in told["fill"]:
            fill["orderId"] = newest


@mutant(
    "takes-what-is-filled-for-the-fill",
    "EVT-050",
    also=FILLS,
    fields="fill.qty",
    reason="a fill has its own quantity, which is not that of all the fills of its order",
)
class TakesSumForFill(Telling):
    """Tells of each fill how much of its order was filled by then."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        sums: dict[Any, int] = {}
        for fill in sorted(told["fill"], key=lambda fill: fill["id"]):
            sums[fill["orderId"]] = fill["qty"] = sums.get(fill["orderId"], 0) + fill["qty"]


@mutant(
    "fills-at-the-orders-price",
    "EVT-050",
    also=FLOWS,
    fields="fill.price",
    reason="an order may be filled at a better price than its own",
)
class FillsAtOrdersPrice(Telling):
    """Tells a fill at the price of its order."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        prices = {order["id"]: order.get("price") for order in told["order"]}
        for fill in told["fill"]:
            fill["price"] = prices.get(fill["orderId"]) or fill["price"]


@mutant(
    "keeps-one-fill-an-order",
    "EVT-050",
    also=FILLS,
    fields="fill.presence",
    reason="an order may be filled in parts, and each of them is a fill",
)
class OneFillAnOrder(Telling):
    """Keeps the last fill of each order."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        told["fill"] = list({fill["orderId"]: fill for fill in told["fill"]}.values())


@mutant(
    "keeps-one-balance-a-currency",
    "EVT-050",
    also=COMPARING,
    fields="cashBalance.presence",
    reason="each account has a balance, in the same currency",
)
class OneBalanceACurrency(Telling):
    """Keeps its balances by currency."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        currencies = {ident: balance["currencyId"] for ident, balance in self.held("cashBalance").items()}
        told["cashBalance"] = list({currencies[one["id"]]: one for one in told["cashBalance"]}.values())


@mutant(
    "keeps-one-account",
    "EVT-050",
    also=COMPARING,
    fields="account.presence",
    reason="a user may have more than one account",
)
class OneAccount(Telling):
    """Keeps one account of its user's."""

    def retell(self, told: dict[str, list[Entity]]) -> None:
        told["account"] = told["account"][:1]
