"""pytest's end of the door: starts the engine's process, passes its progress on, and brings back its answer.

The law: nothing of the project that pytest runs reaches the engine (import path, event loops, clocks, warnings), and
the engine ends with pytest, however that ends. Standard library only, no clock and no thread, since a project may have
replaced any of them for its tests.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, Popen
from types import FrameType
from typing import IO, Any, Literal

from brokercert.door.wire import STOP, Judged, Options, Plan, Request
from brokercert.ownprocess import own_command, own_environment, package_folders

LAST = 20  # lines of the engine's standard error that are shown where it broke
MAIN = str(Path(__file__).with_name("__main__.py"))


class UsageRefused(Exception):
    """What was asked for cannot be. Its text is a sentence of the engine's."""


class EngineBroke(Exception):
    """The engine's process ended without an answer. Its text says how, with the last lines that it wrote."""


def ask_plan(options: Options, root: Path, folder: Path) -> Plan:
    """The items of a certification. `folder`: where pytest was started.

    Raises `UsageRefused`, `EngineBroke`, `KeyboardInterrupt`.
    """
    answer, stopped = _ask(_request("plan", options, root, []), folder, lambda text: None)
    if stopped:
        raise KeyboardInterrupt
    plan: Plan = answer["plan"]
    return plan


def ask_run(
    options: Options, root: Path, folder: Path, rows: list[str], say: Callable[[str], None]
) -> tuple[Judged, bool]:
    """Run the engine for these rows, and tell its progress to `say`. Returns its answer, and whether Ctrl-C came.

    Raises `UsageRefused`, `EngineBroke`; `KeyboardInterrupt` where it was interrupted before there was anything to
    judge. Of a run that Ctrl-C ends later, the outcome is *interrupted*.
    """
    answer, stopped = _ask(_request("run", options, root, rows), folder, say)
    judged: Judged = answer["judged"]
    return judged, stopped


def _request(task: Literal["plan", "run"], options: Options, root: Path, rows: list[str]) -> Request:
    return Request(task=task, options=options, root=str(root), rows=rows, environ=dict(os.environ), parent=os.getpid())


def _ask(request: Request, folder: Path, say: Callable[[str], None]) -> tuple[dict[str, Any], bool]:
    with tempfile.TemporaryFile() as errors, _engine(folder, errors) as process, _forwarding(process) as stops:
        answer = _talk(process, request, say)
        status = process.wait()
        if "usage" in answer:
            raise UsageRefused(answer["usage"])
        if "interrupted" in answer:
            raise KeyboardInterrupt
        if not answer or status != answer.get("judged", {}).get("status", 0):
            raise EngineBroke(_broken(status, bool(answer), errors))
        return answer, bool(stops)


@contextmanager
def _engine(folder: Path, errors: IO[bytes]) -> Iterator[Popen[bytes]]:
    """The process. The end of its standard input ends it, also where pytest is killed."""
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    process = Popen(
        own_command(MAIN, *package_folders(path)),
        stdin=PIPE,
        stdout=PIPE,
        stderr=errors,
        cwd=folder,
        env=own_environment(os.environ),
        start_new_session=True,  # Ctrl-C reaches it by us, once
    )
    try:
        yield process
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # it is gone, and what was written to it too
                    pipe.close()
        process.wait()


@contextmanager
def _forwarding(process: Popen[bytes]) -> Iterator[list[int]]:
    """Ctrl-C asks the engine to stop, and its answer is awaited: what was recorded is judged.

    Yields the list of those that came.
    """
    stops: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        stops.append(number)
        _send(process, STOP)

    try:
        before = signal.signal(signal.SIGINT, stop)
    except ValueError:  # pytest runs in another thread: Ctrl-C is for the main one
        yield stops
        return
    try:
        yield stops
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler if before is None else before)


def _send(process: Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None
    data = line + b"\n"
    with suppress(BrokenPipeError):  # it is gone: there is no answer then, which says so
        while data:
            data = data[os.write(process.stdin.fileno(), data) :]


def _talk(process: Popen[bytes], request: Request, say: Callable[[str], None]) -> dict[str, Any]:
    """Tell the request and pass the progress on. Returns the answer, empty where the engine ended without one."""
    _send(process, json.dumps(request).encode())
    for line in _lines(process):
        message: dict[str, Any] = json.loads(line)
        if "progress" not in message:
            return message
        with suppress(OSError, ValueError):  # whoever read our output has gone: the run goes on
            say(message["progress"])
    return {}


def _lines(process: Popen[bytes]) -> Iterator[bytes]:
    """Whole lines as they come. What a process that was killed left of a line is none."""
    assert process.stdout is not None
    kept = b""
    while chunk := os.read(process.stdout.fileno(), 65536):
        *lines, kept = (kept + chunk).split(b"\n")
        yield from lines


def _broken(status: int, answered: bool, errors: IO[bytes]) -> str:
    how = f"by signal {-status}" if status < 0 else f"with status {status}"
    what = "after its answer, which is not of that status" if answered else "without an answer"
    errors.seek(0)
    last = errors.read().decode("utf-8", "backslashreplace").splitlines()[-LAST:]
    told = "\n".join(["; the last lines that it wrote:", *(f"    {_harmless(line)}" for line in last)]) if last else ""
    return f"harness error: the engine's process ended {how} {what}; this says nothing of the client{told}"


def _harmless(line: str) -> str:
    """What a client chose may stand in a traceback: nothing of it moves a terminal's cursor."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in line)
