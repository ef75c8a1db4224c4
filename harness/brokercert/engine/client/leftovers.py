"""Finds and ends what a client left running, also when the harness itself was killed.

The law: a process belongs to a client if it is of the client's session, carries the client's state folder in its
environment, bears the client's tag, or was started by one that does. So a grandchild that made itself a session of its
own is found too, and on Linux one with an empty environment. Nothing else is ever ended.

The tag is a resource limit: Linux hands it on to every process that a client starts, whatever that does to its session,
its environment or its parents. It is the limit of file locks, which no Linux since 2.4 looks at.

Run as a program this is the guard: a process of its own that is told, by JSON lines on standard input, which clients
and which of their folders there are. When its input ends, however the harness died, it ends the clients that are still
there, and then removes the folders. It imports nothing of ours, so that it starts quickly.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
import zlib
from collections.abc import Iterable, Mapping

Clients = Mapping[str, int | None]  # mark -> session; None where no process has been seen yet

MARK = "BROKERCERT_STATE_DIR"  # a folder of its own for every client of every scenario
ROUNDS = 20  # of looking again, since a process may fork while it is looked for
PAUSE = 0.05  # seconds between them
TAGGED = 10  # RLIMIT_LOCKS of Linux
TAGS = 1 << 61  # what no limit is by itself; each tag is above it
QUIET_ROUNDS = 3  # without anybody, for the guard: a client may just be between fork and exec


def end_all(clients: Clients, *, quiet_rounds: int = 1) -> list[int]:
    """End every process of these clients with SIGKILL. Returns those that could not be ended within about a second.

    Blocks for some milliseconds at least: call it in a thread.
    """
    quiet = 0
    found: list[int] = []
    for _ in range(ROUNDS):
        found = belonging(clients)
        kill(found)
        quiet = 0 if found else quiet + 1
        if quiet >= quiet_rounds:
            break
        time.sleep(PAUSE)
    return found


def belonging(clients: Clients) -> list[int]:
    """The processes of these clients that are running (a zombie is not)."""
    own = os.getpid()
    sessions = {session for session in clients.values() if session is not None}
    tags = {tag_of(mark) for mark in clients}
    pids = [pid for pid in _pids() if pid != own]
    found = [pid for pid in pids if _belongs(pid, clients, sessions, tags)]
    if found:
        found += _descendants(found, pids)
    return [pid for pid in found if _runs(pid)]


def tag_of(mark: str) -> int:
    """The tag of a client: the same in the harness and in the guard, and hardly that of any other client."""
    data = os.fsencode(mark)
    return TAGS | (zlib.crc32(data) << 28 ^ zlib.crc32(data[::-1]))


def _belongs(pid: int, clients: Clients, sessions: set[int], tags: set[int]) -> bool:
    try:
        if os.getsid(pid) in sessions:
            return True
    except OSError:
        return False  # it has gone, or is not ours to look at
    if _tag_of(pid) in tags:
        return True
    mark = _mark_of(pid)
    return mark is not None and mark in clients


def _descendants(found: list[int], pids: Iterable[int]) -> list[int]:
    """Who was started by those that were found, and by whom they started. Parents lead to them for as long as those
    live, so that this is looked at before anything is ended.
    """
    children: dict[int, list[int]] = {}
    for pid in pids:
        children.setdefault(_parent_of(pid), []).append(pid)
    more: list[int] = []
    known, line = set(found), list(found)
    for parent in line:  # which grows meanwhile
        for pid in children.get(parent, ()):
            if pid not in known:
                known.add(pid)
                line.append(pid)
                more.append(pid)
    return more


def kill(pids: Iterable[int]) -> None:
    """SIGKILL to each. Who is gone meanwhile, or not ours any more, is passed over: the caller looks again."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


if sys.platform == "linux":

    def _pids() -> list[int]:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]

    def _mark_of(pid: int) -> str | None:
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                data = file.read()
        except OSError:
            return None
        start = f"{MARK}=".encode()
        found = next((part for part in data.split(b"\0") if part.startswith(start)), None)
        return None if found is None else os.fsdecode(found[len(start) :])

    def _tag_of(pid: int) -> int | None:
        try:
            with open(f"/proc/{pid}/limits", "rb") as file:
                line = next((line for line in file if line.startswith(b"Max file locks")), b"")
        except OSError:
            return None
        soft = line[len(b"Max file locks") :].split()[:1]
        return int(soft[0]) if soft and soft[0].isdigit() else None

    def _stat(pid: int) -> list[bytes]:
        """State, parent and so on; nothing where it has gone."""
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                return file.read().rpartition(b")")[2].split()
        except OSError:
            return []

    def _parent_of(pid: int) -> int:
        stat = _stat(pid)
        return int(stat[1]) if stat else 0

    def _runs(pid: int) -> bool:
        stat = _stat(pid)
        return bool(stat) and stat[0] not in (b"Z", b"X")

else:
    import psutil

    def _pids() -> list[int]:
        return psutil.pids()

    def _mark_of(pid: int) -> str | None:
        try:
            return psutil.Process(pid).environ().get(MARK)
        except (psutil.Error, OSError):
            return None

    def _tag_of(pid: int) -> int | None:
        return None  # no system but Linux tells of another's limits

    def _parent_of(pid: int) -> int:
        try:
            return psutil.Process(pid).ppid()
        except psutil.Error:
            return 0

    def _runs(pid: int) -> bool:
        try:
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False


def guard() -> None:
    """Keep the list until standard input ends; then end what is still on it."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)  # it must outlive the harness
    clients: dict[str, int | None] = {}
    folders: dict[str, None] = {}
    for line in sys.stdin:
        told = json.loads(line)
        mark = told["mark"]
        match told["is"]:
            case "gone":
                clients.pop(mark, None)
            case "folder":
                folders[mark] = None
            case "removed":
                folders.pop(mark, None)
            case _:
                clients[mark] = told["session"]
    if clients:
        end_all(clients, quiet_rounds=QUIET_ROUNDS)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    guard()
