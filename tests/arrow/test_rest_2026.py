"""The REST API of the third edition's broker: every field of its rows and legs, and no body that it cannot take."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from brokercert.engine.play.virtual import VirtualLoop
from brokercert.reference.rest import call, redirect
from brokercert_mock.arrow import ArrowBroker3, Settings3
from brokercert_mock.arrow.book import Order

NOON = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.UTC)
TIME = re.compile(r"2026-01-05T17:[0-9]{2}:[0-9]{2}")  # whole seconds of India, without a zone
ROW = {
    "id", "userID", "accountID", "exchange", "symbol", "token", "price", "quantity", "cumulativeFillQty",
    "leavesQuantity", "cancelQuantity", "fillShares", "averagePrice", "product", "order", "transactionType",
    "orderStatus", "reportType", "orderTriggerPrice", "validity", "exchangeOrderID", "pricePrecision", "tickSize",
    "lotSize", "orderSource", "orderTime", "rejectReason", "remarks", "exchangeUpdateTime", "exchangeTime", "isAck",
    "twap", "gorilla", "vwap", "slicer", "pov",
}  # fmt: skip
LEG = {"id", "fillID", "fillPrice", "fillQuantity", "fillTime"}
LOGIN = "auth/app/authenticate-token"

Use = Callable[[ArrowBroker3, str], Awaitable[None]]


def with_broker(use: Use, **settings: Any) -> None:
    async def run() -> None:
        broker = ArrowBroker3(Settings3(orders=0, **settings), wall_start=NOON)
        await broker.start()
        try:
            await use(broker, f"http://127.0.0.1:{broker.port}")
        finally:
            await broker.close()
        assert broker.script_errors == []

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(run())


async def rows(broker: ArrowBroker3, address: str) -> list[dict[str, Any]]:
    login = broker.issue_login()
    answer = await call(address, more_headers=[("AppID", login.session), ("Token", login.token)])
    assert answer["status"] == "success"
    found: list[dict[str, Any]] = answer["data"]
    return found


def traded(broker: ArrowBroker3) -> Order:
    order = broker.orders.place(quantity=10)
    broker.orders.change(order, "OPEN")
    broker.orders.fill(order, 4)
    broker.orders.fill(order, 3)
    return order


@pytest.mark.parametrize("listed", ["last", "all"])
def test_a_row_has_every_field_of_the_page(listed: str) -> None:
    async def use(broker: ArrowBroker3, url: str) -> None:
        order = traded(broker)
        every = [*await rows(broker, f"{url}/user/orders"), *await rows(broker, f"{url}/order/{order.id}")]
        assert len(every) == (2 if listed == "last" else 8)
        for row in every:
            assert set(row) == ROW
            times = [row[name] for name in ("orderTime", "exchangeTime", "exchangeUpdateTime")]
            assert all(TIME.fullmatch(time) for time in times)

    with_broker(use, book_rows=listed)


def test_an_execution_has_the_time_at_which_it_was() -> None:
    async def use(broker: ArrowBroker3, url: str) -> None:
        order = broker.orders.place(quantity=10)
        broker.orders.change(order, "OPEN")
        broker.orders.fill(order, 4)
        await asyncio.sleep(70)
        broker.orders.fill(order, 3)
        legs = await rows(broker, f"{url}/user/trades")
        assert [set(leg) for leg in legs] == [LEG, LEG]
        assert [leg["fillTime"] for leg in legs] == ["2026-01-05 17:30:00", "2026-01-05 17:31:10"]

    with_broker(use)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@pytest.mark.parametrize("ticket", ["\ud800", "a\udfffz", 5, None, True, [], {}, ["t"], "t", ""])
def test_a_login_with_a_wrong_request_token_is_refused_and_the_next_one_is_answered(ticket: Any) -> None:
    """Also one that is half a character, which JSON can say: the right checksum of it is none."""

    async def use(broker: ArrowBroker3, url: str) -> None:
        app = broker.edition.app
        status, body = await posted(url, {"appID": app, "token": ticket, "checkSum": sha(f"{app}:x:{ticket}")})
        assert (status, body["status"]) in ((400, "error"), (401, "error"))
        assert body["errorCode"] == {400: "BAD_REQUEST_ERROR", 401: "UNAUTHORIZED"}[status]
        back = await redirect(f"{url}/app/login?appID={app}")
        right = parse_qs(urlsplit(back).query)["request-token"][0]
        given = {"appID": app, "token": right, "checkSum": sha(f"{app}:{broker.password}:{right}")}
        assert (await call(f"{url}/{LOGIN}", body=given))["data"]["token"]

    with_broker(use)


async def posted(url: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer to a login, whatever they are; half characters as JSON escapes them."""
    parts = urlsplit(url)
    data = json.dumps(body).encode()
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"POST /%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (LOGIN.encode(), len(data)) + data)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(re.findall(r"(?i)content-length: *([0-9]+)", head)[0])
    answer = json.loads(await reader.readexactly(length))
    writer.close()
    return int(head.split()[1]), answer
