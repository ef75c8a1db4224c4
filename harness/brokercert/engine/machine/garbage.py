"""Python's garbage collector, kept from holding the loop while scenarios are played.

A full collection goes through every object of the process: 0.2 s and more beside a snapshot of 15,000 entities, in
which the mock broker does not answer. That is a standstill of our own making. The collections of young objects go on:
they are short. What lives in a circle for longer waits for the end of the round.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NEVER = 1_000_000  # collections of the middle generation before a full one: months

_held = 0  # how many runs of this process play now
_before = 0


@contextmanager
def no_full_collection() -> Iterator[None]:
    """While it lasts, for the whole process. Several at once are one."""
    global _held, _before
    young, middle, old = gc.get_threshold()
    if not _held:
        _before = old
        gc.set_threshold(young, middle, NEVER)
    _held += 1
    try:
        yield
    finally:
        _held -= 1
        if not _held:
            gc.set_threshold(*gc.get_threshold()[:2], _before)


def collect() -> None:
    """A full collection, between two rounds; none where another run of this process plays, which it would hold up."""
    if _held <= 1:
        gc.collect()
