"""The reference client and the mutants as programs: what they say, and the status with which they leave."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest
from websockets.asyncio.server import ServerConnection, serve

WITHIN = 20.0  # seconds: starting Python on a busy machine included


async def run(*arguments: str, **more: str) -> asyncio.subprocess.Process:
    env = {name: value for name, value in os.environ.items() if not name.startswith("BROKERCERT_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", *arguments),
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
    process = await run("brokercert.reference")
    _, err = await ended(process)
    assert process.returncode == 2
    assert "BROKERCERT_URL" in err and "Traceback" not in err


@pytest.mark.asyncio
async def test_a_mutant_that_is_none_is_refused_with_the_names_of_those_there_are() -> None:
    process = await run("brokercert.mutants", "nobody")
    _, err = await ended(process)
    assert process.returncode == 2
    assert "never-syncs" in err


@pytest.mark.asyncio
@pytest.mark.parametrize(("number", "program"), [(signal.SIGTERM, "reference"), (signal.SIGINT, "mutants minds-1000")])
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
        process = await run(
            *f"brokercert.{program}".split(),
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
