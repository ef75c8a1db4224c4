"""A loop of its own for a coroutine of the command line, which a signal ends without breaking into anything.

The law: a signal asks, and the coroutine is cancelled where it waits. A `KeyboardInterrupt` out of a signal handler
would leave whatever runs at that moment half done, a library's parser say, and the loop could then not be closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from brokercert.engine.stops import STOPS

T = TypeVar("T")


def run_loop(
    main: Coroutine[Any, Any, T],
    doing: Callable[[], str],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T:
    """What `main` returns, as by `asyncio.run`. The first SIGINT, SIGTERM or SIGHUP cancels `main`, and all that it
    has to do at its end is done; later ones tell what is being done, `doing()` (see `brokercert.engine.stops`).

    Raises `KeyboardInterrupt` where a signal came and `main` did not return for all that, once the loop is closed.
    """
    asked = False
    tasks: list[asyncio.Task[Any]] = []

    def stop() -> None:
        nonlocal asked
        asked = True
        for task in tasks:
            task.get_loop().call_soon_threadsafe(task.cancel)

    async def alone() -> T:
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        if asked:
            task.cancel()
            await asyncio.sleep(0)
        try:
            return await main
        finally:
            tasks.clear()

    try:
        # The block is around the loop: closing it is no place for a second signal to break into either.
        with STOPS.during(stop, doing), asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(alone())
    except asyncio.CancelledError:
        if asked:
            raise KeyboardInterrupt from None
        raise
    finally:
        main.close()
