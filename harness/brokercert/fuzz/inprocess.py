"""Fuzzing in this process: batches of 32, a probe after each, finds grouped by cause and shrunk.

The law: batch `n` of a seed is the same frames whatever happened before it, so that a seed and a number say what was
fed. An exception that leaves the target, a probe that says what is wrong, and an input that takes 10 s are finds.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import FrameType

from brokercert.fuzz.finds import Find
from brokercert.fuzz.shrink import Budget, shrink
from brokercert.fuzz.targets import Target
from brokercert.hostile import Hostile, Level

BATCH = 32
HANGS = 10.0  # seconds: a thousand times what a batch takes
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
    rng = Random(seed * 1_000_003 + number)
    draw = target.draw
    return [draw(rng, level) for _ in range(BATCH)]


async def fuzz(
    target: Target, *, level: Level | None, seconds: float, seed: int, found: Callable[[Find], None] = lambda _: None
) -> Outcome:
    """Feed for so many seconds; `found` is told of each new cause, shrunk."""
    outcome = Outcome()
    number = 0
    fed = await target.start()
    began = slice_began = time.monotonic()
    while time.monotonic() - began < seconds:
        frames = batch_of(target, level, seed, number)
        number += 1
        broke = await _feed(fed, frames)
        outcome.frames += len(frames)
        if broke is not None:
            cause, detail, count = broke
            outcome.counts[cause] = outcome.counts.get(cause, 0) + 1
            await fed.close()
            if outcome.counts[cause] == 1:
                small = await _shrunk(target, frames[:count], cause)
                find = Find(target=target.name, cause=cause, frames=small, seed=seed, detail=detail)
                outcome.finds.append(find)
                found(find)
            fed = await target.start()
        if time.monotonic() - slice_began > YIELD:
            await asyncio.sleep(0)
            slice_began = time.monotonic()
    await fed.close()
    outcome.seconds = time.monotonic() - began
    return outcome


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
        except Exception as error:  # whatever a target lets out is what is looked for
            return (*cause_of(error), count)
    return (f"the probe failed: {wrong}", "", count) if wrong else None


async def _shrunk(target: Target, frames: Sequence[Hostile], cause: str) -> tuple[Hostile, ...]:
    async def breaks(tried: Sequence[Hostile]) -> bool:
        again = await reproduce(target, tried)
        return again is not None and again[0] == cause

    last = frames[-1:]
    start = last if await breaks(last) else frames
    return await shrink(start, breaks, Budget(TRIES, SHRINKING))


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
        raise Hang(f"a batch took more than {HANGS:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    left, every = signal.setitimer(signal.ITIMER_REAL, HANGS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left, every)
        signal.signal(signal.SIGALRM, before)
