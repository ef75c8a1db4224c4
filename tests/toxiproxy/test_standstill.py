"""No deadline counts time in which our own loop stood still: neither on a server of another process nor on our own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any

import pytest
from brokercert.toxiproxy import driver as driving
from brokercert.toxiproxy.choose import choose
from brokercert.toxiproxy.driver import DirectDriver, Driver, ToxiproxyError

STANDS_STILL = 1.0  # seconds, several times the deadline below
DEADLINE = 10.0


class Answers(BaseHTTPRequestHandler):
    """A server that takes a tenth of a second, and never answers a DELETE of `frozen`."""

    released = threading.Event()

    def do_GET(self) -> None:
        time.sleep(0.1)
        self._answer(b'{"version": "2.12.0"}')

    def do_DELETE(self) -> None:
        if self.path.endswith("/frozen"):
            self.released.wait(DEADLINE)
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


async def while_standing_still(call: Awaitable[Any], seconds: float = STANDS_STILL) -> Any:
    """The loop stands still just after the call was made, for longer than a call may take."""
    task = asyncio.ensure_future(call)
    await asyncio.sleep(0.02)
    time.sleep(seconds)  # noqa: ASYNC251  # that is the point
    async with asyncio.timeout(DEADLINE):
        return await task


@pytest.fixture
def elsewhere() -> Any:
    """A server in a thread, as one in another process would be: a standstill of our loop does not stop it."""
    Answers.released.clear()
    server: HTTPServer = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server.server_address[1]
    Answers.released.set()
    server.shutdown()
    server.server_close()
    thread.join(DEADLINE)


@pytest.mark.asyncio
async def test_a_server_that_answered_while_we_stood_still_has_answered(
    elsewhere: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driving, "WITHIN", 0.3)
    driver = Driver("127.0.0.1", elsewhere)
    assert await while_standing_still(driver.version()) == "2.12.0"
    await driver.close()


@pytest.mark.asyncio
async def test_a_call_that_is_not_answered_keeps_no_other_waiting(
    elsewhere: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driving, "WITHIN", 1.0)
    driver = Driver("127.0.0.1", elsewhere)
    frozen = asyncio.ensure_future(driver.ask("DELETE", "/proxies/frozen"))
    await asyncio.sleep(0.05)
    assert await driver.version() == "2.12.0"
    assert not frozen.done(), "it was answered while the other was not"
    with pytest.raises(ToxiproxyError, match="DELETE /proxies/frozen"):
        await frozen
    await driver.close()


@pytest.mark.asyncio
async def test_the_embedded_server_has_no_deadline_to_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = await choose(real_allowed=False)
    try:
        assert chosen.description == "embedded", "its HTTP API was tried by the vendor's library, and answered"
        monkeypatch.setattr(driving, "WITHIN", 0.05)
        assert isinstance(chosen.driver, DirectDriver)
        proxy = await while_standing_still(chosen.driver.create("p", "127.0.0.1:9"), 0.2)
        for call in (proxy.disable(), proxy.enable(), proxy.add("latency", "downstream", {"latency": 1})):
            await while_standing_still(call, 0.2)
        await while_standing_still(proxy.destroy(), 0.2)
        assert await chosen.driver.ask("GET", "/proxies") == {}
    finally:
        await chosen.close()


@pytest.mark.asyncio
async def test_an_embedded_server_that_misses_its_trial_is_used_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial is a call to ourselves: a machine that is too busy for it loses a sentence, and no run."""
    monkeypatch.setattr(driving, "WITHIN", 0.05)
    monkeypatch.setattr(driving, "TURN", 0.01)
    asyncio.get_running_loop().call_later(0.01, time.sleep, STANDS_STILL)
    chosen = await choose(real_allowed=False)
    try:
        proxy = await chosen.driver.create("p", "127.0.0.1:9")
        await proxy.destroy()
        assert chosen.kind == "embedded"
    finally:
        await chosen.close()


@pytest.mark.asyncio
async def test_a_proxy_that_somebody_else_deleted_is_gone_as_it_should_be(bench: Any) -> None:
    made = await bench()
    await made.driver.ask("DELETE", f"/proxies/{made.proxy.name}")
    with pytest.raises(ToxiproxyError, match="proxy not found") as refused:
        await made.proxy.disable()
    assert refused.value.status == 404
    await made.proxy.destroy()
