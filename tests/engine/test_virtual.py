"""Virtual time: a clock that jumps, the same trace for the same seed, the same verdicts as real time."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import looptime
import pytest
from brokercert.engine.play import virtual
from brokercert.engine.play.virtual import CALENDAR, StuckError, VirtualLoop, wall
from brokercert.engine.run import virtual_run as alone
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.matrix.subjects import Tier, subject_named
from brokercert.verdict import Outcome, RunRecord

SET = "tradovate-stage2"
MIXED = "loss-proxy"  # a proxied path, an outage, refused connects, back-off with jitter, a recovery


def play(out: Path, *names: str, tier: Tier = "virtual", seed: int = 1) -> tuple[RunRecord, dict[str, bytes]]:
    """The record, and the body of each trace."""
    subject = subject_named(SET, "reference", seed, tier)
    run = run_certification(RunRequest(SET, subject, out=out, scenarios=names, seed=seed, tier=tier), Quiet())
    folder = out / run.run_id
    bodies = {s.name: (folder / s.trace).read_bytes().partition(b"\n")[2] for s in run.scenarios if s.trace}
    return run, bodies


def in_virtual_time(main: Callable[[], object]) -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())  # type: ignore[arg-type]


def test_an_hour_passes_at_once_and_in_order() -> None:
    told: list[tuple[float, str]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for delay in (3600, 0.25, 60):
            loop.call_later(delay, lambda delay=delay: told.append((loop.time(), str(delay))))
        await asyncio.sleep(3601)
        assert loop.time() == 3601 and wall() == CALENDAR.timestamp() + 3601

    in_virtual_time(main)
    assert told == [(0.25, "0.25"), (60, "60"), (3600, "3600")]


def test_small_writes_of_one_turn_arrive_in_one_piece() -> None:
    """Else the kernel's own clock would say how many of them a reader finds: acknowledgements, congestion window."""
    read: set[int] = set()

    async def main() -> None:
        async def give(_: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
            for _ in range(200):
                for _ in range(20):
                    to.write(b"x" * 300)
                await asyncio.sleep(1)
            to.transport.abort()

        async with await asyncio.start_server(give, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                while True:
                    await reader.readexactly(1)
                    read.add(len(await reader.read(100_000)))
            writer.close()

    in_virtual_time(main)
    assert read == {5999}


def test_the_clock_waits_for_what_is_under_way() -> None:
    """Bytes on a socket, and a thread's work, come before any timer."""

    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def give(_: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
            to.write(b"x" * 1_000_000)
            to.close()

        server = await asyncio.start_server(give, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert len(await reader.readexactly(1_000_000)) == 1_000_000
        with ThreadPoolExecutor(1) as pool:
            await loop.run_in_executor(pool, time.sleep, 0.05)
        assert loop.time() == 0
        writer.close()
        server.close()
        await asyncio.sleep(1)

    in_virtual_time(main)


def test_nothing_left_to_wait_for_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(virtual, "REAL_WAIT", 0.001)

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(StuckError):
        in_virtual_time(main)


def test_the_body_of_a_trace_is_the_same_for_a_seed_and_differs_between_seeds(tmp_path: Path) -> None:
    told = {hashlib.sha256(body[MIXED]).hexdigest() for n in range(5) for _, body in [play(tmp_path / str(n), MIXED)]}
    assert len(told) == 1
    # Alone or beside others, it is the same.
    _, beside = play(tmp_path / "beside", "stop-open", MIXED)
    assert {hashlib.sha256(beside[MIXED]).hexdigest()} == told
    _, other = play(tmp_path / "other", MIXED, seed=2)
    assert hashlib.sha256(other[MIXED]).hexdigest() not in told


def test_looptime_an_independent_virtual_clock_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, ours = play(tmp_path / "ours", "loss-fin")
    monkeypatch.setattr(alone, "VirtualLoop", lambda: looptime.new_event_loop(start=0, resolution=1e-9))
    _, theirs = play(tmp_path / "theirs", "loss-fin")
    assert ours == theirs


def test_both_tiers_give_the_same_verdicts(tmp_path: Path) -> None:
    """Of the shortest scenarios; .ci/run compares all of them."""
    names = ("answer-in-batch", "stop-open", "stop-away")
    verdicts = {}
    tiers: tuple[Tier, ...] = ("real", "virtual")
    for tier in tiers:
        run, _ = play(tmp_path / tier, *names, tier=tier)
        assert run.tier == tier and run.outcome is Outcome.INCOMPLETE
        verdicts[tier] = {row.id: row.verdict.value for row in run.rows if row.verdict.value != "untested"}
    assert verdicts["real"] == verdicts["virtual"]
    assert set(verdicts["real"].values()) == {"pass"} and len(verdicts["real"]) == 2


def test_a_transport_that_nobody_closed_is_closed_with_its_loop() -> None:
    """As the end of a process would close it. One that is only collected warns, which fails a test here."""
    loop = VirtualLoop()
    left: list[asyncio.Transport] = []

    async def open_and_forget() -> None:
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
        left.append(transport)
        server.close()

    loop.run_until_complete(open_and_forget())
    (transport,) = left
    assert transport.get_extra_info("socket").fileno() >= 0
    loop.close()
    assert transport.get_extra_info("socket").fileno() == -1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)])
def test_what_is_ready_at_one_moment_is_read_in_the_order_of_registration(order: tuple[int, ...]) -> None:
    """Else a busy kernel would say which of several ends comes first: seven that closed in one turn differed."""
    read: list[int] = []

    def take(place: int, ours: socket.socket) -> None:
        read.extend(place for _ in ours.recv(1))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        pairs = [socket.socketpair() for _ in order]
        for place, (ours, _) in enumerate(pairs):
            ours.setblocking(False)
            loop.add_reader(ours, take, place, ours)
        for place in order:
            pairs[place][1].send(b"a")
        await asyncio.sleep(1)
        for ours, theirs in pairs:
            loop.remove_reader(ours)
            ours.close()
            theirs.close()

    in_virtual_time(main)
    assert read == [0, 1, 2]
