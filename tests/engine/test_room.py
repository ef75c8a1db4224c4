"""Descriptors, memory and disk: known before a run, and what runs out during it is never told as the client's doing."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import resource
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.ask.config import Config
from brokercert.engine.client.leftovers import TAGGED, tag_of
from brokercert.engine.errors import HarnessError, UsageError
from brokercert.engine.machine import descriptors as limits
from brokercert.engine.machine import room
from brokercert.engine.machine.descriptors import for_a_client, open_files, raise_open_files
from brokercert.engine.machine.room import DESCRIPTORS, DESCRIPTORS_EACH, MIB, room_for
from brokercert.engine.machine.shortage import Shortage
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import RunRequest, plan_for
from brokercert.requirements import load_set
from programs import Play

SET = "tradovate-stage2"
ROWS, SUITE = load_set(SET), load_suite(SET)
CORE = plan_for(RunRequest(SET, Config().subject(ROWS, reference=True), part="core"), ROWS, SUITE).played


@contextmanager
def no_more_descriptors(left: int = 0) -> Iterator[None]:
    """So many more may be opened in this process."""
    was = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(name) for name in os.listdir("/proc/self/fd" if os.path.exists("/proc/self/fd") else "/dev/fd"))
    taken = [os.open(os.devnull, os.O_RDONLY)]
    while taken[-1] < highest:  # no gaps below
        taken.append(os.open(os.devnull, os.O_RDONLY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[-1] + 1 + left, was[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, was)
        for one in taken:
            os.close(one)


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No test leaves a limit behind."""
    was = resource.getrlimit(resource.RLIMIT_NOFILE)
    monkeypatch.setattr(limits, "_users", None)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, was)


def test_every_limit_gives_as_many_clients_as_fit_or_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "free_memory", lambda: 1 << 40)
    for limit in range(0, 700, 7):
        monkeypatch.setattr(room, "raise_open_files", lambda wanted, limit=limit: limit)
        for jobs in (1, 2, 3, 17, 40):
            needed = DESCRIPTORS + DESCRIPTORS_EACH * jobs
            if limit < DESCRIPTORS + DESCRIPTORS_EACH:
                with pytest.raises(UsageError, match=rf"ulimit -n.*--jobs 1.*--jobs {jobs}.*`ulimit -n {needed}`"):
                    room_for(jobs, CORE, tmp_path)
                continue
            found = room_for(jobs, CORE, tmp_path)
            assert 1 <= found.jobs <= min(jobs, len(CORE))
            assert DESCRIPTORS + DESCRIPTORS_EACH * found.jobs <= limit
            fewer = found.jobs < min(jobs, len(CORE))
            assert fewer == any("--jobs" in note and "ulimit -n" in note for note in found.notes)
            assert fewer == (limit < DESCRIPTORS + DESCRIPTORS_EACH * min(jobs, len(CORE)))


def test_no_more_is_asked_for_than_is_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(room, "raise_open_files", lambda wanted: asked.append(wanted) or wanted)
    assert room_for(40, CORE[:2], tmp_path).jobs == 2
    assert asked == [DESCRIPTORS + 2 * DESCRIPTORS_EACH]


@pytest.mark.parametrize(
    ("memory", "disk", "said"),
    [
        (1 << 40, 1 << 40, []),
        (100 * MIB, 1 << 40, ["100 MiB of memory are free"]),
        (1 << 40, 100 * 1024, ["100 KiB are free in"]),
        (MIB, 0, ["1 MiB of memory are free", "0 KiB are free in"]),
    ],
)
def test_memory_and_disk_that_may_not_suffice_are_told_and_stop_nothing(
    memory: int, disk: int, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=disk)
    monkeypatch.setattr(room, "free_memory", lambda: memory)
    monkeypatch.setattr(room, "raise_open_files", lambda wanted: wanted)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    found = room_for(40, CORE, tmp_path)
    assert len(found.notes) == len(said)
    assert all(note.startswith(text) for note, text in zip(found.notes, said, strict=True)), found.notes
    assert all("--jobs" in note or "--out" in note for note in found.notes), "what to do"


