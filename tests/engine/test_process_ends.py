"""Every end of a client that is ours is told before it takes effect; how long it then takes is no error of ours."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from brokercert.engine.client import leftovers, process
from brokercert.engine.client.subject import Stop, Stream
from brokercert.engine.errors import HarnessError
from brokercert.trace.records import Why
from programs import DEADLINE, Notes, Play

CONNECTED = """
import os, signal, socket, subprocess, sys, time
{first}
connection = socket.create_connection(("127.0.0.1", {port}))
print("up", flush=True)
{then}
time.sleep(300)
"""
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
DAEMON = "if os.fork(): os._exit(0)\nos.setsid()"
WAYS: dict[str, tuple[str, str, Stop, bool, tuple[Why, int]]] = {
    # what it does first, and then; how it may be asked; whether it is; what is told of our end of it
    "cannot be asked": ("", "", "none", True, ("unasked", 0)),
    "was not asked": ("", "", "signal", False, ("unasked", 0)),
    "ignores the signal": (DEAF, "", "signal", True, ("asked", 0)),
    "ignores the command": ("", "", "command", True, ("asked", 0)),
    "closed its own input": ("", "os.close(0)", "none", True, ("unasked", 0)),
    "went to the background": (DAEMON, "", "signal", False, ("left-over", 1)),
    "went there without our mark": (DAEMON.replace("os.setsid()", ""), "", "none", False, ("left-over", 1)),
}


class Told(Notes):
    """Notes the order in which it is told of our end, and of the end of the client's connection."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []

    def ending(self, at: float, why: Why, processes: int) -> None:
        super().ending(at, why, processes)
        self.order.append("ours")


@asynccontextmanager
async def listening(told: Told) -> AsyncIterator[int]:
    """A server that tells when a connection of the client's ends. Yields its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read()
        told.order.append("its connection ended")
        told.changed.set()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.asyncio
@pytest.mark.parametrize("way", WAYS)
async def test_our_end_of_a_client_is_told_before_its_connection_ends(way: str, play: Play) -> None:
    first, then, stop, asked, ending = WAYS[way]
    told = play.notes = Told()
    async with listening(told) as port:
        subject = await play.python(CONNECTED.format(first=first, then=then, port=port), stop=stop)
        await told.until(lambda: told.printed("up"))
        if ending[0] == "left-over":
            assert await subject.wait_exit(DEADLINE)
        if asked:
            await subject.ask_stop(judged=False)
        await asyncio.sleep(0.05)
        await subject.kill()
        await told.until(lambda: len(told.order) == 2)
    assert told.order == ["ours", "its connection ended"]
    assert told.endings == [ending]
    assert play.running() == []


@pytest.mark.asyncio
@pytest.mark.parametrize("asked", [False, True])
async def test_a_client_that_left_alone_was_not_ended_by_us(asked: bool, play: Play) -> None:
    subject = await play.python("import time; time.sleep(300)" if asked else "print('bye')")
    if asked:
        await subject.ask_stop(judged=True)
    assert await subject.wait_exit(DEADLINE)
    await subject.kill()
    assert play.notes.exits == ([(-signal.SIGTERM, True)] if asked else [(0, False)])
    assert play.notes.endings == []


@pytest.mark.asyncio
async def test_a_crash_is_told_before_what_we_do_to_its_helpers(play: Play) -> None:
    """Else it would be taken for our doing: the helper holds the pipes, so that its last output is awaited."""
    order: list[str] = []

    class Ordered(Notes):
        def ending(self, at: float, why: Why, processes: int) -> None:
            order.append(why)

        def exited(self, at: float, code: int, asked: bool) -> None:
            order.append(f"exit {code}")
            super().exited(at, code, asked)

    play.notes = Ordered()
    subject = await play.python("""
        import subprocess, sys
        subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(300)"])
        print("up", flush=True)
        sys.exit(3)
    """)
    assert isinstance(subject, process.ProcessSubject)
    async with asyncio.timeout(DEADLINE):
        await subject._died.wait()
    await subject.kill()
    assert order == ["exit 3", "left-over"]


@pytest.mark.asyncio
async def test_a_client_that_is_ended_while_it_is_being_started_is_told(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    start = loop.subprocess_exec

    async def interrupted(*given: object, **more: object) -> None:
        await start(*given, **more)  # type: ignore[arg-type]
        raise asyncio.CancelledError

    monkeypatch.setattr(loop, "subprocess_exec", interrupted)
    with pytest.raises(asyncio.CancelledError):
        await play.python("import time; time.sleep(300)")
    assert play.notes.endings == [("unasked", 0)]
    assert play.running() == []
    await play.notes.until(lambda: bool(play.notes.exits))


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Looks and turns that follow each other more quickly."""
    monkeypatch.setattr(leftovers, "PAUSE", 0.002)
    yield


@pytest.mark.asyncio
@pytest.mark.parametrize("looks", [0, process.LOOKS // 2, process.LOOKS * 2])
async def test_a_slow_death_is_waited_for_by_looks(
    looks: int, play: Play, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel may close ten thousand sockets before a process is gone; only one that stays is an error."""
    subject = await play.python("import time; time.sleep(300)")
    seen = iter(range(looks))
    monkeypatch.setattr(leftovers, "belonging", lambda clients: [2**31 - 1] if next(seen, None) is not None else [])
    if looks > process.LOOKS:
        with pytest.raises(HarnessError, match="was still there"):
            await subject.kill()
    else:
        await subject.kill()
    await play.notes.until(lambda: bool(play.notes.exits))


@pytest.mark.asyncio
async def test_output_that_takes_long_to_tell_is_no_failure_to_end_it(
    play: Play, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gigabyte of it on a busy machine: the process is long gone, and the loop comes round seldom."""
    monkeypatch.setattr(process, "TURNS", 50)

    class Slow(Notes):
        def output(self, at: float, stream: Stream, line: str, cut: bool) -> None:
            time.sleep(0.0005)  # the loop stands still, as it does on a busy machine
            super().output(at, stream, line, cut)

    play.notes = Slow()
    subject = await play.python("print('line\\n' * 4000, flush=True)\nimport time; time.sleep(300)")
    await play.notes.until(lambda: bool(play.notes.lines))
    await subject.kill()
    assert play.notes.exits == [(-signal.SIGKILL, False)]
    assert len(play.notes.lines) > 4000


@pytest.mark.asyncio
async def test_an_exit_that_is_never_told_is_an_error_and_not_a_hang(
    play: Play, soon: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "TURNS", 50)
    subject = await play.python("print('up', flush=True)\nimport time; time.sleep(300)")
    await play.notes.until(lambda: play.notes.printed("up"))
    subject.output.hold()
    with pytest.raises(HarnessError, match="its exit untold"):
        await subject.kill()
    subject.output.go_on()
    await play.notes.until(lambda: bool(play.notes.exits))
