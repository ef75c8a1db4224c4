"""A proxy of the embedded server is open to this machine alone, whoever asks, unless the server was made otherwise."""

from __future__ import annotations

import asyncio
import http.client
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from brokercert.toxiproxy.api import Api
from brokercert.toxiproxy.server import ToxiproxyServer
from hypothesis import given
from hypothesis import strategies as st

pytestmark = pytest.mark.asyncio

OPEN = (
    "0.0.0.0:0",
    "[::]:0",
    ":::0",
    "0:0",
    "192.168.1.5:0",
    "[::ffff:0.0.0.0]:0",
    "[]:0",
    "example.com:0",
    "localhost.example.com:0",
    "127.0.0.1.example.com:0",
    "*:0",
    " 127.0.0.1:0",
    "0.0.0.0:99999",
)
OWN = ("127.0.0.1:0", "127.0.0.9:0", "localhost:0", "LOCALHOST:0", ":0", ":", "")


async def told(api: Api, method: str, path: str, body: Any) -> tuple[int, Any]:
    answer = await api.handle(method, path, json.dumps(body).encode(), "")
    return answer.status, json.loads(answer.body)


def refusal(listen: str, where: str = "") -> dict[str, Any]:
    """As the real server writes an error."""
    text = (
        f"listen {listen}: open to other machines; expected localhost, 127.x.x.x, [::1] or nothing as its host; to open"
        f" it all the same, make the server with ToxiproxyServer(everywhere=True){where}"
    )
    return {"error": text, "status": 400}


def wanted(listen: str, **more: Any) -> dict[str, Any]:
    return {"name": "p", "listen": listen, "upstream": "example.com:80", **more}


@pytest_asyncio.fixture
async def api() -> AsyncIterator[Api]:
    api = Api(random.Random(1))
    yield api
    for proxy in list(api.proxies.values()):
        await proxy.stop()


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("listen", OPEN)
async def test_a_proxy_for_other_machines_is_refused_and_changes_nothing(api: Api, listen: str, enabled: bool) -> None:
    """One that is disabled too: it could be enabled later."""
    assert await told(api, "POST", "/proxies", wanted(listen, enabled=enabled)) == (400, refusal(listen))
    assert not api.proxies
    status, made = await told(api, "POST", "/proxies", wanted("127.0.0.1:0", enabled=enabled))
    assert status == 201
    for method in ("POST", "PATCH"):
        change = {"LISTEN": listen, "upstream": "example.com:81", "enabled": True}
        assert await told(api, method, "/proxies/p", change) == (400, refusal(listen))
    assert await told(api, "GET", "/proxies/p", None) == (200, made)
    several = [wanted("127.0.0.1:0", name="q"), wanted(listen)]
    assert await told(api, "POST", "/populate", several) == (
        400,
        {**refusal(listen, " at proxy 2"), "proxies": None},
    )
    assert list(api.proxies) == ["p"] and api.proxies["p"].as_json() == made


@pytest.mark.parametrize("listen", OWN)
async def test_loopback_is_taken_and_no_host_means_loopback(api: Api, listen: str) -> None:
    status, made = await told(api, "POST", "/proxies", wanted(listen))
    assert status == 201 and made["enabled"] and made["upstream"] == "example.com:80", "the upstream is free"
    assert made["listen"].startswith("127.0.0.")
    status, moved = await told(api, "POST", "/proxies/p", {"listen": ":0"})
    assert status == 200 and moved["listen"].startswith("127.0.0.1:")


@pytest.mark.parametrize("listen", ["[::1]:0", "::1:0", "[::ffff:127.0.0.1]:0"])
async def test_loopback_of_ipv6_is_taken_where_the_machine_has_it(api: Api, listen: str) -> None:
    status, said = await told(api, "POST", "/proxies", wanted(listen))
    assert status == 201 or (status == 500 and "bind: " in said["error"])


@given(listen=st.text("0127.:[]f%xlocahst*", max_size=16) | st.ip_addresses().map(lambda x: f"[{x}]:0"))
async def test_whatever_is_asked_for_nothing_listens_beyond_loopback(listen: str) -> None:
    api = Api(random.Random(1))
    try:
        for body in (wanted(listen), wanted(listen, name="q", enabled=False)):
            await told(api, "POST", "/proxies", body)
        await told(api, "POST", "/proxies/q", {"listen": listen, "enabled": True})
        await api.handle("POST", "/reset", b"", "")
        for proxy in api.proxies.values():
            if proxy.enabled:
                host = proxy.listen.rpartition(":")[0]
                assert host.startswith("127.") or host == "[::1]"
    finally:
        for proxy in list(api.proxies.values()):
            await proxy.stop()


async def test_a_server_that_was_made_for_it_listens_where_it_is_told(api: Api) -> None:
    opened = Api(random.Random(1), everywhere=True)
    try:
        status, made = await told(opened, "POST", "/proxies", wanted("0.0.0.0:0"))
        assert status == 201 and made["listen"].startswith("0.0.0.0:")
        status, made = await told(opened, "POST", "/proxies", wanted(":0", name="q"))
        assert status == 201 and made["listen"].startswith("127.0.0.1:"), "a port alone is no word for everybody"
    finally:
        for proxy in list(opened.proxies.values()):
            await proxy.stop()


@pytest.mark.parametrize("everywhere", [False, True])
async def test_so_it_is_over_http(everywhere: bool) -> None:
    server = ToxiproxyServer(everywhere=everywhere)
    await server.start()

    def ask() -> tuple[int, str | None, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        try:
            connection.request("POST", "/proxies", json.dumps(wanted("0.0.0.0:0")).encode())
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type"), json.loads(answer.read())
        finally:
            connection.close()

    try:
        status, kind, body = await asyncio.to_thread(ask)
    finally:
        await server.close()
    if everywhere:
        assert status == 201
    else:
        assert (status, kind, body) == (400, "text/plain; charset=utf-8", refusal("0.0.0.0:0"))
