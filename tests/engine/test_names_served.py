"""Names of this machine: a run that cannot serve one says so before it starts a client; a proxied path serves all."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.errors import UsageError
from brokercert.engine.play.paths import Paths
from brokercert.engine.run.run import Quiet, RunRequest, run_certification

TWO = ("127.0.0.1", "127.0.0.2")


def test_a_name_that_leads_nowhere_ends_the_run_before_a_client_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nowhere(host: Any, *rest: Any, **more: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    mark = tmp_path / "started"
    command = (sys.executable, "-c", f"open({str(mark)!r}, 'w')")
    subject = SubjectSpec("marks", command=command, offers=frozenset({"wire", "stop", "tls"}))
    with pytest.raises(UsageError, match=r"'localhost' has no address on this machine.*hosts file"):
        run_certification(RunRequest("tradovate-stage2", subject, only=("CON-030",), out=tmp_path / "out"), Quiet())
    assert not mark.exists()


async def _answers(address: str, port: int) -> bool:
    with socket.socket() as client:
        client.setblocking(False)
        try:
            async with asyncio.timeout(5):
                await asyncio.get_running_loop().sock_connect(client, (address, port))
        except OSError:
            return False
    return True


@pytest.mark.asyncio
async def test_a_proxied_path_has_one_port_on_every_address_and_is_one_path() -> None:
    broker = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with broker, Paths("run", virtual=True) as paths:
        way = await paths.open("scenario", broker.sockets[0].getsockname()[1], TWO)
        assert way.listen[0] == TWO[0]
        for change, answered in ((way.enable, True), (way.disable, False), (way.enable, True), (way.destroy, False)):
            await change()
            assert [await _answers(address, way.listen[1]) for address in TWO] == [answered] * 2


@pytest.mark.asyncio
async def test_a_toxic_is_on_every_address() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()
        await writer.wait_closed()

    broker = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with broker, Paths("run", virtual=True) as paths:
        way = await paths.open("scenario", broker.sockets[0].getsockname()[1], TWO)
        await way.add("limit_data", "downstream", {"bytes": 2})
        for address in TWO:
            reader, writer = await asyncio.open_connection(address, way.listen[1])
            async with asyncio.timeout(5):
                assert await reader.read() == b"he"
                writer.close()
                await writer.wait_closed()
        await way.destroy()
