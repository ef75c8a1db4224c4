"""The broker by hand: what its tables say, and what its actions do or refuse."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from brokercert_mock import TradovateBroker
from brokercert_mock.port.panel import MOST_ROWS, ActionError, Field, Panel, Row, Table, perform, table
from mock_bench import messages, reply, running
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def broker() -> AsyncIterator[TradovateBroker]:
    broker = TradovateBroker()
    yield broker
    await broker.close()


def of(panel: Panel, name: str) -> Table:
    return next(table for table in panel.tables() if table.name == name)


def shown(panel: Panel, ident: str) -> dict[str, str]:
    orders = of(panel, "orders")
    row = next(row for row in orders.rows if row.id == ident)
    return dict(zip(orders.columns, row.cells, strict=True)) | {"over": str(row.over), "can": " ".join(row.can)}


def placed(broker: TradovateBroker, **fields: str) -> str:
    given = {"account": str(broker.credentials.accounts[0]), "symbol": "ESH6", "side": "Buy", "qty": "3"}
    said = perform(broker.panel(), "place", "", given | {"type": "Limit", "price": "5000.25"} | fields)
    return said.split()[1]


async def test_an_orders_row_follows_its_life(broker: TradovateBroker) -> None:
    panel, ident = broker.panel(), placed(broker)
    row = shown(panel, ident)
    assert (row["Price"], row["Qty"], row["Filled"], row["Status"]) == ("5000.25", "3", "0", "Working")
    assert row["can"] == "fill cancel reject expire" and row["over"] == "False"
    perform(panel, "fill", ident, {"qty": "1", "price": "4999.75"})
    perform(panel, "fill", ident, {"qty": "1"})
    row = shown(panel, ident)
    assert (row["Filled"], row["Average"], row["Status"]) == ("2", "5000", "Working")
    assert "reject" not in row["can"]  # not one that is partly filled
    perform(panel, "fill", ident, {})
    row = shown(panel, ident)
    assert (row["Filled"], row["Status"], row["over"], row["can"]) == ("3", "Filled", "True", "")
    assert [fill.cells[1] for fill in of(panel, "fills").rows][-3:] == [ident] * 3


async def test_every_action_that_a_row_offers_can_be_done(broker: TradovateBroker) -> None:
    panel = broker.panel()
    for name, becomes in {"cancel": "Canceled", "reject": "Rejected", "expire": "Expired", "fill": "Filled"}.items():
        ident = placed(broker)
        perform(panel, name, ident, {})
        assert shown(panel, ident)["Status"] == becomes
        for again in ("cancel", "reject", "expire", "fill"):
            with pytest.raises(ActionError, match=ident):
                perform(panel, again, ident, {})


async def test_a_command_under_way_is_shown(broker: TradovateBroker) -> None:
    panel, ident = broker.panel(), placed(broker)
    broker.exchange.pause()
    broker.exchange.cancel(int(ident))
    row = shown(panel, ident)
    assert (row["Status"], row["Pending"]) == ("PendingCancel", "Cancel") and "cancel" not in row["can"].split()


@pytest.mark.parametrize(
    ("name", "target", "given", "says"),
    [
        ("burn", "", {}, "action was 'burn'; expected one of fill, cancel"),
        ("fill", "1", {}, "order 1: there is none"),
        ("fin", "99", {}, "connection 99: there is none"),
        ("place", "", {"qty": "0"}, "qty was 0; expected at least 1"),
        ("place", "", {"qty": "-1"}, "qty was '-1'; expected a whole number"),
        ("place", "", {"qty": "1" * 16}, "expected a whole number"),
        ("place", "", {"price": "nan"}, "price was 'nan'; expected a number"),
        ("place", "", {"price": "1e999"}, "price was '1e999'; expected a number"),
        ("place", "", {"side": "Hold"}, "side was 'Hold'; expected one of Buy, Sell"),
        ("place", "", {"colour": "red"}, "place has no field 'colour'; it has account"),
        ("next", "", {"seconds": "0"}, "seconds was 0; expected above 0"),
    ],
)
async def test_what_is_wrong_is_said(
    broker: TradovateBroker, name: str, target: str, given: dict[str, str], says: str
) -> None:
    before = broker.state()
    with pytest.raises(ActionError) as raised:
        perform(broker.panel(), name, target, given)
    assert says in str(raised.value)
    assert broker.state() == before and not broker.book.rules


async def test_an_empty_field_is_its_default() -> None:
    field = Field("n", "N", "whole number", "7")
    assert field.read(" ") == "7" and field.read(" 8 ") == "8"


async def test_a_table_keeps_the_newest_rows_and_counts_the_others() -> None:
    drawn = table("x", "X", ("A", "B"), list(range(MOST_ROWS + 5)), lambda n: Row(str(n), (str(n), "")), "A, B")
    assert drawn.left_out == 5 and drawn.rows[0].id == "5" and len(drawn.rows) == MOST_ROWS
    assert drawn.numeric == ("A", "B")


async def sync(ws: ClientConnection) -> None:
    await ws.send('user/syncrequest\n2\n\n{"users": [1]}')
    assert (await reply(ws, 2))["s"] == 200


async def test_connections_are_dropped_by_hand() -> None:
    async with running() as bench:
        panel = bench.broker.panel()
        async with bench.authorized() as ws:
            assert panel.stage(1) == "authorized" and panel.stage(2) == ""
            await sync(ws)
            assert panel.stage(1) == "synced"
            with pytest.raises(ActionError, match="code was 999"):
                perform(panel, "close", "1", {"code": "999"})
            with pytest.raises(ActionError, match="longer than 123 bytes"):
                perform(panel, "close", "1", {"reason": "ü" * 62})
            said = perform(panel, "close", "1", {"code": "4001", "reason": "out"})
            assert said == "connection 1: close frame 4001 sent"
            await ws.wait_closed()
            assert (ws.close_code, ws.close_reason) == (4001, "out")
        await bench.wait(lambda: bench.broker.history[1].ended_at is not None)
        with pytest.raises(ActionError, match="has ended already"):
            perform(panel, "rst", "1", {})
        async with bench.authorized():
            perform(panel, "silent", "2", {})
            assert panel.stage(2) == "authorized, silent"
            perform(panel, "rst", "2", {})
            await bench.wait(lambda: bench.broker.history[2].ended_by == "broker")


async def test_the_next_request_is_scripted_once() -> None:
    async with running() as bench, bench.authorized() as ws:
        said = perform(bench.broker.panel(), "next", "", {"endpoint": "auth/me", "what": "ticket", "seconds": "2"})
        assert said == "the next auth/me: ticket"
        await ws.send("auth/me\n11\n\n")
        assert (await reply(ws, 11))["d"]["p-time"] == 2
        perform(bench.broker.panel(), "next", "", {"endpoint": "account/list", "what": "503"})
        for ident, status in ((12, 503), (13, 200)):
            await ws.send(f"account/list\n{ident}\n\n")
            assert (await reply(ws, ident))["s"] == status


async def test_a_shutdown_is_told_and_all_tokens_expire() -> None:
    async with running() as bench, bench.authorized() as ws:
        panel = bench.broker.panel()
        assert perform(panel, "expire-tokens", "", {}) == "1 token(s) expired"
        assert perform(panel, "expire-tokens", "", {}) == "0 token(s) expired"
        assert perform(panel, "shutdown", "", {}) == "shutdown told to 1 connection(s)"
        assert await messages(ws) == [{"e": "shutdown", "d": {"reasonCode": "Maintenance"}}]
        await ws.wait_closed()
        assert ws.close_code == 1001


async def test_the_next_upgrade_and_the_next_events_are_scripted() -> None:
    async with running() as bench:
        panel = bench.broker.panel()
        assert perform(panel, "upgrade", "", {"what": "429"}) == "the next upgrade: 429"
        with pytest.raises(InvalidStatus) as refused:
            async with bench.socket():
                pass
        assert refused.value.response.status_code == 429
        bench.broker.quiet(True)
        async with bench.authorized() as ws:  # once
            await sync(ws)
            with pytest.raises(ActionError, match="count was 0"):
                perform(panel, "events", "", {"count": "0"})
            for what, times in (("dropped", 0), ("twice", 2)):
                perform(panel, "events", "", {"count": "1", "what": what})
                account = bench.broker.db.of("account")[0]
                bench.broker.emit("account", "Updated", account)
                await ws.send("auth/me\n9\n\n")
                told = []
                while not told or told[-1].get("i") != 9:
                    told += await messages(ws)
                assert sum(message.get("e") == "props" for message in told) == times
