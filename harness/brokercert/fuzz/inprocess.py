"""Fuzzing in one process: batches of 32, a probe after each, finds grouped by cause, and shrunk afterwards.

The law: batch `n` of a seed is the same frames whatever happened before it, so that a seed and a number say what was
fed. An exception that leaves the target, a probe that says what is wrong, and an input that takes 10 s of CPU
are finds.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import FrameType

from msgspec.structs import replace

from brokercert.fuzz.finds import Find
from brokercert.fuzz.shrink import Budget, shrink
from brokercert.fuzz.targets import Target
from brokercert.hostile import Hostile, Level
from brokercert.hostile.delivery import drawn_batch

HANGS = 10.0  # seconds of CPU: a thousand times what a batch takes
WAITS = 30  # times as long by the wall clock: even a machine that gives a thirtieth of a core is not taken for a find
TRIES, SHRINKING = 3_000, 10.0  # tries and seconds of shrinking one find
YIELD = 0.2  # seconds after which Ctrl-C and the target's own timers get their turn


class Hang(Exception):
    """A batch that did not come back."""


@dataclass
class Outcome:
    """What a run did. `counts`: how often each cause came."""

    frames: int = 0
    seconds: float = 0.0
    finds: list[Find] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.frames / self.seconds if self.seconds else 0.0


def batch_of(target: Target, level: Level | None, seed: int, number: int) -> list[Hostile]:
    """The frames of one batch."""
    return drawn_batch(lambda rng, _: target.draw(rng, level), seed, number)


def every(first: int = 0, step: int = 1) -> Iterable[int]:
    """The numbers of batches without end, or each so many-th of them."""
    return count(first, step)


async def feed(
    target: Target, *, level: Level | None, seed: int, seconds: float, numbers: Iterable[int] | None = None
) -> Outcome:
    """Feed these batches (default: all) for so many seconds. Of each cause the first find is kept, as it was fed."""
    outcome = Outcome()
    fed = await target.start()
    began = slice_began = time.monotonic()
    for number in every() if numbers is None else numbers:
        if time.monotonic() - began >= seconds:
            break
        frames = batch_of(target, level, seed, number)
        broke = await _feed(fed, frames)
        outcome.frames += len(frames)
        if broke is not None:
            cause, detail, fed_before = broke
            outcome.counts[cause] = outcome.counts.get(cause, 0) + 1
            await fed.close()
            if outcome.counts[cause] == 1:
                frames = frames[:fed_before]
                find = Find(target=target.name, cause=cause, frames=tuple(frames), seed=seed, detail=detail)
                outcome.finds.append(find)
            fed = await target.start()
        if time.monotonic() - slice_began > YIELD:
            await asyncio.sleep(0)
            slice_began = time.monotonic()
    await fed.close()
    outcome.seconds = time.monotonic() - began
    return outcome


async def shrunk(target: Target, find: Find) -> Find:
    """The find as small as it gets."""

    async def breaks(tried: Sequence[Hostile]) -> bool:
        again = await reproduce(target, tried)
        return again is not None and again[0] == find.cause

    last = find.frames[-1:]
    start = last if await breaks(last) else find.frames
    return replace(find, frames=await shrink(start, breaks, Budget(TRIES, SHRINKING)))


async def reproduce(target: Target, frames: Sequence[Hostile]) -> tuple[str, str] | None:
    """(cause, detail) of what these frames break in a fresh target; None: nothing."""
    fed = await target.start()
    try:
        broke = await _feed(fed, frames)
    finally:
        await fed.close()
    return None if broke is None else broke[:2]


async def _feed(fed: object, frames: Sequence[Hostile]) -> tuple[str, str, int] | None:
    """(cause, detail, how many frames were fed) where something broke."""
    count = 0
    take, probe = fed.feed, fed.probe  # type: ignore[attr-defined]
    with _alarm():
        try:
            for frame in frames:
                count += 1
                waiting = take(frame)
                if waiting is not None:
                    await waiting
            wrong = probe()
        except (Exception, SystemExit) as error:  # whatever a target lets out is what is looked for
            return (*cause_of(error), count)
    return (f"the probe failed: {wrong}", "", count) if wrong else None


def cause_of(error: BaseException) -> tuple[str, str]:
    """What groups finds (the kind of the error and the function that it came from), and the whole traceback."""
    text = "".join(traceback.format_exception(error))[-4_000:]
    if isinstance(error, RecursionError):
        return "RecursionError", text  # the innermost function is whichever met the limit
    if isinstance(error, Hang):
        return f"no return within {HANGS:g} s", text
    frames = traceback.extract_tb(error.__traceback__)
    where = frames[-1] if frames else None
    place = f" in {Path(where.filename).name}:{where.name}" if where else ""
    return f"{type(error).__name__}{place}", text


@contextmanager
def _alarm() -> Iterator[None]:
    """Raise `Hang` out of whatever does not return. Only where signals can be had: on Unix, in the main thread."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise Hang(f"a batch took more than {HANGS:g} s of CPU, or {WAITS * HANGS:g} s in all")

    # CPU time: on a machine that is busy with other things nothing is a find that would return in time by itself.
    # What waits for something that never comes uses none, so that it has to end by the wall.
    clocks = ((signal.SIGPROF, signal.ITIMER_PROF, HANGS), (signal.SIGALRM, signal.ITIMER_REAL, WAITS * HANGS))
    handlers = [signal.signal(number, ring) for number, _, _ in clocks]
    timers = [signal.setitimer(timer, seconds) for _, timer, seconds in clocks]
    try:
        yield
    finally:
        for (_, timer, _), (left, every) in zip(clocks, timers, strict=True):
            signal.setitimer(timer, left, every)
        for (number, _, _), handler in zip(clocks, handlers, strict=True):
            signal.signal(number, handler)
