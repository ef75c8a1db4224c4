"""Whether the machine has room for a run: descriptors, memory, disk; looked at before, and told with what to do.

The law: only what makes the run impossible stops it, and that is a lack of descriptors for even one client. What may
suffice is a note: a run whose disk fills up is still judged, from memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from brokercert.engine.errors import UsageError
from brokercert.engine.machine.descriptors import raise_open_files
from brokercert.engine.play.scenario import Scenario

# Measured with the reference client, Linux, Python 3.11, and rounded up. A harness that played one scenario had 15
# descriptors open, and 264 while it played 40: listener, trace, three pipes, a connection, and through Toxiproxy three
# more. Clients with several sockets have more.
DESCRIPTORS = 28
DESCRIPTORS_EACH = 12
MIB = 1024 * 1024
MEMORY = 200 * MIB  # of the harness at the end of the whole set
MEMORY_EACH = 30 * MIB  # of the reference client
DISK = MIB  # reports; with all traces of the whole set it was 31 MB, 23 of them for part core
DISK_EACH = MIB // 8  # of a scenario: most traces are below 128 KB
DISK_VOLUME = 15 * MIB  # of one whose size is the point: a load of events, a burst, a large snapshot


@dataclass(frozen=True, slots=True)
class Room:
    """How many clients there is room for at once, and what to tell."""

    jobs: int
    notes: tuple[str, ...] = ()


def room_for(jobs: int, played: Sequence[Scenario], folder: Path) -> Room:
    """Look at what a run needs that plays these scenarios, `jobs` of them at once, and writes to `folder`.

    Raises the limit of open files where it is too low and may be raised. Raises `UsageError` where not one client can
    be played.
    """
    jobs = max(1, min(jobs, len(played)))
    able, notes = _descriptors(jobs)
    notes += _memory(able)
    notes += _disk(played, folder)
    return Room(able, tuple(notes))


def _descriptors(jobs: int) -> tuple[int, list[str]]:
    needed = DESCRIPTORS + DESCRIPTORS_EACH * jobs
    limit = raise_open_files(needed)
    if limit >= needed:
        return jobs, []
    able = (limit - DESCRIPTORS) // DESCRIPTORS_EACH
    if able < 1:
        raise UsageError(
            f"ulimit -n is {limit}, and cannot be raised from here: expected {DESCRIPTORS + DESCRIPTORS_EACH} open "
            f"files for --jobs 1, {needed} for --jobs {jobs}; say `ulimit -n {needed}` before, or raise the hard limit"
        )
    text = (
        f"Open files are limited to {limit}, and {jobs} clients at once may need {needed}: {able} at once are played, "
        f"as with --jobs {able}. With `ulimit -n {needed}` before it, the run is faster."
    )
    return able, [text]


def _memory(jobs: int) -> list[str]:
    free, needed = free_memory(), MEMORY + MEMORY_EACH * jobs
    if free >= needed:
        return []
    return [
        f"{free // MIB} MiB of memory are free, and a run with {jobs} clients at once may need {needed // MIB} MiB or "
        "more: lower --jobs, or free memory, if it is killed."
    ]


def free_memory() -> int:
    """Bytes that this process may still have: of the machine, or of the control group that it is in."""
    return min([int(psutil.virtual_memory().available), *_of_the_group()])


def _of_the_group(root: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """What a container's own limit leaves, as control groups of version 2 tell it; nothing where there is no limit."""
    with suppress(OSError, ValueError, StopIteration):
        most = int((root / "memory.max").read_text())  # "max" where there is none
        held = int((root / "memory.current").read_text())
        lines = (root / "memory.stat").read_text().splitlines()
        cached = next(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
        return [max(0, most - held + cached)]
    return []


def _disk(played: Sequence[Scenario], folder: Path) -> list[str]:
    large = [scenario for scenario in played if scenario.exclusive or scenario.small]
    needed = DISK + DISK_VOLUME * len(large) + DISK_EACH * (len(played) - len(large))
    with suppress(OSError):
        free = shutil.disk_usage(folder).free
        if free < needed:
            return [
                f"{free // 1024} KiB are free in {folder}, and this run may write {needed // 1024} KiB. What does not "
                "fit is judged from memory, but not kept: free some space, or name another folder by --out."
            ]
    return []
