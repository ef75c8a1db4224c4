"""The reference client and the mutants as programs: what they say, and the status with which they leave."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

PAGE = Path(__file__).parents[2] / "docs" / "reference-client.md"
WITHIN = 20.0  # seconds: starting Python on a busy machine included


async def python(*arguments: str, **more: str) -> asyncio.subprocess.Process:
    env = {name: value for name, value in os.environ.items() if not name.startswith("BROKERCERT_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={**env, **more},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def ended(process: asyncio.subprocess.Process) -> tuple[str, str]:
    try:
        async with asyncio.timeout(WITHIN):
            out, err = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return out.decode(), err.decode()


@pytest.mark.asyncio
async def test_without_its_environment_it_says_what_is_missing_and_exits_2() -> None:
    process = await python("-m", "brokercert.reference.tradovate")
    _, err = await ended(process)
    assert process.returncode == 2
    assert "BROKERCERT_URL" in err and "Traceback" not in err


@pytest.mark.asyncio
async def test_a_mutant_that_is_none_is_refused_with_the_names_of_those_there_are() -> None:
    process = await python("-m", "brokercert.mutants.tradovate", "nobody")
    _, err = await ended(process)
    assert process.returncode == 2
    assert "never-syncs" in err


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("number", "program"), [(signal.SIGTERM, "reference.tradovate"), (signal.SIGINT, "mutants.tradovate minds-1000")]
)
async def test_a_signal_is_answered_by_a_close_frame_and_status_0(number: signal.Signals, program: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def serve_one(ws: ServerConnection) -> None:
        await ws.send("o")
        async for text in ws:
            heard.put_nowait(str(text))
        codes.put_nowait(ws.close_code)

    async with serve(serve_one, "127.0.0.1", 0, ping_interval=None) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        process = await python(
            *f"-m brokercert.{program}".split(),
            BROKERCERT_URL=f"ws://{address}/websocket",
            BROKERCERT_REST_URL=f"http://{address}",
            BROKERCERT_TOKEN="tok-given",
        )
        try:
            async with asyncio.timeout(WITHIN):
                assert await heard.get() == "authorize\n0\n\ntok-given"
                process.send_signal(number)
                assert await codes.get() == 1000
        finally:
            out, err = await ended(process)
        assert process.returncode == 0
        assert "tok-given" not in out and err == ""


@pytest.mark.asyncio
async def test_the_example_of_the_documentation_does_what_it_says() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    answers = {"user/syncrequest": {"users": [], "orders": [{"id": 7}]}, "account/list": [{"id": 25}]}

    async def serve_one(ws: ServerConnection) -> None:
        await ws.send("o")
        async for text in ws:
            if text != "[]":
                endpoint, ident, *_ = str(text).split("\n")
                await ws.send("a" + json.dumps([{"s": 200, "i": int(ident), "d": answers.get(endpoint)}]))
                await ws.send('a[{"e":"clock","d":"{}"}]')

    async with serve(serve_one, "127.0.0.1", 0, ping_interval=None) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        process = await python(
            *("-c", example),
            BROKERCERT_URL=f"ws://{address}/websocket",
            BROKERCERT_REST_URL=f"http://{address}",
            BROKERCERT_TOKEN="tok-given",
        )
        out, err = await ended(process)
    assert (process.returncode, err) == (0, "")
    lines = out.splitlines()
    assert "clock {}" in lines and "[{'id': 25}]" in lines and "[7]" in lines
