"""Signals that ask the process to end: the first stops, later ones are told, one that comes late ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest
from brokercert.engine import stops
from brokercert.engine.stops import ENOUGH, Stops

DEADLINE = 20.0
SIGNALS = [getattr(signal, name) for name in stops.NAMES if hasattr(signal, name)]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def counting() -> tuple[list[str], Callable[[], None]]:
    stopped: list[str] = []
    return stopped, lambda: stopped.append("stopped")


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: signal.Signals(number).name)
def test_the_first_stops_and_later_ones_tell_what_is_done(
    number: int, clock: Clock, capfd: pytest.CaptureFixture[str]
) -> None:
    stopped, stop = counting()
    name = signal.Signals(number).name
    with Stops(clock).during(stop, lambda: "judging"):
        for _ in range(5):
            signal.raise_signal(number)
            clock.now += ENOUGH / 10
    assert stopped == ["stopped"]
    assert capfd.readouterr().err.splitlines() == [
        f"brokercert: {name}: judging",
        *[f"brokercert: {name} again: still judging"] * 4,
    ]


def test_whatever_was_handled_before_is_again(clock: Clock) -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Stops(clock).during(lambda: None, lambda: ""):
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_a_third_that_comes_late_ends_the_block_of_a_process_that_is_not_ours(clock: Clock) -> None:
    stopped, stop = counting()
    with pytest.raises(KeyboardInterrupt), Stops(clock).during(stop, lambda: "judging"):
        signal.raise_signal(signal.SIGINT)
        clock.now += ENOUGH
        signal.raise_signal(signal.SIGTERM)  # a second one never does
        signal.raise_signal(signal.SIGTERM)
    assert stopped == ["stopped"]


def test_in_blocks_that_follow_each_other_it_is_heeded_where_it_is_to_be(clock: Clock) -> None:
    stopped, stop = counting()
    handling = Stops(clock)
    with handling.during(stop, lambda: "all"):
        signal.raise_signal(signal.SIGINT)
        handling._ours = True  # as in the program: inner blocks install nothing
        with handling.during(stop, lambda: "judging"):
            assert stopped == ["stopped", "stopped"], "asked before it began"
        with handling.during(stop, lambda: "showing", heed=False):
            assert len(stopped) == 2
            signal.raise_signal(signal.SIGINT)
            assert len(stopped) == 3
        handling._ours = False


# A process of its own.

OWN = """
import os, signal, sys, time
from brokercert.engine import stops
now = [0.0]
stops.STOPS.__init__(lambda: now[0])
stops.STOPS.own()
{body}
"""


def own(body: str, *before: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-c", OWN.format(body=body)], capture_output=True, text=True, timeout=DEADLINE
    )


def test_by_default_each_is_a_keyboard_interrupt() -> None:
    body = "\n".join(
        f"try: signal.raise_signal({number:d})\nexcept KeyboardInterrupt: print('asked')" for number in SIGNALS
    )
    done = own(body)
    assert done.stdout.split() == ["asked"] * len(SIGNALS), done.stderr


def test_a_hangup_that_nohup_ignores_stays_ignored() -> None:
    done = own("signal.raise_signal(signal.SIGHUP); print('alive')", "nohup")
    assert "alive" in done.stdout, done.stderr


@pytest.mark.parametrize(("signals", "late", "status"), [(2, ENOUGH, 0), (3, ENOUGH - 0.1, 0), (3, ENOUGH, 130)])
def test_the_third_ends_the_process_if_it_comes_late(signals: int, late: float, status: int) -> None:
    body = f"""
with stops.STOPS.during(lambda: None, lambda: "busy"):
    for n in range({signals}):
        signal.raise_signal(signal.SIGINT)
        now[0] += {late} / {signals - 1}
print("went on")
"""
    done = own(body)
    assert done.returncode == status and ("went on" in done.stdout) is (status == 0), done.stderr
    assert ("ended while still busy" in done.stderr) is (status == 130)


def test_what_is_decided_no_signal_changes() -> None:
    done = own("stops.STOPS.decide(); signal.raise_signal(signal.SIGTERM); print('alive')")
    assert done.returncode == 0 and "alive" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("closed", [False, True])
def test_telling_neither_waits_nor_raises(closed: bool) -> None:
    """Where standard error is a pipe that is full, or nothing at all."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    while True:
        try:
            os.write(write, b"x" * 4096)
        except BlockingIOError:
            break
    os.set_blocking(write, True)
    source = "from brokercert.engine.stops import tell; tell('to nobody ✓')"
    command = f'"$0" -c "$1" {"2>&-" if closed else ""}'
    try:
        done = subprocess.run(
            ["sh", "-c", command, sys.executable, source], stdin=subprocess.DEVNULL, stderr=write, timeout=DEADLINE
        )
    finally:
        os.close(read)
        os.close(write)
    assert done.returncode == 0
