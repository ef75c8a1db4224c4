"""This machine: Python, ports and loopback, open files, clocks, and how busy it is."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from brokercert.engine.ask.fields import MOST_JOBS
from brokercert.engine.doctor.line import Line, bad, ok, warn
from brokercert.engine.errors import HarnessError
from brokercert.engine.machine.calibration import calibrate
from brokercert.engine.machine.descriptors import open_files
from brokercert.engine.machine.room import DESCRIPTORS, DESCRIPTORS_EACH

LEAST_PORTS = 2_000  # free ports that the system gives out: each connection of each client takes one for a minute
PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
PAUSE = 0.3  # seconds between two looks at the clocks
STEP = 0.05  # seconds by which they may differ then
LAGS = 25.0  # milliseconds of lag from which on a measured time may lie within its own error of a limit
OLDEST = 1_750_000_000  # seconds since 1970: before these brokercert was not there, so that the wall clock is wrong


def python(version: Sequence[int] = sys.version_info[:3], system: str = sys.platform) -> Line:
    """This Python is new enough: an older one can neither install brokercert nor import it."""
    told = f"Python {'.'.join(map(str, version))} on {system}"
    if system != "linux":
        return warn("Python", told, "use Linux: on other systems brokercert is untried")
    return ok("Python", told)


def loopback(family: str, bind: Callable[[str], None] | None = None) -> Line:
    """`family` is "IPv4" or "IPv6". `bind` listens on an address and connects to it; it raises `OSError`."""
    address = {"IPv4": "127.0.0.1", "IPv6": "::1"}[family]
    name = f"loopback {family}"
    try:
        (bind or _listen)(address)
    except OSError as error:
        why = f"{address}: {error.strerror or error}"
        if family == "IPv4":
            return bad(name, why, "bring the loopback interface up (`ip link set lo up`): the broker listens there")
        return warn(name, why, "enable IPv6 on loopback, or leave it: localhost is served over IPv4 alone then")
    return ok(name, f"{address} can be listened on and connected to")


def _listen(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as server:
        server.bind((address, 0))
        server.listen()
        with socket.create_connection(server.getsockname()[:2], timeout=5):
            pass


def ports(path: Path = PORT_RANGE) -> Line:
    try:
        low, high = map(int, path.read_text().split())
    except (OSError, ValueError):
        return ok("ports", "the system does not say which ports it gives out")
    told = f"the system gives out {high - low + 1} ports, {low} to {high}"
    if high - low + 1 < LEAST_PORTS:
        return warn("ports", told, 'give it more: `sysctl -w net.ipv4.ip_local_port_range="32768 60999"`')
    return ok("ports", told)


def files(limits: tuple[int, int] | None = None) -> Line:
    """`limits`: the soft and the hard one."""
    soft, hard = limits or open_files()
    one, all_of_them = DESCRIPTORS + DESCRIPTORS_EACH, DESCRIPTORS + DESCRIPTORS_EACH * MOST_JOBS
    told = f"{min(soft, hard)} open files, and {hard} at most; {all_of_them} are needed for --jobs {MOST_JOBS}"
    if hard < one:
        return bad("open files", told, f"raise the hard limit: {one} are needed for one client")
    if hard < all_of_them:
        able = (hard - DESCRIPTORS) // DESCRIPTORS_EACH
        return warn("open files", told, f"raise the hard limit, or bear that {able} clients run at once")
    return ok("open files", told)


def clock(pause: Callable[[float], None] = time.sleep, wall: Callable[[], float] = time.time) -> Line:
    """Whether the wall clock is a possible one, and goes as fast as the monotonic one."""
    at, since = wall(), time.monotonic()
    pause(PAUSE)
    off = (wall() - at) - (time.monotonic() - since)
    if at < OLDEST:
        return bad(
            "clock", f"the wall clock says {time.strftime('%Y-%m-%d', time.gmtime(at))}", "set it: tokens expire"
        )
    if abs(off) > STEP:
        told = f"the wall clock moved {off * 1000:+.0f} ms against the monotonic one in {PAUSE:g} s"
        return warn("clock", told, "let the clock settle (chrony, ntpd), or run again later")
    return ok("clock", "the wall clock and the monotonic one agree")


async def load(timed: Sequence[str], average: float | None = None, cpus: int | None = None) -> Line:
    """How late the harness's own loop is now. `timed` are the rows that measure a time."""
    average = os.getloadavg()[0] if average is None else average
    cpus = cpus or os.cpu_count() or 1
    try:
        found = await calibrate()
    except HarnessError as error:
        return bad("load", str(error), "end what else runs on this machine")
    told = f"load average {average:.1f} on {cpus} cores; the harness was late by {found.lag_max:.1f} ms at most"
    if found.lag_max > LAGS or average > cpus:
        rows = f"{', '.join(timed[:6])}{f' and {len(timed) - 6} more' if timed[6:] else ''}"
        return warn("load", told, f"leave the machine alone: rows that measure a time may be inconclusive ({rows})")
    return ok("load", told)
