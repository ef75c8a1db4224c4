"""Clients that leave processes behind, crash, or will not leave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from plain import BLOCKED, UPGRADE, Kind, connected, main

SLEEP = [sys.executable, "-S", "-c", "import signal,time; signal.signal(15, signal.SIG_IGN); time.sleep(300)"]


def wait_on() -> None:
    print("up", flush=True)
    time.sleep(300)


def stops_itself() -> None:
    print("up", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)


def started(*, hidden: bool, wait: bool) -> None:
    subprocess.Popen(SLEEP, env={} if hidden else None, start_new_session=True)
    if wait:
        wait_on()


def forks_away() -> None:
    """A daemon as of old: its parent leaves, and nothing of the environment is with it."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve(sys.executable, SLEEP, {})
        os._exit(0)


def crashes() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def ignores_all() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    wait_on()


def forks_on() -> None:
    """Children that start children, each of which ends at once."""
    for _ in range(30):
        if os.fork():
            os._exit(0)
        os.setsid()
    wait_on()


def holds_a_socket() -> None:
    one = connected()
    one.sendall(UPGRADE[:30])
    os.set_inheritable(one.fileno(), True)
    subprocess.Popen(SLEEP, env={}, start_new_session=True, close_fds=False)


KINDS: dict[str, Kind] = {
    "a daemon, and waits": (lambda: started(hidden=False, wait=True), BLOCKED),
    "a daemon, and leaves": (lambda: started(hidden=False, wait=False), BLOCKED),
    "a hidden daemon, and waits": (lambda: started(hidden=True, wait=True), BLOCKED),
    "a hidden daemon, and leaves": (lambda: started(hidden=True, wait=False), BLOCKED),
    "forks away": (forks_away, BLOCKED),
    "forks on": (forks_on, BLOCKED),
    "crashes": (crashes, BLOCKED),
    "ignores all": (ignores_all, BLOCKED),
    "a child holds its socket": (holds_a_socket, BLOCKED),
    "exits at once": (lambda: sys.exit(3), BLOCKED),
    "stops itself": (stops_itself, BLOCKED),
}

if __name__ == "__main__":
    main(KINDS)
