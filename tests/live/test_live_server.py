"""The live page's port: who is let in, what is sent, and what a hand-made action needs."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from brokercert.live import Feed, LivePage
from brokercert.live.feed import CONNECTIONS, LINES, LONGEST
from brokercert.live.server import VIEWERS
from brokercert.trace import records as r
from brokercert_mock import TradovateBroker
from brokercert_mock.port.panel import MOST_ROWS
from brokercert_reports.live import render_live
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

pytestmark = pytest.mark.asyncio
WITHIN = 10.0


class Stand:
    """A page on a broker that nobody talks to; `feed` is told by hand."""

    def __init__(self) -> None:
        self.broker = TradovateBroker()
        self.feed = Feed()
        self.page = LivePage(
            self.feed,
            self.broker.panel(),
            page=render_live,
            redact=lambda text: text.replace("swordfish", "«password#1»"),
            clock=asyncio.get_running_loop().time,
            facts={"WebSocket": "ws://there"},
        )

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.page.port}"

    @property
    def token(self) -> str:
        return self.page.url.partition("token=")[2]

    async def get(
        self, target: str, *, host: str | None = None, method: str = "GET", origin: str = ""
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers and body of a plain request."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.page.port)
        host = host or f"127.0.0.1:{self.page.port}"
        more = f"Origin: {origin}\r\n" if origin else ""
        writer.write(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())
        async with asyncio.timeout(WITHIN):
            head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        lines = head.split("\r\n")
        return int(lines[0].split()[1]), dict(line.split(": ", 1) for line in lines[1:]), body

    def socket(self, *, token: str | None = None, origin: str | None = None) -> Any:
        query = self.token if token is None else token
        return connect(
            f"ws://127.0.0.1:{self.page.port}/live?token={query}", origin=origin, proxy=None, compression=None
        )


@pytest_asyncio.fixture
async def stand() -> AsyncIterator[Stand]:
    stand = Stand()
    await stand.page.start()
    yield stand
    await stand.page.close()
    await stand.broker.close()


async def news(ws: ClientConnection, key: str) -> Any:
    """The next message that has this key."""
    async with asyncio.timeout(WITHIN):
        while True:
            message = json.loads(await ws.recv())
            if key in message:
                return message


async def test_the_page_is_whole_and_bound_to_itself(stand: Stand) -> None:
    status, headers, body = await stand.get(f"/?token={stand.token}")
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'" and policy["connect-src"] == f"ws://127.0.0.1:{stand.page.port}"
    nonce = policy["script-src"].removeprefix("'nonce-").removesuffix("'")
    assert policy["img-src"] == "data:"  # the icon that stops a browser from asking for one
    for name in ("base-uri", "form-action", "frame-ancestors"):
        assert policy.pop(name) == "'none'"
    assert set(policy) == set("default-src script-src style-src img-src connect-src require-trusted-types-for".split())
    assert policy["style-src"] == policy["script-src"] and policy["require-trusted-types-for"] == "'script'"
    assert body.count("<script") == body.count(f'<script nonce="{nonce}">') == 1
    assert body.count("<style") == body.count(f'<style nonce="{nonce}">') == 1
    assert "http://" not in body and "https://" not in body and stand.token not in body
    assert headers["Cache-Control"] == "no-store" and headers["Referrer-Policy"] == "no-referrer"
    again = await stand.get(f"/?token={stand.token}")
    assert nonce not in again[1]["Content-Security-Policy"]


@pytest.mark.parametrize("target", ["/", "/?token=", "/?token=wrong", "/live", "/live?token=wrong", "/?token=%C3%BC"])
async def test_nobody_is_let_in_without_the_token(stand: Stand, target: str) -> None:
    status, _, body = await stand.get(target)
    assert status == 403 and "open the URL that brokercert serve printed" in body


async def test_a_foreign_name_that_leads_here_is_refused(stand: Stand) -> None:
    for host in ("evil.example", f"evil.example:{stand.page.port}", "127.0.0.1", f"127.0.0.1:{stand.page.port}.evil"):
        assert (await stand.get(f"/?token={stand.token}", host=host))[0] == 421
    assert (await stand.get(f"/?token={stand.token}", host=f"localhost:{stand.page.port}"))[0] == 200


async def test_two_hosts_are_none(stand: Stand) -> None:
    ours = f"127.0.0.1:{stand.page.port}"
    assert (await stand.get(f"/?token={stand.token}", host=f"{ours}\r\nHost: {ours}"))[0] == 421


async def test_what_is_not_there_is_not_found(stand: Stand) -> None:
    assert (await stand.get(f"/else?token={stand.token}"))[0] == 404


async def test_a_foreign_page_gets_no_socket(stand: Stand) -> None:
    for origin in ("http://evil.example", f"https://127.0.0.1:{stand.page.port}", "http://127.0.0.1", "null"):
        with pytest.raises(InvalidStatus) as refused:
            async with stand.socket(origin=origin):
                pass
        assert refused.value.response.status_code == 403
        status, _, body = await stand.get(f"/?token={stand.token}", origin=origin)
        assert status == 403 and origin in body
    with pytest.raises(InvalidStatus) as refused:
        async with stand.socket(origin=stand.origin, token="wrong"):
            pass
    assert refused.value.response.status_code == 403
    async with stand.socket(origin=stand.origin) as ws:
        assert (await news(ws, "facts"))["facts"] == {"WebSocket": "ws://there"}
    async with stand.socket() as ws:  # no browser: no Origin
        assert await news(ws, "facts")


async def test_lines_and_state_come_as_they_change(stand: Stand) -> None:
    async with stand.socket() as ws:
        state = (await news(ws, "state"))["state"]
        assert {table["name"] for table in state["tables"]} >= {"orders", "fills", "positions"}
        assert state["connections"] == [] and state["connections_left_out"] == 0
        stand.feed.tell(r.Accepted(t=1, conn=1))
        message = await news(ws, "lines")
        assert [line["text"] for line in message["lines"]] == ["TCP connection accepted"] and message["total"] == 1
        stand.feed.tell(r.Step(t=2, text="second"))
        assert [line["text"] for line in (await news(ws, "lines"))["lines"]] == ["second"]
    async with stand.socket() as late:
        assert len((await news(late, "lines"))["lines"]) == 2


async def act(ws: ClientConnection, **asked: Any) -> tuple[bool, str]:
    await ws.send(json.dumps(asked))
    answer = await news(ws, "answer")
    assert answer["answer"] == asked.get("id", 0)
    return answer["ok"], answer["text"]


async def test_an_action_is_done_answered_and_seen_by_all(stand: Stand) -> None:
    async with stand.socket() as ws, stand.socket() as other:
        offered = {action["name"]: action for action in (await news(ws, "actions"))["actions"]}
        assert offered["fill"]["on"] == "orders" and offered["rst"]["on"] == "connection"
        await news(other, "state")
        ok, text = await act(ws, do="place", id=5, give={"qty": "2", "price": "4999.5"})
        ident = text.split()[1]
        assert ok and text == f"order {ident} placed: Buy 2 ESH6"
        orders = next(x for x in (await news(other, "state"))["state"]["tables"] if x["name"] == "orders")
        assert orders["rows"][-1]["id"] == ident and "4999.5" in orders["rows"][-1]["cells"]
        assert await act(ws, do="fill", id=6, on=ident) == (True, f"order {ident}: the rest filled")
        ok, text = await act(ws, do="fill", id=7, on=ident)
        assert not ok and "cannot fill" in text and ident in text


async def test_what_is_no_action_is_said_and_nothing_breaks(stand: Stand) -> None:
    async with stand.socket() as ws:
        for wrong in ("", "{", "[]", '{"do": 1}', '{"do": "place", "more": 1}', '{"do": "place", "give": {"qty": 1}}'):
            await ws.send(wrong)
            answer = await news(ws, "answer")
            assert not answer["ok"] and answer["text"].startswith("not understood: ")
        ok, text = await act(ws, do="fill", on="0", give={"swordfish": "1"})
        assert not ok and "'«password#1»'" in text  # a secret is a label wherever it comes from
        assert (await act(ws, do="place"))[0]


async def test_pages_are_bounded(stand: Stand) -> None:
    sockets = [await stand.socket().__aenter__() for _ in range(VIEWERS)]
    async with stand.socket() as late:
        with pytest.raises(ConnectionClosedError) as closed:
            await asyncio.wait_for(late.recv(), WITHIN)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1013
    await asyncio.gather(*(ws.close() for ws in sockets))
    async with asyncio.timeout(WITHIN):
        while True:  # the last one's place is free once the server has seen it go
            async with stand.socket() as ws:
                try:
                    assert json.loads(await ws.recv())["facts"]
                    return
                except ConnectionClosedError:
                    continue


async def test_secrets_in_the_state_are_labels(stand: Stand) -> None:
    account = stand.broker.credentials.accounts[0]
    stand.broker.exchange.change("account", account, name="swordfish")
    async with stand.socket() as ws:
        state = json.dumps((await news(ws, "state"))["state"], ensure_ascii=False)
    assert "swordfish" not in state and "«password#1»" in state


async def test_the_pages_example_works(stand: Stand, tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "live-page.md").read_text("utf-8")
    script = tmp_path / "example.py"
    script.write_text(text.split("```python\n")[1].split("```")[0], "utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, stand.page.url, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), WITHIN)
    assert out.decode().strip().endswith("placed: Sell 2 ESH6")


async def test_what_is_bounded_is_what_the_page_about_it_says() -> None:
    text = (Path(__file__).parents[2] / "docs" / "live-page.md").read_text("utf-8")
    script = render_live("x", "y")
    assert f"last {LINES} lines" in text and f"const MOST = {LINES};" in script
    assert f"first {LONGEST:,} characters" in text and f"last {MOST_ROWS} rows" in text
    assert f"last {CONNECTIONS}\nconnections" in text
