"""The Arrow broker by hand: its orders' lives as rows, and what its actions do or refuse."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from brokercert_mock.arrow import ArrowBroker
from brokercert_mock.arrow.book import LEGAL
from brokercert_mock.port.panel import ActionError, perform
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def broker() -> AsyncIterator[ArrowBroker]:
    broker = ArrowBroker()
    await broker.start()
    yield broker
    await broker.close()
    assert not broker.script_errors


def client(broker: ArrowBroker) -> connect:
    login = broker.issue_login()
    query = urlencode({"session": login.session, "token": login.token})
    return connect(f"{broker.url}/?{query}", proxy=None, compression=None)


def placed(broker: ArrowBroker) -> str:
    given = {"symbol": "INFY-EQ", "side": "SELL", "qty": "30", "price": "1481.5"}
    said = perform(broker.panel(), "place", "", given)
    assert said.endswith("placed: SELL 30 INFY-EQ")
    return said.split()[1]


def shown(broker: ArrowBroker, ident: str) -> dict[str, str]:
    orders = next(table for table in broker.panel().tables() if table.name == "orders")
    row = next(row for row in orders.rows if row.id == ident)
    return dict(zip(orders.columns, row.cells, strict=True)) | {"can": " ".join(row.can), "over": str(row.over)}


async def test_an_orders_row_follows_its_life(broker: ArrowBroker) -> None:
    ident, panel = placed(broker), broker.panel()
    row = shown(broker, ident)
    assert (row["Status"], row["Price"], row["Average"]) == ("PENDING", "1481.5", "")
    assert row["can"] == "open modify cancel reject"
    perform(panel, "open", ident, {})
    perform(panel, "fill", ident, {"qty": "10"})
    perform(panel, "fill", ident, {"qty": "10", "price": "1482.5"})
    row = shown(broker, ident)
    assert (row["Status"], row["Filled"], row["Pending"], row["Average"]) == ("OPEN", "20", "10", "1482")
    perform(panel, "modify", ident, {"qty": "40", "price": "1480"})
    assert (shown(broker, ident)["Qty"], shown(broker, ident)["Price"]) == ("40", "1480")
    perform(panel, "fill", ident, {})
    row = shown(broker, ident)
    assert (row["Status"], row["Filled"], row["can"], row["over"]) == ("COMPLETE", "40", "", "True")
    fills = next(table for table in panel.tables() if table.name == "fills")
    assert [fill.cells[3] for fill in fills.rows if fill.cells[0] == ident] == ["10", "10", "20"]


async def test_every_action_that_a_row_offers_can_be_done_and_no_other(broker: ArrowBroker) -> None:
    panel = broker.panel()
    offered = {"fill", "open", "modify", "cancel", "reject"}
    for status in ("PENDING", "OPEN", "TRIGGER_PENDING", "AFTER_MARKET_ORDER_REQ_RECEIVED"):
        for name in sorted(offered):
            order = broker.orders.place(after_market=status.startswith("AFTER"))
            if status in ("OPEN", "TRIGGER_PENDING"):
                broker.orders.change(order, status)
            if name in shown(broker, order.id)["can"].split():
                perform(panel, name, order.id, {})
            else:
                with pytest.raises(ActionError, match=order.id):
                    perform(panel, name, order.id, {})
            assert order.status == status or order.status in LEGAL[status]


@pytest.mark.parametrize(
    ("name", "target", "given", "says"),
    [
        ("fill", "77", {}, "order '77': there is none"),
        ("place", "", {"qty": "0"}, "quantity 0"),
        ("place", "", {"price": "-1"}, "price -1"),
        ("fill", "open", {"qty": "1000000"}, "expected an open one with 1000000"),
        ("fill", "open", {"price": "-2"}, "price was -2; expected one above 0"),
    ],
)
async def test_what_is_wrong_is_said(
    broker: ArrowBroker, name: str, target: str, given: dict[str, str], says: str
) -> None:
    ident = broker.orders.live()[0].id if target == "open" else target
    before = broker.orders.state()
    with pytest.raises(ActionError) as raised:
        perform(broker.panel(), name, ident, given)
    assert says in str(raised.value) and broker.orders.state() == before


async def update(ws: ClientConnection) -> dict[str, object]:
    while True:
        message: dict[str, object] = json.loads(await ws.recv())
        if "updateType" in message:
            return message


async def test_a_client_is_told_of_what_is_done_by_hand(broker: ArrowBroker) -> None:
    panel = broker.panel()
    async with client(broker) as ws:
        assert panel.stage(1) == "logged in"
        perform(panel, "events", "", {"what": "twice", "count": "1"})
        ident = placed(broker)
        told = [await update(ws), await update(ws)]
        assert [(x["updateType"], x["orderId"]) for x in told] == [("ORDER_PLACED", ident)] * 2
        perform(panel, "reject", ident, {"reason": "no"})
        last = await update(ws)
        assert (last["updateType"], last["rejectionReason"]) == ("ORDER_REJECTED", "no")
        assert perform(panel, "time-out", "", {}) == "1 session(s) timed out"
        with pytest.raises(ConnectionClosed):
            while True:
                await ws.recv()
        assert ws.close_code == broker.settings.expired_code
    assert perform(panel, "time-out", "", {}) == "0 session(s) timed out"
    perform(panel, "upgrade", "", {"what": "429"})
    with pytest.raises(InvalidStatus) as refused:
        async with client(broker):
            pass
    assert refused.value.response.status_code == 429
