"""The mock broker: legal lives of orders, exact money, its REST API, its accounts' limits, and no secret in a trace."""

from __future__ import annotations

import asyncio
import datetime
import json
import random
import re
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from brokercert.engine.play.virtual import VirtualLoop
from brokercert.reference.rest import RestError, call
from brokercert.trace import Header, TraceWriter
from brokercert.trace import records as r
from brokercert_mock.arrow import ArrowBroker, ArrowSettings
from brokercert_mock.arrow.book import LEGAL, STATUSES, TERMINAL, Order, OrderBook, OrderError
from brokercert_mock.arrow.edition import TYPES
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

NOON = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.UTC)
HEADER = Header(
    format=1, tool="test", tier="virtual", clock="virtual", source="mock", set_id="arrow-orders", set_version="1",
    set_hash="", scenario="test", exercises=(), path="direct", exclusive=False, seed=1, subject="test", level="wire",
    offers=(), absent={}, readings={}, limits={},
)  # fmt: skip


@pytest.fixture
def told() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def book(told: list[dict[str, Any]]) -> OrderBook:
    return OrderBook(random.Random(1), lambda: NOON, told.append)


def test_an_order_may_go_only_where_the_table_of_lives_says(book: OrderBook) -> None:
    for status in STATUSES:
        for to in STATUSES:
            order = Order("1", "X", "BUY", "LIMIT", 10, Decimal(1), status, NOON)
            if to in LEGAL[status]:
                book.change(order, to)
                assert order.status == to
            else:
                with pytest.raises(OrderError, match=f"order 1 is {status}; it may become"):
                    book.change(order, to)
                assert order.status == status
    assert {status for status in STATUSES if not LEGAL[status]} == TERMINAL


def test_every_change_is_told_once_with_quantities_that_add_up_and_a_key_of_its_own(
    book: OrderBook, told: list[dict[str, Any]]
) -> None:
    order = book.place(quantity=300, price="100.10")
    book.change(order, "OPEN")
    book.fill(order, 100, "100.05")
    book.modify(order, quantity=250, price="100.20")
    book.fill(order, 150, "100.20")
    stop = book.place(trigger="99.00")
    book.change(stop, "TRIGGER_PENDING")
    book.cancel(stop)
    book.reject(book.place(after_market=True))
    assert [x["updateType"] for x in told if x["orderId"] == order.id] == [
        "ORDER_PLACED", "ORDER_STATUS", "TRADE_UPDATE", "ORDER_PARTIAL", "ORDER_MODIFIED", "TRADE_UPDATE",
        "ORDER_EXECUTED",
    ]  # fmt: skip
    assert {x["updateType"] for x in told} == set(TYPES)
    assert len({(x["orderId"], x["timestamp"]) for x in told}) == len(told), "a client may drop one as a duplicate"
    for update in told:
        if update["orderStatus"] not in TERMINAL:
            assert update["filledQuantity"] + update["pendingQuantity"] == update["quantity"]
        else:
            assert update["pendingQuantity"] == 0
    assert (order.status, order.filled, order.average) == ("COMPLETE", 250, Decimal("100.1400"))


@pytest.mark.parametrize(
    ("legs", "average"),
    [([(1, "0.1"), (2, "0.2")], "0.1667"), ([(3, "1"), (3, "2")], "1.5000"), ([(7, "100.05")], "100.0500")],
)
def test_an_average_price_is_exact_to_four_places(book: OrderBook, legs: Any, average: str) -> None:
    order = book.place(quantity=100)
    book.change(order, "OPEN")
    for quantity, price in legs:
        book.fill(order, quantity, price)
    assert str(order.average) == average


def test_what_cannot_be_is_refused_and_changes_nothing(book: OrderBook, told: list[dict[str, Any]]) -> None:
    order = book.place(quantity=10)
    before = len(told)
    for wrong in (
        lambda: book.fill(order, 5),  # not open
        lambda: book.place(quantity=0),
        lambda: book.place(price="0"),
        lambda: book.find("nobody"),
    ):
        with pytest.raises(OrderError, match=r"expected|there is none"):
            wrong()
    book.change(order, "OPEN")
    with pytest.raises(OrderError, match="10 pending"):
        book.fill(order, 11)
    book.fill(order, 4)
    with pytest.raises(OrderError, match="more than the 4 filled"):
        book.modify(order, quantity=4)
    assert len(told) == before + 3 and order.filled == 4


Use = Callable[[ArrowBroker, TraceWriter], Awaitable[None]]


def with_broker(use: Use, **settings: Any) -> list[r.Body]:
    async def run() -> list[r.Body]:
        writer = TraceWriter(None, HEADER, began=asyncio.get_running_loop().time())
        broker = ArrowBroker(ArrowSettings(**settings), writer, wall_start=NOON)
        await broker.start()
        try:
            await use(broker, writer)
        finally:
            await broker.close()
        assert broker.script_errors == []
        return writer.records

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(run())


def rest(broker: ArrowBroker) -> str:
    return f"http://127.0.0.1:{broker.port}"


