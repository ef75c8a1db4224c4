"""The live page in a real browser: what the broker thinks stands there, and nothing is loaded from elsewhere."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.sync.client import ClientConnection, connect

pytestmark = pytest.mark.timeout(120)  # the browser's start on a loaded machine

HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"


@contextmanager
def serving(set_id: str) -> Iterator[dict[str, str]]:
    """`brokercert serve --web` as a program: its variables, and the page's URL as `PAGE`."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "brokercert", "serve", "--set", set_id, "--web"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    found: dict[str, str] = {}
    while "PAGE" not in found:
        line = process.stdout.readline()
        assert line, "it ended before it told of the page"
        name, _, value = line.removeprefix("export ").strip().partition("=")
        found[name] = value.strip("'")
        if line.startswith("# the page: "):
            found["PAGE"] = line.removeprefix("# the page: ").strip()
    try:
        yield found
    finally:
        process.terminate()
        process.communicate(timeout=20)


@contextmanager
def logged_in(served: dict[str, str]) -> Iterator[ClientConnection]:
    with connect(
        served["BROKERCERT_URL"], proxy=None, compression=None, user_agent_header="a client in a test", close_timeout=1
    ) as ws:
        log_in(ws, served)
        yield ws


def log_in(ws: ClientConnection, served: dict[str, str]) -> None:
    assert ws.recv(timeout=10) == "o"
    ask(ws, 1, "authorize", served["BROKERCERT_TOKEN"])
    ask(ws, 2, "user/syncrequest", '{"users": [1]}')


def ask(ws: ClientConnection, ident: int, endpoint: str, body: str) -> Any:
    ws.send(f"{endpoint}\n{ident}\n\n{body}")
    while True:
        text = ws.recv(timeout=10)
        assert isinstance(text, str)
        for message in json.loads(text[1:]) if text.startswith("a") else []:
            if message.get("i") == ident:
                assert message["s"] == 200, message
                return message.get("d")


def text_of(selector: str) -> str:
    return f"(document.querySelector({json.dumps(selector)})?.innerText ?? '')"


def row_of(connection: int) -> str:
    return text_of(f"#b-connections tr[data-id='{connection}']")


def test_a_developer_sees_what_the_broker_thinks(browser: Any) -> None:
    for set_id, play in (("tradovate-stage2", play_tradovate), ("arrow-orders@2025", play_arrow)):
        browser.requests.clear()
        with serving(set_id) as served, ExitStack() as clients:
            browser.open(served["PAGE"])
            browser.wait_true(f"{text_of('#link')} === 'live'")
            play(served, browser, clients)
            browser.open("about:blank")  # before its broker goes, which it would complain of
        own = served["PAGE"].split("?")[0].removeprefix("http://")
        addresses = {url.split("?")[0] for url in browser.requests if not url.startswith(("data:", "about:"))}
        assert addresses == {f"http://{own}", f"ws://{own}live"}  # the page itself and its socket
    assert browser.errors == []


