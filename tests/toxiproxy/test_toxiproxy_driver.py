"""The driver and the choice: every failure named, no proxy variables, PATCH, a deadline, and no child left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.errors import UsageError
from brokercert.toxiproxy import choose as choosing
from brokercert.toxiproxy import driver as driving
from brokercert.toxiproxy.choose import Chosen, choose, find_binary
from brokercert.toxiproxy.driver import Driver, ToxiproxyError
from brokercert.toxiproxy.server import ToxiproxyServer

Make = Callable[[], Awaitable[Any]]


@pytest.mark.asyncio
async def test_every_refusal_is_an_error_with_the_servers_text(bench: Make) -> None:
    made = await bench()
    ask, path = made.driver.ask, f"/proxies/{made.proxy.name}"
    host, port = made.proxy.listen
    cases: list[tuple[str, str, Any, str]] = [
        ("POST", "/proxies", {"upstream": "127.0.0.1:9"}, "missing required field: name"),
        ("POST", "/proxies", {"name": made.proxy.name, "upstream": "127.0.0.1:9"}, "proxy already exists"),
        ("POST", "/proxies", {"name": "busy", "upstream": "x:1", "listen": f"{host}:{port}"}, "address already in use"),
        ("GET", "/proxies/none", None, "proxy not found"),
        ("DELETE", f"{path}/toxics/none", None, "toxic not found"),
        ("PATCH", f"{path}/toxics/none", {}, "toxic not found"),
        ("POST", f"{path}/toxics", {"type": "bogus"}, "invalid toxic type"),
        ("GET", "/nope", None, "404 page not found"),
        ("DELETE", "/version", None, "405"),
    ]
    for method, url, body, text in cases:
        with pytest.raises(ToxiproxyError, match=text):
            await ask(method, url, body)
    with pytest.raises(ToxiproxyError, match="proxy already exists"):
        await made.driver.create(made.proxy.name, "127.0.0.1:9")


@pytest.mark.asyncio
async def test_proxy_variables_of_the_environment_are_ignored(bench: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await bench()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await made.proxy.add("latency", "downstream", {"latency": 1})
    await made.proxy.update("latency_downstream", {"latency": 2})
    assert (await made.proxy.toxics())[0]["attributes"] == {"latency": 2, "jitter": 0}
    await made.proxy.remove("latency_downstream")


@pytest.mark.asyncio
async def test_a_change_that_is_not_taken_is_an_error(bench: Make) -> None:
    made = await bench()
    with pytest.raises(ToxiproxyError, match="the server took"):
        await made.proxy.add("latency", "downstream", {"no_such_attribute": 1})


@pytest.mark.asyncio
async def test_a_server_that_never_answers_meets_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving, "WITHIN", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        driver = Driver("127.0.0.1", silent.getsockname()[1])
        with pytest.raises(ToxiproxyError, match=r"[Tt]ime"):
            await driver.version()
        await driver.close()


@pytest.mark.asyncio
async def test_two_drivers_keep_to_their_servers() -> None:
    async with ToxiproxyServer() as one, ToxiproxyServer() as two:
        drivers = [Driver("127.0.0.1", server.port) for server in (one, two)]
        await asyncio.gather(*(d.create(f"p{n}", "127.0.0.1:9") for n, d in enumerate(drivers)))
        assert [list(await d.ask("GET", "/proxies")) for d in drivers] == [["p0"], ["p1"]]
        for driver in drivers:
            await driver.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://"])
async def test_a_wrong_toxiproxy_url_is_the_users_error(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOXIPROXY_URL", url)
    with pytest.raises(UsageError, match="TOXIPROXY_URL"):
        await choose()


@pytest.mark.asyncio
async def test_a_named_server_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ToxiproxyServer() as server:
        monkeypatch.setenv("TOXIPROXY_URL", f"http://127.0.0.1:{server.port}")
        chosen = await choose()
        assert (chosen.kind, chosen.version) == ("real", "2.12.0-embedded")
        assert await chosen.driver.ask("GET", "/proxies") == {}, "its probe is gone again"
        await chosen.close()


@pytest.mark.asyncio
async def test_a_binary_that_dies_gives_way_to_the_embedded_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = tmp_path / choosing.BINARY
    binary.write_text("#!/bin/sh\nexit 7\n")
    binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    monkeypatch.delenv("TOXIPROXY_URL", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    chosen = await choose()
    assert chosen.kind == "embedded"
    assert "it left with status 7" in chosen.description
    await chosen.close()


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.asyncio
async def test_the_real_child_is_gone_after_close(chosen: Chosen) -> None:
    if chosen.process is None:
        assert chosen.kind == "embedded" or os.environ["TOXIPROXY_URL"]
        return
    assert not gone(chosen.process.pid)
    await chosen.close()
    assert gone(chosen.process.pid)


@pytest.mark.asyncio
async def test_the_real_child_does_not_survive_a_killed_harness(monkeypatch: pytest.MonkeyPatch) -> None:
    if find_binary() is None:
        pytest.skip("no real toxiproxy-server: no binary on PATH or in .tools/")
    monkeypatch.delenv("TOXIPROXY_URL", raising=False)
    program = (
        "import asyncio\nfrom brokercert.toxiproxy.choose import choose\n"
        "async def main():\n"
        "    chosen = await choose()\n"
        "    print(chosen.process.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    harness = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert harness.stdout is not None
    async with asyncio.timeout(10):
        pid = int(await harness.stdout.readline())
        assert not gone(pid)
        harness.send_signal(signal.SIGKILL)
        await harness.wait()
        while not gone(pid):  # noqa: ASYNC110  # another program's end has no event
            await asyncio.sleep(0.05)
