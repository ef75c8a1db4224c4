"""Finds and ends what a client left running, also when the harness itself was killed.

The law: a process belongs to a client if it is of the client's session or carries the client's state folder in its
environment, so that a grandchild that made itself a session of its own is found too. Nothing else is ever ended.

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
from collections.abc import Iterable, Mapping

Clients = Mapping[str, int | None]  # mark -> session; None where no process has been seen yet

MARK = "BROKERCERT_STATE_DIR"  # a folder of its own for every client of every scenario
ROUNDS = 20  # of looking again, since a process may fork while it is looked for
PAUSE = 0.05  # seconds between them
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
    return [pid for pid in _pids() if pid != own and _belongs(pid, clients, sessions) and _runs(pid)]


def _belongs(pid: int, clients: Clients, sessions: set[int]) -> bool:
    try:
        if os.getsid(pid) in sessions:
            return True
    except OSError:
        return False  # it has gone, or is not ours to look at
    mark = _mark_of(pid)
    return mark is not None and mark in clients


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

    def _runs(pid: int) -> bool:
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                state = file.read().rpartition(b")")[2].split()[0]
        except OSError:
            return False
        return state not in (b"Z", b"X")

else:
    import psutil

    def _pids() -> list[int]:
        return psutil.pids()

    def _mark_of(pid: int) -> str | None:
        try:
            return psutil.Process(pid).environ().get(MARK)
        except (psutil.Error, OSError):
            return None

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
