"""Defects of taking order updates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.arrow import updates as first
from brokercert.mutants.arrow_2026.mutant import mutant
from brokercert.reference.arrow.client import OrderUpdatesClient
from brokercert.reference.arrow.edition3 import THIRD, ArrowSubject3, Edition3
from brokercert.reference.arrow.orders import OrderView


class _PageOnly(OrderUpdatesClient):
    def on_update(self, update: Mapping[str, Any]) -> None:
        if update.get("reportType") not in ("Fill", "NewAck"):
            super().on_update(update)


@mutant("knows-no-fill", "AOU-310", reason="rows of the REST API say `Fill` and `NewAck`, and messages may")
class PageOnly(ArrowSubject3):
    """Ignores the report types `Fill` and `NewAck`."""

    client_class = _PageOnly


class _AsTexts(OrderView):
    def put(self, order: Mapping[str, Any], now: float) -> bool:
        known = self.orders.get(order["orderId"])
        if known is not None and str(known["filledQuantity"]) > str(order["filledQuantity"]):
            return False
        return super().put(order, now)


class _AsTextsClient(OrderUpdatesClient):
    view_class = _AsTexts


@mutant("compares-numbers-as-texts", "AOU-310", also="AOU-321", reason="as texts, 9 is more than 65")
class AsTexts(ArrowSubject3):
    """Ignores an update of which less seems to be filled, and compares the quantities as texts."""

    client_class = _AsTextsClient


class _NumbersOnly(Edition3):
    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {**super().row(row), "averagePrice": 0.0}


@mutant(
    "no-average-price",
    "AOU-310 AOU-030",
    also="AOU-321 AOU-355",
    reason="the price is a text, and a client that wants a number drops it",
)
class NumbersOnly(ArrowSubject3):
    """Takes every average price for nought, since it is no number."""

    edition = _NumbersOnly()


@mutant("five-statuses", "AOU-310", reason="orders that wait for a trigger, or for the market, have statuses too")
class FiveStatuses(first.FiveStatuses):
    """Takes every status but five for `OPEN`."""

    edition = THIRD


@mutant("takes-duplicates", "AOU-020", reason="the vendor's own client looks for none")
class TakesDuplicates(first.TakesDuplicates):
    """Processes whatever comes, as often as it comes."""

    edition = THIRD


class _PageKey(Edition3):
    def key(self, update: Mapping[str, Any]) -> tuple[str, ...]:
        return update["orderId"], update["timestamp"]


@mutant("drops-by-id-and-time", "AOU-321", reason="the page's own key, which several updates may have")
class PageKey(ArrowSubject3):
    """Takes every further update of an order with the same time for a duplicate."""

    edition = _PageKey()


@mutant("never-fetches", "AOU-030", reason="what happened while it was away is never known")
class NeverFetches(first.NeverFetches):
    """Asks for nothing over REST after a reconnect."""

    edition = THIRD


class _FetchesOnce(OrderUpdatesClient):
    fetched = False

    async def catch_up(self, socket: ClientConnection) -> None:
        if not self.fetched:
            self.fetched = True
            await super().catch_up(socket)


@mutant("fetches-at-its-first-connection-only", "AOU-030", reason="what it missed is missed at each loss")
class FetchesOnce(ArrowSubject3):
    """Asks over REST when it first connects, and never again."""

    client_class = _FetchesOnce


class _Oldest(OrderView):
    def fetched(self, orders: Iterable[Any], now: float) -> list[dict[str, Any]]:
        oldest = {row["id"]: row for row in orders}
        for ident in oldest:
            self.orders.pop(ident, None)
        return super().fetched(oldest.values(), now)


class _OldestClient(OrderUpdatesClient):
    view_class = _Oldest


@mutant("takes-the-oldest-row", "AOU-030", reason="rows of an order come newest first; the last one is its beginning")
class Oldest(ArrowSubject3):
    """Takes the last row of each order that it fetched, which is the oldest."""

    client_class = _OldestClient


@mutant("handlers-pile-up", "AOU-340 AOU-020", reason="handlers are called once an update, after a reconnect as well")
class HandlersPileUp(first.HandlersPileUp):
    """Adds its handlers again with every connection."""

    edition = THIRD


@mutant("only-the-handler-of-all", "AOU-340", reason="handlers of one order are called too")
class StarOnly(first.StarOnly):
    """Never calls the handler of one order."""

    edition = THIRD


@mutant("closes-on-binary", "AOU-350", reason="binary frames are ignored without a disconnect")
class ClosesOnBinary(first.ClosesOnBinary):
    """Ends the connection on a binary frame."""

    edition = THIRD


@mutant("null-kills", "AOU-352", reason="`null` is JSON, and has no field")
class NullKills(first.NullKills):
    """Dies of the text `null`."""

    edition = THIRD


class _Either(Edition3):
    def read(self, message: Mapping[str, Any]) -> dict[str, Any] | None:
        if "id" in message or not isinstance(message.get("orderId"), str):
            return super().read(message)
        known = {"reportType": "", **{name: message.get(name) for name in OLDER}}
        return {**known, "updateType": "ORDER_UPDATE"}


OLDER = (
    "orderId orderStatus tradingSymbol exchange orderType transactionType quantity filledQuantity pendingQuantity"
    " price averagePrice timestamp".split()
)


@mutant("reads-older-messages-too", "AOU-355", reason="the broker sends none, so that what they say is not so")
class Either(ArrowSubject3):
    """Applies an object of the older page, where it has no `id`."""

    edition = _Either()


@mutant("applies-anything", "AOU-060", reason="an unknown status, or quantities that do not add up, are not applied")
class AppliesAnything(first.AppliesAnything):
    """Processes updates without looking at their fields."""

    edition = THIRD


@mutant("keeps-finished-orders", "AOU-070", reason="the page: remove what is no longer used")
class KeepsFinished(first.KeepsFinished):
    """Keeps every order for ever."""

    edition = THIRD


@mutant("waits-for-complete", "AOU-380", reason="CANCELLED and REJECTED are terminal as well")
class WaitsForComplete(first.WaitsForComplete):
    """Tracks an order to `COMPLETE` only."""

    edition = THIRD


@mutant("tracks-for-ever", "AOU-380", reason="tracking ends with a time-out, and never hangs")
class TracksForEver(first.TracksForEver):
    """Has no time-out on tracking."""

    edition = THIRD
