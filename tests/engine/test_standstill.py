"""The monitor of the loop: a standstill above its least length is a record, also one that ends with the scenario."""

from __future__ import annotations

import asyncio
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.machine import usage
from brokercert.engine.machine.standstill import EVERY, LEAST, TOLD, StallMonitor, Watched
from brokercert.engine.machine.usage import ClientUsage, Latest, Own, sessions
from brokercert.engine.machine.watchdog import MOST_TICKS, Watchdog
from brokercert.engine.run.judgements import stall_notes
from brokercert.trace import TraceWriter
from brokercert.trace import records as r
from mock_bench import header


@dataclass
class Machine:
    """A clock and an account of what was used, both turned by hand."""

    now: float = 100.0
    own: Own = field(default_factory=lambda: Own(0.0, 0.0, 0.0))

    def goes_on(self, seconds: float, *, cpu: float = 0.0, waited: float = 0.0, slept: float = 0.0) -> None:
        self.now += seconds
        self.own = Own(self.own.cpu + cpu, self.own.waited + waited, self.own.slept + slept)


@dataclass
class Sender:
    """Of a broker, what the monitor looks at."""

    bytes_read: int = 0
    unread: int = 0

    @property
    def bytes_come(self) -> int:
        return self.bytes_read + self.unread


@dataclass
class Bench:
    machine: Machine = field(default_factory=Machine)
    told: list[float] = field(default_factory=list)
    broker: Sender = field(default_factory=Sender)

    def __post_init__(self) -> None:
        self.monitor = StallMonitor(self.told.append)
        self.monitor.begin(lambda: self.machine.now, lambda: self.machine.own)
        self.writer = TraceWriter(None, header(), began=self.machine.now)
        self.watched = Watched(self.writer, self.broker, lambda: None)  # type: ignore[arg-type]

    @property
    def stalls(self) -> list[r.Stall]:
        return [x for x in self.writer.records if isinstance(x, r.Stall)]

    def round(self, seconds: float, **used: float) -> None:
        self.machine.goes_on(seconds, **used)
        self.monitor.look()


@pytest.mark.parametrize(("late", "count"), [(LEAST * 0.9, 0), (LEAST * 1.1, 1)])
def test_only_a_standstill_above_the_least_is_a_record(late: float, count: int) -> None:
    bench = Bench()
    bench.monitor.watch(bench.watched)
    bench.round(EVERY + late)
    assert len(bench.stalls) == count
    assert bench.monitor.worst_since(0) == pytest.approx(late)


def test_the_record_says_from_when_to_when_and_what_was_used() -> None:
    bench = Bench()
    bench.monitor.watch(bench.watched)
    bench.round(EVERY)
    bench.broker.bytes_read, bench.broker.unread = 1000, 24
    bench.round(3.0, cpu=0.5, waited=2.0)
    (stall,) = bench.stalls
    assert (stall.since, stall.t) == (50_000, 3_050_000)
    assert (stall.cpu, stall.waited, stall.suspended, stall.client_bytes) == (0.5, 2.0, 0.0, 1024)
    assert stall.client_connections == 0
    assert bench.told == [pytest.approx(3.0)]


def test_only_connections_that_were_taken_since_the_loop_was_last_alive_are_counted() -> None:
    bench = Bench()
    bench.monitor.watch(bench.watched)
    counted = []
    for taken in (3, 0, 40):
        for _ in range(7):
            bench.writer.accepted(bench.machine.now, 1)
        bench.round(EVERY)  # alive: these seven are no part of what follows
        for _ in range(taken):
            bench.writer.accepted(bench.machine.now, 1)
        bench.round(1.0)
        counted.append(taken)
    assert [stall.client_connections for stall in bench.stalls] == counted


def test_whoever_waits_is_told_of_long_ones_only() -> None:
    bench = Bench()
    bench.monitor.watch(bench.watched)
    bench.round(TOLD * 0.9)
    assert len(bench.stalls) == 1
    assert bench.told == []


def test_a_machine_that_slept_stood_still_though_its_clock_did_not_go() -> None:
    bench = Bench()
    bench.monitor.watch(bench.watched)
    bench.round(EVERY, slept=30.0)
    (stall,) = bench.stalls
    assert stall.suspended == 30.0
    assert bench.told == [pytest.approx(30.0 + EVERY)]


def test_a_standstill_that_outlasts_the_scenario_is_told_to_it_all_the_same() -> None:
    bench = Bench()
    bench.monitor.watch(bench.watched)
    bench.machine.goes_on(12.0)  # its timer has not come round yet when the scenario ends
    bench.monitor.forget(bench.watched)
    assert [stall.t - stall.since for stall in bench.stalls] == [12_000_000]


def test_one_that_ended_before_the_scenario_began_is_not_told_to_it() -> None:
    bench = Bench()
    bench.round(12.0)
    bench.monitor.watch(bench.watched)
    bench.round(EVERY)
    assert bench.stalls == []
    assert bench.monitor.stalled_since(bench.machine.now - 1) is True
    assert bench.monitor.stalled_since(bench.machine.now + 1) is False