def play_tradovate(served: dict[str, str], browser: Any, clients: ExitStack) -> None:
    # A script logs in and places an order: the connection and the order's row appear.
    ws = clients.enter_context(logged_in(served))
    browser.wait_true(f"{row_of(1)}.includes('synced')")
    account = int(served["BROKERCERT_ACCOUNTS"].split(",")[0])
    order = {"accountId": account, "action": "Buy", "symbol": "ESH6", "orderQty": 3, "orderType": "Limit"}
    placed = ask(
        ws, 3, "order/placeorder", json.dumps(order | {"price": 5000.25, "timeInForce": "Day", "isAutomated": True})
    )
    row = f"#b-orders tr[data-id='{placed['orderId']}']"
    browser.wait_true(f"{text_of(row)}.includes('Working') && {text_of(row)}.includes('5000.25')")

    # Filled by hand in the page: the status changes, and the client has been told.
    browser.click(f"{row} button[data-act='fill']")
    browser.wait_true("document.querySelector('#ask').open")
    browser.click("#ask button[type='submit']")
    browser.wait_true(f"{text_of(row)}.includes('Filled') && {text_of('#said')}.startsWith('Done')")
    told = ""
    while '"ordStatus":"Filled"' not in told:
        told = str(ws.recv(timeout=10))
    browser.wait_true("document.querySelector('#b-fills tr') && document.querySelector('#b-positions tr')")

    # A hostile frame is text; the token is a label.
    ws.send(HOSTILE)
    browser.wait_true(f"{text_of('#b-wire')}.includes(\"<script>document.title='taken'</script>\")")
    assert browser.value("document.title").endswith("live")
    assert browser.value("document.querySelectorAll('script, img').length") == 1
    everything = browser.value("document.documentElement.outerHTML")
    assert served["BROKERCERT_TOKEN"] not in everything and "«access-token#1»" in everything

    # A drop by hand, and the reconnect.
    browser.click("#b-connections tr[data-id='1'] button[data-act='rst']")
    browser.wait_true(f"{row_of(1)}.includes('broker ended it (RST)')")
    again = clients.enter_context(logged_in(served))
    browser.wait_true(f"{row_of(2)}.includes('synced')")
    assert not browser.value("document.querySelectorAll('#b-connections tr[data-id=\"1\"] button').length")

    # A filter by connection leaves the other one's lines out; a pause keeps what comes back, and says so.
    browser.value("(e => { e.value = '2'; e.dispatchEvent(new Event('input')) })(document.querySelector('#only'))")
    cells = "[...document.querySelectorAll('#b-wire tr')].map(tr => tr.cells[1].innerText)"
    assert browser.value(f"[...new Set({cells})].join()") == "2"
    browser.click("#pause")
    browser.wait_true(f"{text_of('#link')} === 'paused'")
    ask(again, 3, "auth/me", "")
    browser.wait_true(f"{text_of('#n-wire')}.includes('new since the pause')")
    assert "auth/me" not in browser.value(text_of("#b-wire"))
    browser.click("#pause")
    browser.wait_true(f"{text_of('#b-wire')}.includes('auth/me')")


def play_arrow(served: dict[str, str], browser: Any, clients: ExitStack) -> None:
    query = urlencode({"session": served["BROKERCERT_SESSION"], "token": served["BROKERCERT_TOKEN"]})
    url = f"{served['BROKERCERT_URL']}/?{query}"
    ws = clients.enter_context(connect(url, proxy=None, compression=None, close_timeout=1))
    browser.wait_true(f"{row_of(1)}.includes('logged in')")

    # Placed over REST, by a script: a row. Filled by hand: its status changes, and the client is told.
    request = urllib.request.Request(
        f"{served['BROKERCERT_REST_URL']}/orders?{query}",
        json.dumps({"symbol": "SBIN-EQ", "side": "BUY", "quantity": 50, "price": 625.5}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
        row = f"#b-orders tr[data-id='{json.load(answer)['orderId']}']"
    browser.wait_true(f"{text_of(row)}.includes('OPEN')")
    browser.click(f"{row} button[data-act='fill']")
    browser.wait_true("document.querySelector('#ask').open")
    browser.click("#ask button[type='submit']")
    browser.wait_true(f"{text_of(row)}.includes('COMPLETE')")
    told = ""
    while '"ORDER_EXECUTED"' not in told:
        told = str(ws.recv(timeout=10))
    assert served["BROKERCERT_TOKEN"] not in browser.value("document.documentElement.outerHTML")

    browser.click("#b-connections tr[data-id='1'] button[data-act='fin']")
    browser.wait_true(f"{row_of(1)}.includes('broker ended it (FIN)')")
    again = clients.enter_context(connect(url, proxy=None, compression=None, close_timeout=1))
    browser.wait_true("[...document.querySelectorAll('#b-connections tr')].at(0).innerText.includes('logged in')")
    again.close()
