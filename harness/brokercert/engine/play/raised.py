"""What a callback of the loop raises while a scenario is played: told to that playing, and not in a log alone.

Evidence may be lost with it, so the scenario cannot be judged as if nothing had happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

# Of the playing under way: callbacks carry the context of whoever asked for them.
RAISED: ContextVar[Callable[[Exception], None]] = ContextVar("RAISED")


def told_to_its_playing(context: dict[str, Any]) -> bool:
    """Whether this is what a callback raised, and some playing was told of it.

    `context` is that of a loop's exception handler. One without a handle is a transport's or a task's: what breaks a
    connection there is its peer's doing as well as ours.
    """
    error, handle = context.get("exception"), context.get("handle")
    known = getattr(handle, "_context", None)
    if not isinstance(error, Exception) or known is None or RAISED not in known:
        return False
    known[RAISED](error)
    return True


def hear(loop: asyncio.AbstractEventLoop, tell: Callable[[Exception], None]) -> None:
    """From here on `tell` is called with what a callback raises that the task which calls this asks for."""
    RAISED.set(tell)
    listen(loop)


def listen(loop: asyncio.AbstractEventLoop) -> None:
    """Hear what callbacks of the loop raise, where nobody does yet."""
    if loop.get_exception_handler() is None:
        loop.set_exception_handler(_heard)


def _heard(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not told_to_its_playing(context):
        loop.default_exception_handler(context)