async def opened(broker: ArrowBroker, session: str = "", token: str = "") -> ClientConnection:
    login = broker.issue_login()
    query = f"session={quote(session or login.session, safe='')}&token={quote(token or login.token, safe='')}"
    return await connect(f"{broker.url}/?{query}", proxy=None, ping_interval=None)


def test_updates_and_keep_alives_are_pushed_and_rest_tells_the_same() -> None:
    async def use(broker: ArrowBroker, _: TraceWriter) -> None:
        socket = await opened(broker)
        first = broker.orders.live()[0]
        broker.orders.fill(first, 10, "600.00")
        pushed = [json.loads(await socket.recv()) for _ in range(2)]
        assert [x["updateType"] for x in pushed] == ["TRADE_UPDATE", "ORDER_PARTIAL"]
        assert json.loads(await socket.recv()) == {"type": "keep-alive"}
        login = broker.issue_login()
        answer = await call(f"{rest(broker)}/orders", bearer=login.token, more_headers=[("X-Session", login.session)])
        listed = {order["orderId"]: order for order in answer["orders"]}
        same = {name: value for name, value in pushed[1].items() if name != "updateType"}
        assert listed[first.id] == same and len(listed) == 6
        with pytest.raises(RestError, match="answered 401"):
            await call(f"{rest(broker)}/orders", bearer="nobody's")
        await socket.close()

    with_broker(use)


def test_orders_are_placed_over_rest() -> None:
    async def use(broker: ArrowBroker, _: TraceWriter) -> None:
        login = broker.issue_login()
        headers = [("X-Session", login.session)]
        body = {"tradingSymbol": "SBIN-EQ", "quantity": 7, "price": 625.5, "transactionType": "SELL"}
        placed = await call(f"{rest(broker)}/orders", body=body, bearer=login.token, more_headers=headers)
        order = broker.orders.find(placed["orderId"])
        assert (order.status, order.side, order.quantity) == ("OPEN", "SELL", 7)
        with pytest.raises(RestError, match="answered 400"):
            await call(f"{rest(broker)}/orders", body={"quantity": "x"}, bearer=login.token, more_headers=headers)

    with_broker(use)


@pytest.mark.parametrize(("account", "sockets"), [("Basic", 1), ("Premium", 3)])
def test_an_account_has_so_many_sockets_where_limits_are_enforced(account: str, sockets: int) -> None:
    async def use(broker: ArrowBroker, _: TraceWriter) -> None:
        held = [await opened(broker) for _ in range(sockets)]
        with pytest.raises(InvalidStatus, match="429"):
            await opened(broker)
        for socket in held:
            await socket.close()
        await asyncio.sleep(0.1)
        await (await opened(broker)).close()

    with_broker(use, account=account, enforce_limits=True)


def test_reconnects_a_minute_are_limited_where_limits_are_enforced() -> None:
    async def use(broker: ArrowBroker, _: TraceWriter) -> None:
        for _ in range(11):
            await (await opened(broker)).close()
            await asyncio.sleep(0.1)
        with pytest.raises(InvalidStatus, match="429"):
            await opened(broker)
        await asyncio.sleep(60)
        await (await opened(broker)).close()

    with_broker(use, account="Basic", enforce_limits=True)


def test_a_session_that_times_out_closes_its_sockets_and_opens_none() -> None:
    async def use(broker: ArrowBroker, _: TraceWriter) -> None:
        socket = await opened(broker)
        with pytest.raises(ConnectionClosed, match="1008"):
            while True:
                await socket.recv()

    with_broker(use, session_life=12.0)


@pytest.mark.parametrize("credentials", ["plain", "reserved"])
def test_no_secret_is_in_the_trace_not_even_a_wrong_one(credentials: str) -> None:
    kept: list[str] = []

    async def use(broker: ArrowBroker, _: TraceWriter) -> None:
        login = broker.issue_login()
        kept.extend([login.session, login.token, "somebody-elses-token"])
        for query in (
            f"session={quote(login.session, safe='')}&token={quote(login.token, safe='')}",
            f"session={login.session}&token={login.token}",
            f"session={quote(login.session, safe='')}&token=somebody-elses-token",
        ):
            try:
                await (await connect(f"{broker.url}/?{query}", proxy=None, ping_interval=None)).close()
            except InvalidStatus as error:
                assert error.response.status_code == 401

    records = with_broker(use, credentials=credentials)
    targets = [x.target for x in records if isinstance(x, r.Head)]
    assert targets[0] == "/?session=«session#1»&token=«token#1»"
    assert re.fullmatch(r"/\?session=«session#1»&token=«presented#\d»", targets[2])
    assert not [secret for secret in kept if any(secret in str(x) for x in records)]


def test_the_same_seed_is_the_same_broker() -> None:
    bodies: list[Any] = []

    async def use(broker: ArrowBroker, _: TraceWriter) -> None:
        bodies.append((broker.orders.state(), broker.client_facts("127.0.0.1", 1)))

    with_broker(use)
    with_broker(use)
    assert bodies[0] == bodies[1]
