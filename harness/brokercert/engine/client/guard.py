"""Keeps the guard (`leftovers.py`) told of every client that runs, and of every folder that is a client's for a while,
so that none survives a harness that is killed.

One guard serves a harness process, from its first client or folder to its end.
"""

from __future__ import annotations

import atexit
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from brokercert.engine.client import leftovers
from brokercert.ownprocess import own_command, own_environment

PREFIX = "brokercert-"  # of every temporary folder
LAST_WAIT = 5.0  # seconds for it to end what is left when the harness ends: ROUNDS * PAUSE a client, and spare


class Guard:
    """Tells the guard; starts it, and again should it have died."""

    def __init__(self) -> None:
        self._clients: dict[str, int | None] = {}
        self._folders: dict[str, None] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, mark: str, session: int | None = None) -> None:
        """A client is about to be started with this mark, or was started with this session."""
        self._clients[mark] = session
        self._tell(_line("here", mark, session))

    def forget(self, mark: str) -> None:
        """Nothing is left of it."""
        self._clients.pop(mark, None)
        with suppress(OSError):  # it died, and there is no room for another: the next client's start says so
            self._tell(_line("gone", mark, None))

    def keep(self, folder: str) -> None:
        """This folder is to be removed when the harness ends, if it is still there."""
        self._folders[folder] = None
        self._tell(_line("folder", folder, None))

    def removed(self, folder: str) -> None:
        if folder in self._folders:
            del self._folders[folder]
            with suppress(OSError):
                self._tell(_line("removed", folder, None))

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def close(self) -> None:
        """Let it end, with what is left. Called when the harness ends."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            with suppress(OSError):  # it is gone already
                process.stdin.close()
        with suppress(subprocess.TimeoutExpired):  # it ends by itself a little later
            process.wait(LAST_WAIT)

    def _tell(self, line: bytes) -> None:
        if self._process is None or self._process.poll() is not None:
            if not self._clients and not self._folders:
                return
            self._start()
            lines = [_line("here", m, s) for m, s in self._clients.items()]
            lines += [_line("folder", folder, None) for folder in self._folders]
        else:
            lines = [line]
        assert self._process is not None and self._process.stdin is not None
        with suppress(BrokenPipeError):  # it was killed this instant: the next call starts another
            self._process.stdin.write(b"".join(lines))
            self._process.stdin.flush()

    def _start(self) -> None:
        first = self._process is None
        self._process = subprocess.Popen(
            own_command(leftovers.__file__),
            env=own_environment(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is not for it
        )
        if first:
            atexit.register(self.close)


def _line(what: str, mark: str, session: int | None) -> bytes:
    return json.dumps({"is": what, "mark": mark, "session": session}).encode() + b"\n"


GUARD = Guard()


def made_folder(prefix: str = PREFIX) -> Path:
    """A temporary folder of nobody but us, which goes at the latest when this process does, however that ends.

    The guard is told before it is made, so that there is no moment at which nobody would remove it.
    """
    folder = Path(tempfile.gettempdir()) / f"{prefix}{secrets.token_hex(8)}"
    GUARD.keep(str(folder))
    folder.mkdir(mode=0o700)
    return folder


def remove_folder(folder: Path) -> None:
    """Remove one with all that is in it; what cannot be removed stays."""
    shutil.rmtree(folder, ignore_errors=True)
    GUARD.removed(str(folder))
