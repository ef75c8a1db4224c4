"""What must come to its end although the task that waits for it is cancelled: cleaning up, and judging."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """What `work` answers or raises, however often this task is cancelled meanwhile.

    A cancellation is kept, not raised: the caller asks `is_cancelled` afterwards.
    """
    task = asyncio.ensure_future(work)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.done():
                return task.result()  # it came to its end in the same turn, or was cancelled itself: then it raises


def is_cancelled() -> bool:
    """Whether this task has been asked to end, also where that was kept."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
