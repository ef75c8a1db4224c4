"""Defects of taking order updates."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.arrow.mutant import mutant
from brokercert.reference.arrow.client import OrderUpdatesClient
from brokercert.reference.arrow.config import Config
from brokercert.reference.arrow.orders import OrderView, Taken
from brokercert.reference.arrow.subject import ArrowSubject


class _NoFetch(OrderUpdatesClient):
    async def catch_up(self, socket: ClientConnection) -> None:
        pass


class _TableOnly(_NoFetch):
    def on_update(self, update: Mapping[str, Any]) -> None:
        if update["updateType"] != "ORDER_STATUS":
            super().on_update(update)


@mutant(
    "knows-only-the-table",
    "AOU-010 AOU-030",
    also="AOU-060",
    reason="the page's only sample message has a type that its table lacks; nothing else tells of an order that opens",
)
class TableOnly(ArrowSubject):
    """Ignores the type `ORDER_STATUS`, and asks for nothing over REST."""

    client_class = _TableOnly


class _OpenIsOpen(OrderView):
    def put(self, order: Mapping[str, Any], now: float) -> bool:
        known = {"PENDING", "OPEN", "COMPLETE", "CANCELLED", "REJECTED"}
        return super().put({**order, "orderStatus": s if (s := order["orderStatus"]) in known else "OPEN"}, now)


class _OpenIsOpenClient(OrderUpdatesClient):
    view_class = _OpenIsOpen


@mutant("five-statuses", "AOU-010", reason="orders that wait for a trigger, or for the market, have statuses too")
class FiveStatuses(ArrowSubject):
    """Takes every status but five for `OPEN`."""

    client_class = _OpenIsOpenClient


class _LastLeg(OrderView):
    def put(self, order: Mapping[str, Any], now: float) -> bool:
        price = order.get("tradePrice", order["averagePrice"])
        return super().put({**order, "averagePrice": price}, now)


class _LastLegClient(_NoFetch):
    view_class = _LastLeg

    def on_update(self, update: Mapping[str, Any]) -> None:
        if update["updateType"] == "TRADE_UPDATE" or "averagePrice" not in update or not update["filledQuantity"]:
            super().on_update(update)
            return
        known = self.view.orders.get(update["orderId"], {})
        super().on_update({**update, "averagePrice": known.get("averagePrice", update["averagePrice"])})


@mutant("last-leg-is-the-average", "AOU-010", also="AOU-030 AOU-060", reason="an average price is over all legs")
class LastLeg(ArrowSubject):
    """Takes the price of the last execution leg for the average price."""

    client_class = _LastLegClient


class _Forgetful(OrderView):
    def take(self, update: Mapping[str, Any], now: float) -> tuple[Taken, str]:
        self._seen.clear()
        return super().take(update, now)


class _ForgetfulClient(OrderUpdatesClient):
    view_class = _Forgetful


@mutant("takes-duplicates", "AOU-020", reason="no sample looks for duplicates")
class TakesDuplicates(ArrowSubject):
    """Processes whatever comes, as often as it comes."""

    client_class = _ForgetfulClient


class _ByOrder(OrderView):
    def take(self, update: Mapping[str, Any], now: float) -> tuple[Taken, str]:
        if any(key[0] == update.get("orderId") for key in self._seen):
            return "duplicate", ""
        return super().take(update, now)


class _ByOrderClient(OrderUpdatesClient):
    view_class = _ByOrder


@mutant(
    "drops-by-order-id-alone",
    "AOU-020 AOU-010 AOU-080 AOU-040",
    also="AOC-030 AOU-070",
    reason="the page says both: by order id, and by order id and timestamp; only the second keeps the updates",
)
class ByOrder(ArrowSubject):
    """Takes every further update of an order for a duplicate."""

    client_class = _ByOrderClient


@mutant("never-fetches", "AOU-030", also="AOU-010", reason="what happened while it was away is never known")
class NeverFetches(ArrowSubject):
    """Asks for nothing over REST after a reconnect."""

    client_class = _NoFetch


class _StarOnly(OrderUpdatesClient):
    def handle(self, update: Mapping[str, Any]) -> None:
        for handler in self._order_handlers.get("*", []):
            handler(update)


@mutant("only-the-handler-of-all", "AOU-040", reason="handlers of one order are called too")
class StarOnly(ArrowSubject):
    """Never calls the handler of one order."""

    client_class = _StarOnly


class _MoreEachTime(OrderUpdatesClient):
    async def live(self, socket: ClientConnection) -> None:
        for handlers in self._order_handlers.values():
            handlers.append(handlers[0])
        await super().live(socket)


@mutant("handlers-pile-up", "AOU-040 AOU-020", reason="handlers are called once an update, after a reconnect as well")
class HandlersPileUp(ArrowSubject):
    """Adds its handlers again with every connection."""

    client_class = _MoreEachTime


class _Naive(OrderUpdatesClient):
    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.killed = asyncio.Event()

    def on_message(self, message: str | bytes) -> None:
        if message == "null":  # as Node ends: Cannot read properties of null (reading 'updateType')
            self.killed.set()
        super().on_message(message)


@mutant("null-kills", "AOU-050", reason="`null` is JSON, and the JavaScript sample reads a property of it")
class NullKills(ArrowSubject):
    """Dies of the text `null`."""

    client_class = _Naive
    client: _Naive

    async def run(self) -> int:
        running = asyncio.ensure_future(super().run())
        dying = asyncio.ensure_future(self.client.killed.wait())
        await asyncio.wait({running, dying}, return_when=asyncio.FIRST_COMPLETED)
        dead = self.client.killed.is_set()
        (running if dead else dying).cancel()
        return 1 if dead else running.result()


class _Squeamish(OrderUpdatesClient):
    def on_message(self, message: str | bytes) -> None:
        if isinstance(message, bytes) and self._socket is not None:
            self.spawn(self._socket.close(1003))
        super().on_message(message)


@mutant("closes-on-binary", "AOU-050", reason="binary frames are ignored without a disconnect")
class ClosesOnBinary(ArrowSubject):
    """Ends the connection on a binary frame."""

    client_class = _Squeamish


class _Credulous(OrderView):
    def take(self, update: Mapping[str, Any], now: float) -> tuple[Taken, str]:
        taken, why = super().take(update, now)
        return ("applied", "") if taken == "invalid" else (taken, why)


class _CredulousClient(OrderUpdatesClient):
    view_class = _Credulous


@mutant("applies-anything", "AOU-060", reason="an unknown status, or quantities that do not add up, are not applied")
class AppliesAnything(ArrowSubject):
    """Processes updates without looking at their fields."""

    client_class = _CredulousClient


class _Hoarder(OrderView):
    def clear(self, now: float) -> None:
        pass

    def next_clearing(self) -> float:
        return float("inf")


class _HoarderClient(OrderUpdatesClient):
    view_class = _Hoarder


@mutant("keeps-finished-orders", "AOU-070", reason="the page: clear old orders from tracking maps periodically")
class KeepsFinished(ArrowSubject):
    """Keeps every order for ever."""

    client_class = _HoarderClient


class _OnlyComplete(OrderUpdatesClient):
    def on_state(self, order: Mapping[str, Any]) -> None:
        if order["orderStatus"] not in ("CANCELLED", "REJECTED"):
            super().on_state(order)


@mutant("waits-for-complete", "AOU-080", reason="CANCELLED and REJECTED are terminal as well")
class WaitsForComplete(ArrowSubject):
    """Tracks an order to `COMPLETE` only."""

    client_class = _OnlyComplete


class _Patient(OrderUpdatesClient):
    async def track(self, order_id: str, within: float | None = None) -> str:
        return await super().track(order_id, 1e6)


@mutant("tracks-for-ever", "AOU-080", reason="tracking ends with a time-out, and never hangs")
class TracksForEver(ArrowSubject):
    """Has no time-out on tracking."""

    client_class = _Patient
