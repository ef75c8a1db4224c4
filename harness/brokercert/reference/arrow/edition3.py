"""The client of the third edition of the page (A3): what differs from the first. As a program, it is that client.

python -m brokercert.reference.arrow.edition3
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from brokercert.reference.arrow.__main__ import main
from brokercert.reference.arrow.edition import Config, Edition
from brokercert.reference.arrow.subject import ArrowSubject
from brokercert.reference.rest import call, redirect

WHOLE, NUMBER = re.compile(r"[0-9]{1,15}"), re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")
# Field of a message -> by which name the client has it, and as what.
FIELDS: dict[str, tuple[str, type]] = {
    "id": ("orderId", str),
    "orderStatus": ("orderStatus", str),
    "symbol": ("tradingSymbol", str),
    "exchange": ("exchange", str),
    "order": ("orderType", str),
    "transactionType": ("transactionType", str),
    "quantity": ("quantity", int),
    "cumulativeFillQty": ("filledQuantity", int),
    "leavesQuantity": ("pendingQuantity", int),
    "price": ("price", float),
    "averagePrice": ("averagePrice", float),
    "orderTime": ("timestamp", str),
    "reportType": ("reportType", str),
}
NAMES = {own: name for name, (own, _) in FIELDS.items()}


class Edition3(Edition):
    """Texts become numbers as they come, so that the client counts with them as with those of the first edition."""

    first_credential = "appID"
    variable = "APP_ID"
    max_delay = 5.0
    pong_every = 3.0
    read_timeout = 5.0
    immediate = 3
    first_delay = 2.0
    lasting = 10.0
    types = frozenset({"ORDER_UPDATE"})
    same_time_is_old = False  # times are whole seconds, or the order's own: what comes later is newer

    def read(self, message: Mapping[str, Any]) -> dict[str, Any] | None:
        """An object with an `id` is an update, whatever else is in it; nobody looks at its `updateType`."""
        ident = message.get("id")
        return {**self.row(message), "updateType": "ORDER_UPDATE"} if isinstance(ident, str) and ident else None

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {own: _read(row.get(name), kind) for name, (own, kind) in FIELDS.items() if name in row}

    def key(self, update: Mapping[str, Any]) -> tuple[str, ...]:
        """All of it: updates that differ are not one, whatever their times."""
        return update["orderId"], json.dumps(update, sort_keys=True)

    def names(self, update: Mapping[str, Any]) -> dict[str, Any]:
        return {NAMES[own]: update.get(own) for own in ("orderId", "timestamp", "reportType", "filledQuantity")}

    def told(self, order: Mapping[str, Any]) -> dict[str, Any]:
        return {NAMES.get(own, own): value for own, value in order.items()}

    def called(self, order: str) -> dict[str, Any]:
        return {"id": order}

    async def orders(self, config: Config) -> Iterable[Any]:
        headers = [("appID", config.session), ("token", config.token)]
        answer = await call(f"{config.rest_url}/user/orders", more_headers=headers)
        rows: Iterable[Any] = answer["data"]
        return rows

    async def renewed(self, config: Config) -> tuple[str, str] | None:
        """A new login: there is no renewal. The address to which the browser would come back has the request token."""
        if not config.login_url:
            return None
        app = config.session
        back = await redirect(f"{config.login_url}?appID={quote(app, safe='')}")
        ticket = parse_qs(urlsplit(back).query)["request-token"][0]
        checksum = hashlib.sha256(f"{app}:{config.app_secret}:{ticket}".encode()).hexdigest()
        body = {"checkSum": checksum, "token": ticket, "appID": app}
        answer = await call(f"{config.rest_url}/auth/app/authenticate-token", body=body)
        return app, answer["data"]["token"]


def _read(value: Any, kind: type) -> Any:
    """As that kind, where the text says one; else as it is, for the validation to refuse."""
    if kind is int and isinstance(value, str) and WHOLE.fullmatch(value):
        return int(value)
    return float(value) if kind is float and isinstance(value, str) and NUMBER.fullmatch(value) else value


THIRD = Edition3()


class ArrowSubject3(ArrowSubject):
    """The client of the third edition, as a subject."""

    edition = THIRD


if __name__ == "__main__":
    sys.exit(main(ArrowSubject3))
