"""Keeps the guard (`leftovers.py`) told of every client that runs, so that none survives a harness that is killed.

One guard serves a harness process, from its first client to its end.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
from contextlib import suppress

from brokercert.engine import leftovers

LAST_WAIT = 5.0  # seconds for it to end what is left when the harness ends: ROUNDS * PAUSE a client, and spare


class Guard:
    """Tells the guard; starts it, and again should it have died."""

    def __init__(self) -> None:
        self._clients: dict[str, int | None] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def watch(self, mark: str, session: int | None = None) -> None:
        """A client is about to be started with this mark, or was started with this session."""
        self._clients[mark] = session
        self._tell("here", mark, session)

    def forget(self, mark: str) -> None:
        """Nothing is left of it."""
        self._clients.pop(mark, None)
        with suppress(OSError):  # it died, and there is no room for another: the next client's start says so
            self._tell("gone", mark, None)

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

    def _tell(self, what: str, mark: str, session: int | None) -> None:
        if self._process is None or self._process.poll() is not None:
            if not self._clients:
                return
            self._start()
            lines = [_line("here", m, s) for m, s in self._clients.items()]
        else:
            lines = [_line(what, mark, session)]
        assert self._process is not None and self._process.stdin is not None
        with suppress(BrokenPipeError):  # it was killed this instant: the next call starts another
            self._process.stdin.write(b"".join(lines))
            self._process.stdin.flush()

    def _start(self) -> None:
        first = self._process is None
        self._process = subprocess.Popen(
            # -P: its folder is not a place to import from.
            [sys.executable, "-P", leftovers.__file__],
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
