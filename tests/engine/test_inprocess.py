"""Clients in this process are treated as programs would be: an exit status, bounded output, nothing left running."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import looptime
import pytest
from brokercert.engine.client import inprocess
from brokercert.engine.client.running import RunningSubject, start_subject
from brokercert.engine.client.subject import Stream, SubjectSpec
from brokercert.trace.records import Why


class Notes:
    def __init__(self) -> None:
        self.told: list[Any] = []

    def started(self, at: float) -> None:
        self.told.append("started")

    def output(self, at: float, stream: Stream, line: str, cut: bool) -> None:
        self.told.append((stream, line))

    def report(self, at: float, event: str, body: Mapping[str, Any]) -> None:
        self.told.append((event, dict(body)))

    def broken_report(self, at: float, line: int, text: str, why: str) -> None:
        self.told.append(("broken", line, text))

    def dropped(self, at: float, lines: int, bytes: int) -> None:
        self.told.append(("dropped", lines, bytes))

    def stop_asked(self, at: float, how: str, judged: bool) -> None:
        self.told.append((at, how, judged))

    def ending(self, at: float, why: Why, processes: int) -> None:
        self.told.append((at, "ending", why, processes))

    def exited(self, at: float, code: int, asked: bool) -> None:
        self.told.append((at, "exit", code, asked))


class Client:
    """Base of the odd ones: says what it is told, runs until it is stopped."""

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None]) -> None:
        self.env, self.output = env, output
        self.stopped = asyncio.Event()

    async def run(self) -> int:
        self.output(f"url {self.env['BROKERCERT_URL']}")
        await self.stopped.wait()
        await asyncio.sleep(3)  # its closing handshake
        return 0

    async def stop(self) -> None:
        self.stopped.set()


async def start(factory: Any, notes: Notes, **more: Any) -> RunningSubject:
    spec = SubjectSpec("odd", factory=factory, level=more.pop("level", "in process"), **more)
    loop = asyncio.get_running_loop()
    return await start_subject(spec, {"BROKERCERT_URL": "ws://here"}, notes, Path("unused"), loop.time)


def test_it_runs_prints_and_stops_when_asked_in_virtual_time() -> None:
    notes = Notes()

    async def play() -> None:
        subject = await start(Client, notes)
        assert not await subject.wait_exit(60)
        await subject.ask_stop(judged=True)
        assert await subject.wait_exit(15)
        assert subject.exit_code == 0 and not subject.alive
        assert subject.tail == ["url ws://here"]
        await subject.kill()

    loop = looptime.new_event_loop()
    try:
        loop.run_until_complete(play())
    finally:
        loop.close()
    assert notes.told == ["started", ("out", "url ws://here"), (60, "in process", True), (63, "exit", 0, True)]


@pytest.mark.asyncio
async def test_an_exception_is_a_crash_with_its_traceback() -> None:
    class Crashing(Client):
        async def run(self) -> int:
            raise LookupError("lost it")

    notes = Notes()
    subject = await start(Crashing, notes)
    assert await subject.wait_exit(5)
    assert subject.exit_code == 70
    assert ("err", "LookupError: lost it") in notes.told
    assert notes.told[-1][1:] == ("exit", 70, False)
    await subject.kill()


@pytest.mark.asyncio
async def test_a_factory_that_raises_and_sys_exit_are_the_clients_own() -> None:
    def broken(env: Mapping[str, str], output: Callable[[str], None]) -> Client:
        raise ValueError("no client")

    class Leaving(Client):
        async def run(self) -> int:
            raise SystemExit(4)

    for factory, code in ((broken, 70), (Leaving, 4)):
        subject = await start(factory, Notes())
        assert await subject.wait_exit(5)
        assert subject.exit_code == code
        await subject.kill()


@pytest.mark.asyncio
async def test_to_be_killed_is_to_be_cancelled_with_every_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inprocess, "DEATH", 1.0)  # the stubborn one is given a tenth of it, twice
    ended: list[str] = []

    async def worker(name: str, stubborn: int) -> None:
        while True:
            try:
                await asyncio.sleep(300)
            except asyncio.CancelledError:
                if stubborn == 0:
                    ended.append(name)
                    raise
                stubborn -= 1

    class Busy(Client):
        async def run(self) -> int:
            self.tasks = [asyncio.create_task(worker("plain", 0)), asyncio.create_task(worker("stubborn", 2))]
            self.tasks[0].add_done_callback(lambda _: None)
            self.output("up")
            await self.stopped.wait()
            return 0

    notes = Notes()
    before = asyncio.all_tasks()
    subject = await start(Busy, notes)
    assert not await subject.wait_exit(0.05)
    await subject.kill()
    await subject.kill()
    assert sorted(ended) == ["plain", "stubborn"]
    assert asyncio.all_tasks() == before
    told = [note[1:] for note in notes.told if isinstance(note[0], float)]
    assert told == [("ending", "unasked", 0), ("exit", -9, False)], "told once, and before its tasks are cancelled"


@pytest.mark.asyncio
async def test_one_that_is_killed_before_its_first_step_has_exited_too() -> None:
    notes = Notes()
    subject = await start(Client, notes)
    await subject.kill()
    assert not subject.alive and notes.told[-1][1:] == ("exit", -9, False)


@pytest.mark.asyncio
@pytest.mark.parametrize(("asked", "leaves", "told"), [(True, False, ["asked"]), (True, True, []), (False, True, [])])
async def test_our_end_of_it_is_told_where_it_is_ours(asked: bool, leaves: bool, told: list[Why]) -> None:
    """Tasks that it forgot when it left are ended without a word: a program's exit would have ended them."""

    class Forgetful(Client):
        async def run(self) -> int:
            self.forgotten = asyncio.create_task(asyncio.sleep(300))
            if asked:
                await self.stopped.wait()
            if not leaves:
                await asyncio.sleep(300)
            return 0

    notes = Notes()
    subject = await start(Forgetful, notes)
    if asked:
        await subject.ask_stop(judged=True)
    assert await subject.wait_exit(0.2) is leaves
    await subject.kill()
    assert [note[2] for note in notes.told if note[1] == "ending"] == told
    exits = [note[1:] for note in notes.told if note[1] == "exit"]
    assert exits == [("exit", 0 if leaves else -9, asked)]


@pytest.mark.asyncio
async def test_reports_are_recognised_and_a_failing_stop_is_shown() -> None:
    class Reporting(Client):
        async def run(self) -> int:
            self.output('{"event": "connecting"}')
            await self.stopped.wait()
            return 0

        async def stop(self) -> None:
            self.stopped.set()
            raise RuntimeError("badly")

    notes = Notes()
    subject = await start(Reporting, notes, level="reports")
    assert not await subject.wait_exit(0.02)
    await subject.ask_stop(judged=False)
    assert await subject.wait_exit(5)
    await subject.kill()
    assert ("connecting", {"event": "connecting"}) in notes.told
    assert any("RuntimeError: badly" in line for line in subject.tail)
