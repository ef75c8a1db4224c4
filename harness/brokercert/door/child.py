"""The engine's end of the door: one request on standard input, one answer on what was standard output.

The law: it ends with pytest. Where pytest asks it to stop, or is gone, the run is interrupted, and what was recorded is
judged and reported. Nothing that is printed here can be taken for an answer.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
import time
import traceback
from asyncio import CancelledError
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from brokercert.door.wire import STOP, Request
from brokercert.engine.machine.priority import raise_priority

LOOK = 0.5  # seconds between two looks at whether pytest is still there, where the system cannot say when it ends
ALONE = 120.0  # seconds to end the clients, judge and report where pytest is gone; on a busy machine too
IMPATIENT = 3.0  # seconds after the first Ctrl-C from which a third one ends it without a report


OTHERS = (signal.SIGTERM, signal.SIGHUP)


class Line:
    """The way back to pytest. Several threads may tell at once."""

    def __init__(self, output: int) -> None:
        self._output = output
        self._lock = threading.Lock()

    def tell(self, message: Mapping[str, Any]) -> None:
        """A message. Lost where nobody reads it: pytest is gone then, and the run's own reports stay."""
        data = json.dumps(message).encode() + b"\n"
        with self._lock, suppress(OSError):
            while data:
                data = data[os.write(self._output, data) :]

    def say(self, text: str) -> None:
        self.tell({"progress": text})


class Stopping:
    """Whether the run is to end. Asked for by any thread; the main one is interrupted while it runs the engine."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._lock = threading.Lock()
        self._phase = BEFORE
        self._first: float | None = None  # when it was asked for, by the monotonic clock
        self._times = 0

    def ask(self) -> None:
        """As Ctrl-C does."""
        now = time.monotonic()
        with self._lock:
            self._times += 1
            first, self._first = self._first is None, now if self._first is None else self._first
            phase = self._phase
            if first and phase is DURING:
                os.kill(os.getpid(), signal.SIGINT)
        if self._times > 2 and now - self._first > IMPATIENT:
            os._exit(128 + signal.SIGINT)  # the guard ends the client
        self._line.say(f"interrupted: {phase}" if first else MORE)

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the engine runs. Raises `KeyboardInterrupt` where the end was asked for before."""
        with self._lock:
            if self._first is not None:
                raise KeyboardInterrupt
            self._phase = DURING
        try:
            yield
        finally:
            _be_deaf(signal.SIGINT, *OTHERS)  # what follows is short, and writes the reports
            with self._lock:
                self._phase = AFTER


# What an interruption finds, and does.
BEFORE = "no client was started yet"
DURING = "ends the client, then judges and reports what was recorded"
AFTER = "the run is over, and its reports are written to their end"
MORE = f"still at it; a third Ctrl-C, {IMPATIENT:.0f} s after the first, ends it without a report"


def main() -> int:
    """Answer one request. Returns the exit status: a run's own, 0 for a plan, 2 usage, 3 broken, 130 interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a process of a script's background may ignore it
    _be_deaf(*OTHERS)  # it ends with pytest; while it plays, the engine handles them
    line = Line(_private_output())
    data, rest = _first_line()
    request: Request = json.loads(data)
    os.environ.clear()
    os.environ.update(request["environ"])  # the client's; this process has started without it
    raise_priority()  # before there is a thread
    stopping = Stopping(line)
    threading.Thread(target=_watch, args=(stopping, request["parent"], rest), daemon=True).start()
    try:
        return _answer(request, line, stopping)
    except (KeyboardInterrupt, CancelledError):
        line.tell({"interrupted": True})
        return 128 + signal.SIGINT
    except Exception as error:  # the boundary to pytest: told apart by whom it blames
        if not _is_usage(error):
            traceback.print_exc()
            return 3
        line.tell({"usage": harmless(str(error))})
        return 2


def harmless(text: str) -> str:
    """What pytest prints; what stands in a user's file, or in a trace, may be in it."""
    from brokercert_reports.text import printable

    return printable(text)


def _answer(request: Request, line: Line, stopping: Stopping) -> int:
    from brokercert.door.engine import plan, report, run

    if request["task"] == "plan":
        line.tell({"plan": plan(request["options"], request["root"])})
        return 0
    with stopping.running():
        record, out = run(request["options"], request["root"], request["rows"], line.say)
    judged = report(record, out, line.say)
    line.tell({"judged": judged})
    return judged["status"]


def _is_usage(error: Exception) -> bool:
    from brokercert.engine.errors import UsageError
    from brokercert.requirements import RequirementError

    return isinstance(error, UsageError | RequirementError)


def _be_deaf(*numbers: signal.Signals) -> None:
    """Let these signals do nothing. By a handler, since what is ignored would be so in every client too."""

    def nothing(number: int, frame: FrameType | None) -> None:
        pass

    for number in numbers:
        signal.signal(number, nothing)


def _private_output() -> int:
    """Standard output for answers alone; what is printed by anybody goes to standard error."""
    sys.stdout.flush()
    output = os.dup(1)
    os.dup2(2, 1)
    return output


def _first_line() -> tuple[bytes, bytes]:
    """The request, and what came after it. An end before it is no request: JSON says so."""
    data = b""
    while b"\n" not in data:
        chunk = os.read(0, 65536)
        if not chunk:
            break
        data += chunk
    first, _, rest = data.partition(b"\n")
    return first, rest


def _watch(stopping: Stopping, parent: int, data: bytes) -> None:
    """Ask to stop at each line of standard input, and at its end.

    Another process of the project may hold the pipe open (it was forked), so that the parent is looked at too.
    """
    life = _life_of(parent)
    while True:
        *lines, data = data.split(b"\n")
        for line in lines:
            if line == STOP:
                stopping.ask()
        if 0 in select.select([0, *life], [], [], None if life else LOOK)[0]:
            chunk = os.read(0, 65536)
            if not chunk:
                break
            data += chunk
        if os.getppid() != parent:
            break
    stopping.ask()
    time.sleep(ALONE)
    os._exit(3)  # it ended long ago, but for something that hangs


def _life_of(process: int) -> list[int]:
    """A descriptor that can be read once this process has ended; none where the system has no such thing."""
    try:
        return [os.pidfd_open(process)]
    except (AttributeError, OSError):  # not Linux, or the process has gone: whose parent we are tells
        return []
