"""The REST API of the third edition, as far as a client needs it: orders, trades, and the login (A3 REST, Login).

    GET  /user/orders       rows of orders         GET  /app/login?appID=    302 to the redirect address
    GET  /order/ID          rows of one            POST /auth/app/authenticate-token
    GET  /user/trades       each execution leg

Headers `appID` and `token`. Placing, changing and cancelling over REST is no part of this broker.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from brokercert_mock.arrow.book import Order
from brokercert_mock.arrow.edition3 import time_in_india
from brokercert_mock.arrow.rest import Answer, OrdersApi, Redirect
from brokercert_mock.arrow.sessions import presented
from brokercert_mock.arrow.settings import Settings3

CODES = {
    400: "BAD_REQUEST_ERROR",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND_ERROR",
    405: "METHOD_NOT_ALLOWED",
}


class OrdersApi3(OrdersApi):
    """`password` of the account is the app's secret here."""

    def endpoint_of(self, path: str) -> str:
        return "order" if path.startswith("order/") else path

    def answer(self, method: str, path: str, target: str, headers: dict[str, str], body: str) -> Answer:
        given = presented(target)
        if path == "app/login":
            return self._login(given)
        if path == "app/redirect":  # whoever follows the redirect reads both there
            return 200, _data({"request-token": given.get("request-token", ""), "checksum": given.get("checksum", "")})
        if path == "auth/app/authenticate-token":
            return self._authenticate(method, body)
        if self._sessions.find(headers.get("appid", ""), headers.get("token", "")) is None:
            return _error(401, self._edition.missing)
        if method != "GET":
            return _error(405, "Method not allowed")
        name, _, ident = path.partition("/")
        if path == "user/orders":
            return 200, _data([row for order in self._orders.orders.values() for row in self._rows(order)])
        if path == "user/trades":
            return 200, _data([leg for order in self._orders.orders.values() for leg in _legs(order)])
        if name == "order" and ident in self._orders.orders:
            return 200, _data(self._rows(self._orders.orders[ident]))
        return _error(404, "Not found")

    @property
    def _edition(self) -> Any:
        return self._orders.edition

    def _rows(self, order: Order) -> list[dict[str, Any]]:
        """One order's rows, newest first."""
        assert isinstance(self._settings, Settings3)
        return order.told[::-1] if self._settings.book_rows == "all" else order.told[-1:]

    def _login(self, given: dict[str, str]) -> Answer:
        if given.get("appID") != self._edition.app:
            return _error(400, "Invalid appID")
        ticket = self._sessions.ticket()
        checksum = _sha256(f"{ticket}:{self._edition.app}")
        return 302, Redirect(f"/app/redirect?request-token={quote(ticket, safe='')}&checksum={checksum}")

    def _authenticate(self, method: str, body: str) -> Answer:
        if method != "POST":
            return _error(405, "Method not allowed")
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            return _error(400, "the body is no JSON")
        given = data if isinstance(data, dict) else {}
        app, ticket = given.get("appID", given.get("appId")), given.get("token")
        checksum = given.get("checkSum", given.get("checksum"))
        if not isinstance(ticket, str) or not _is_text(ticket):
            return _error(400, "expected a `token` that is a text")
        right = _sha256(f"{self._edition.app}:{self._password}:{ticket}")
        if app != self._edition.app or checksum != right or not self._sessions.redeem(ticket):
            return _error(401, "Invalid checkSum or token")
        return 200, _data({"name": "CERT USER", "token": self._log_in().token, "userID": "AJ0001"})


def _data(data: Any) -> dict[str, Any]:
    return {"data": data, "status": "success"}


def _error(status: int, text: str) -> Answer:
    return status, {"status": "error", "message": text, "errorCode": CODES[status]}


def _legs(order: Order) -> list[dict[str, Any]]:
    return [
        {
            "id": order.id,
            "fillID": f"{order.id}-{n}",
            "fillPrice": str(price),
            "fillQuantity": str(quantity),
            "fillTime": time_in_india(at, between=" "),
        }
        for n, ((quantity, price), at) in enumerate(zip(order.fills, order.filled_at, strict=True), 1)
    ]


def _is_text(value: str) -> bool:
    """It can be written down: JSON may have one half of a surrogate pair, which is no character."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
