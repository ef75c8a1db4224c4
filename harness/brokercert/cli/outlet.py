"""Standard output and standard error that cannot break: what is printed never changes what is printed of.

The law: all that this program prints (click, rich, tracebacks, warnings, `print`) goes through `steady_streams`, whose
streams never raise: a character that the encoding lacks is escaped; what a full, closed or missing output does not take
is left out.
"""

from __future__ import annotations

import io
import os
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PATIENCE = 10.0  # seconds that an output which does not block (a pipe of Node's, say) is given to take more


class Outlet(io.RawIOBase):
    """A descriptor to write to. All of it is written, or left out without a word: nobody could be told."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        try:
            return os.isatty(self._descriptor)
        except OSError:
            return False

    def write(self, data: ReadableBuffer, /) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        until = time.monotonic() + PATIENCE
        with suppress(OSError):  # full, closed, or its reader has gone
            while left:
                try:
                    left = left[os.write(self._descriptor, left) :]
                except BlockingIOError:
                    if time.monotonic() > until:
                        break
                    select.select([], [self._descriptor], [], PATIENCE)
        return size


def hold_descriptors() -> None:
    """Open 0, 1 and 2 where they are closed (`2>&-`). Else the next file opened, a trace say, would become standard
    error, and be written to by whoever reports an error.
    """
    with suppress(OSError):
        while (new := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(new)


@contextmanager
def steady_streams() -> Iterator[None]:
    """In this block `sys.stdout` and `sys.stderr` never raise."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (steady(stream) for stream in before)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # one that is not ours: see `steady`
                stream.flush()
        sys.stdout, sys.stderr = before


def steady(stream: TextIO | None) -> TextIO:
    """The same output, which never raises. One in memory (a test's) is no output, and left as it is."""
    if stream is None:  # it was closed when Python started
        return io.TextIOWrapper(io.BufferedWriter(Outlet(os.open(os.devnull, os.O_WRONLY))), "utf-8", errors="replace")
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):
        return stream
    with suppress(OSError, ValueError):
        stream.flush()
    at_once = getattr(stream, "write_through", False)  # python -u
    outlet: Any = Outlet(descriptor)
    return io.TextIOWrapper(
        outlet if at_once else io.BufferedWriter(outlet),  # as Python makes its own
        encoding=stream.encoding or "utf-8",
        errors="backslashreplace",
        line_buffering=getattr(stream, "line_buffering", False),
        write_through=at_once,
    )


def say(text: str, *, err: bool = False) -> None:
    """Print a line, harmless: whatever a client, a page or a file chose may stand in it."""
    import click
    from brokercert_reports.text import printable

    click.echo(printable(text), err=err)


def takes_more(stream: TextIO) -> bool:
    """Whether a line written now would not wait: a terminal that is held (Ctrl-S) must not hold a run."""
    try:
        return bool(select.select([], [stream.fileno()], [], 0)[1])
    except (OSError, ValueError):
        return True  # nothing that could hold anybody