@pytest.mark.parametrize(
    ("most", "left"), [("max", []), ("1000", [1000 - 700 + 300]), ("600", [200]), ("300", [0]), (None, [])]
)
def test_the_limit_of_a_container_counts(most: str | None, left: list[int], tmp_path: Path) -> None:
    if most is not None:
        (tmp_path / "memory.max").write_text(f"{most}\n")
        (tmp_path / "memory.current").write_text("700\n")
        (tmp_path / "memory.stat").write_text("anon 400\ninactive_file 300\n")
    assert room._of_the_group(tmp_path) == left


def test_a_raised_limit_is_not_handed_on() -> None:
    soft, hard = open_files()
    assert raise_open_files(soft - 1) == soft, "never lowered"
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    assert raise_open_files(soft - 50) == soft - 50
    assert raise_open_files(soft - 20) == soft - 20, "of a second run in this process"
    assert raise_open_files(hard + 1) <= hard
    core, locks = (resource.getrlimit(one) for one in (resource.RLIMIT_CORE, TAGGED))
    for_a_client(tag_of("x"))()
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, core[1]), "no core file"
    assert resource.getrlimit(TAGGED) == (tag_of("x"), locks[1])
    for what, those in ((resource.RLIMIT_CORE, core), (TAGGED, locks)):
        resource.setrlimit(what, those)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == soft - 100, "what the user had set"


@pytest.mark.asyncio
async def test_a_client_is_started_with_the_limit_of_its_user(play: Play) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 100, hard))
    raise_open_files(soft - 50)
    subject = await play.command("sh", "-c", "ulimit -S -n")
    assert await subject.wait_exit(10)
    assert [line for _, line, _ in play.notes.lines] == [str(soft - 100)]
    await subject.kill()


@pytest.mark.asyncio
async def test_our_own_want_of_descriptors_is_not_a_wrong_command(play: Play) -> None:
    first = await play.command("true")  # the guard is there by now
    assert await first.wait_exit(10)
    await first.kill()
    for left in range(20):  # whichever of its pipes is the one too many
        with no_more_descriptors(left):
            try:
                subject = await play.command("true")
            except HarnessError as error:
                assert "Too many open files" in str(error) and "ulimit -n" in str(error)
                continue
        await subject.kill()
        break
    else:
        pytest.fail("a client needs fewer")
    assert left > 0, "with none left nothing can be started"


@pytest.mark.parametrize("number", sorted(limits.SHORT))
@pytest.mark.asyncio
async def test_whatever_the_system_lacks_is_ours(number: int, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lacks(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(asyncio.get_running_loop(), "subprocess_exec", lacks)
    with pytest.raises(HarnessError, match="no room to start a client"):
        await play.command("true")


@pytest.mark.asyncio
async def test_a_connection_that_cannot_be_taken_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    said: list[str] = []
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    other = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    port, unasked = (one.sockets[0].getsockname()[1] for one in (server, other))
    clients = [socket.socket() for _ in range(5)]
    began = loop.time()
    with Shortage(said.append) as shortage, caplog.at_level(logging.WARNING):
        with no_more_descriptors():
            for client in clients:
                client.connect(("127.0.0.1", port))  # the kernel takes it; the loop cannot
            await asyncio.sleep(0.05)
        assert shortage.missed({port}, began) and not shortage.missed({unasked}, began)
        assert not shortage.missed({port}, loop.time() + 1)
        assert len(said) == 1 and "ulimit -n" in said[0] and not caplog.records
        loop.call_exception_handler({"message": "something else", "exception": KeyError("x")})
        assert len(said) == 1 and len(caplog.records) == 1, "all else goes the usual way"
    for one in (server, other):
        one.close()
    for client in clients:
        client.close()


def test_what_is_short_is_what_a_system_says() -> None:
    assert {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN} <= limits.SHORT
    assert errno.ENOENT not in limits.SHORT and errno.EACCES not in limits.SHORT