def test_a_monitor_that_was_not_started_says_nothing() -> None:
    monitor = StallMonitor()
    writer = TraceWriter(None, header(), began=0.0)
    monitor.watch(Watched(writer, Sender(), lambda: None))  # type: ignore[arg-type]
    monitor.look()
    assert writer.records == []
    assert monitor.worst_since(0) == 0.0


def test_the_watchdog_ends_a_run_whose_loop_never_comes_round(tmp_path: Path, capfd: Any) -> None:
    statuses: list[int] = []
    flushed: list[str] = []
    dog = Watchdog(tmp_path, lambda: flushed.append("flushed"), tick=0.0005, end=statuses.append)
    dog.start()
    dog.join(20)
    assert statuses == [3]
    assert flushed == ["flushed"]
    told = capfd.readouterr().err
    assert f"brokercert judge {tmp_path}" in told
    assert "test_standstill.py" in told  # where this thread, the loop's, stands


def test_the_watchdog_counts_its_own_ticks_from_when_the_loop_came_round_last(tmp_path: Path) -> None:
    statuses: list[int] = []
    dog = Watchdog(tmp_path, lambda: None, end=statuses.append)
    for _ in range(MOST_TICKS):
        dog.count()
    assert statuses == []
    dog.alive()
    for _ in range(MOST_TICKS):
        dog.count()
    assert statuses == []
    dog.count()
    assert statuses == [3]


def test_the_watchdog_of_a_loop_that_was_abandoned_ends_nobody(tmp_path: Path) -> None:
    """By an exception out of it, after which its tasks are neither run nor ended."""
    statuses: list[int] = []
    dog = Watchdog(tmp_path, lambda: None, tick=0.0005, end=statuses.append)

    async def run() -> None:
        monitor = StallMonitor(watchdog=dog)
        await monitor.__aenter__()
        asyncio.get_running_loop().call_soon(monitor._task.cancel)  # type: ignore[union-attr]  # else it is told as lost
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(run())
    dog.join(20)
    assert statuses == [] and not dog._thread.is_alive()


def test_the_watchdog_stops_with_its_run(tmp_path: Path) -> None:
    before = threading.active_count()
    dog = Watchdog(tmp_path, lambda: None)
    dog.start()
    dog.stop()
    dog.join(20)
    assert threading.active_count() == before


def test_a_session_is_known_by_what_its_processes_have_computed() -> None:
    if not Path("/proc/self/stat").exists():
        pytest.skip("this system has no /proc to read from")
    assert sessions()[os.getsid(0)] > 0.0


def test_clients_are_compared_from_the_last_sample_before_the_standstill(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = ClientUsage(Latest())
    clock = [0.0]
    used = iter([{7: 1.0, 8: 5.0}, {7: 1.5, 8: 5.0}, {7: 9.0, 9: 4.0}])
    monkeypatch.setattr(usage.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(usage, "sessions", lambda: next(used))
    for clock[0] in (10.0, 20.0, 30.0):
        clients.take()
    assert clients.since(20.0, {7, 8, 9}) == {7: 7.5, 8: 0.0, 9: 4.0}
    assert clients.since(26.0, {7, 9}) == {7: 3.0, 9: 1.6}, "half a minute's use is not that of four seconds"
    assert clients.since(5.0, {7}) == {7: 8.0}
    assert ClientUsage().since(5.0, {7}) == {7: 0.0}


def test_all_runs_of_a_process_read_what_clients_compute_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred runs in one loop that each read all of /proc after a standstill made the next one by that."""
    read: list[float] = []
    clock = [0.0]

    def read_all() -> dict[int, float]:
        read.append(clock[0])
        return {7: clock[0]}

    monkeypatch.setattr(usage.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(usage, "sessions", read_all)
    latest = Latest()
    runs = [ClientUsage(latest) for _ in range(100)]
    for clock[0] in (10.0, 10.05, 10.2, 10.25):
        for run in runs:
            run.take()
    assert read == [10.0, 10.2]
    assert {round(run.since(10.0, {7})[7], 6) for run in runs} == {0.2}


def test_a_report_counts_scenarios_and_not_their_playings() -> None:
    still = (r.Stall(since=0, t=9_000_000),)
    (first, again) = stall_notes([("steady", 1, still), ("steady", 2, still), ("login", 1, ())])
    assert "while 1 scenario ran, for up to 9.0 s" in first and again.startswith("1 scenario played again")


def test_a_report_says_where_a_client_made_it_itself() -> None:
    burnt = (r.Stall(since=0, t=9_000_000, cpu=1.0, waited=8.0, client_cpu=8.0),)
    busy = (r.Stall(since=0, t=9_000_000, cpu=1.0, waited=8.0, client_cpu=0.1),)
    _, made = stall_notes([("steady", 1, burnt), ("login", 1, busy)])
    assert made == "The client itself used the harness's core or flooded it meanwhile, in steady."
