"""A load for the machine: processes that compute and never wait.

`repeat.py` and `chaos.py` ask how a certification fares beside it.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager


def spin() -> None:
    """Compute until whoever started it has gone. A process of its own runs this, so it stands at the top of a module:
    `spawn` imports it.
    """
    parent = os.getppid()
    while os.getppid() == parent:
        for _ in range(1_000_000):
            pass


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes compute meanwhile. All have ended when this returns, however it returns."""
    context = multiprocessing.get_context("spawn")
    crew = [context.Process(target=spin, daemon=True) for _ in range(processes)]
    for process in crew:
        process.start()
    try:
        yield
    finally:
        for process in crew:
            process.kill()
            process.join()
