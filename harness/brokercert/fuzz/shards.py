"""Fuzzing in process through the one seam of parallel work: parts of a seed's batches, finds merged by cause.

The law: part `number` of `of` feeds the batches `number`, `number + of`, `number + 2 of` and so on of the seed that was
printed, to a target started anew; so a number of frames is the same parts, and the same finds, whatever does the work.
Parts are short, so that Ctrl-C loses little. What broke is shrunk afterwards, once a cause.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from brokercert.engine.errors import UsageError
from brokercert.fuzz import inprocess
from brokercert.fuzz.client import handler_target
from brokercert.fuzz.finds import Find
from brokercert.fuzz.inprocess import Outcome
from brokercert.fuzz.targets import Target, known_targets
from brokercert.hostile import Level
from brokercert.hostile.delivery import BATCH
from brokercert.parallel import in_order, workers

SLICE = 0.5  # seconds of a part: a pool has begun one more than it has processes, and Ctrl-C waits for those
LITTLE = 2.0  # seconds in all for which no process is worth starting
BATCHES = 256  # of a part, where frames are counted: a second or less


@dataclass(frozen=True, slots=True)
class Part:
    """It names things only, so that it can go to another process. `target`: one of ours, or MODULE:NAME."""

    target: str
    level: Level | None
    seed: int
    number: int
    of: int
    seconds: float  # infinite, where `batches` says how much
    batches: int = 0


@dataclass(frozen=True, slots=True)
class Shards:
    """What a run is asked for: so many seconds, or, where `frames` is given, so many hostile frames."""

    target: str
    level: Level | None
    seed: int
    seconds: float
    frames: int = 0
    jobs: int = 0
    cluster: str = ""

    def parts(self) -> list[Part]:
        if self.frames:
            batches = math.ceil(self.frames / BATCH)
            of = math.ceil(batches / BATCHES)
            counts = [len(range(number, batches, of)) for number in range(of)]
            return [self._part(number, of, math.inf, count) for number, count in enumerate(counts)]
        turns = math.ceil(self.seconds / SLICE)
        of = turns * (self.jobs or os.cpu_count() or 1)
        if self.few:
            of = turns
        return [self._part(number, of, self.seconds / turns) for number in range(of)]

    @property
    def few(self) -> bool:
        """Whether it is all done in this process."""
        little = self.frames <= BATCH * BATCHES if self.frames else self.seconds <= LITTLE
        return not self.cluster and (self.jobs == 1 or little)

    def _part(self, number: int, of: int, seconds: float, batches: int = 0) -> Part:
        return Part(self.target, self.level, self.seed, number, of, seconds, batches)


def target_named(name: str, given: str = "--target") -> Target:
    """A target of ours by its name, or somebody's handler as MODULE:NAME. `given` says where. Raises `UsageError`."""
    if ":" in name:
        return handler_target(name)
    known = known_targets().get(name)
    if known is None:
        raise UsageError(f"{given} {name!r}: expected one of {', '.join(known_targets())}")
    return known


def feed_part(part: Part) -> Outcome:
    """What it broke, as it was fed. Called in workers."""
    numbers = range(part.number, part.of * part.batches, part.of) if part.batches else None
    return asyncio.run(
        inprocess.feed(
            target_named(part.target),
            level=part.level,
            seed=part.seed,
            seconds=part.seconds,
            numbers=numbers or inprocess.every(part.number, part.of),
        )
    )


def shrink_find(find: Find) -> Find:
    """Called in workers."""
    return asyncio.run(inprocess.shrunk(target_named(find.target), find))


def fuzz(asked: Shards, new: Callable[[str], None] = lambda cause: None) -> tuple[Outcome, bool]:
    """(what it came to, whether Ctrl-C ended it). Finds are shrunk, and stand in the order of their causes' names;
    where Ctrl-C came they are as they were fed. `new` is told of each cause when it is first seen. Raises `UsageError`.
    """
    target_named(asked.target)  # raises here, not in a worker
    make = workers(asked.cluster, asked.jobs, few=asked.few)
    seen: set[str] = set()

    def on_result(place: int, told: Outcome) -> None:
        for find in told.finds:
            if find.cause not in seen:
                seen.add(find.cause)
                new(find.cause)

    began = time.monotonic()
    done = in_order(feed_part, asked.parts(), make, on_result)
    merged = Outcome(seconds=time.monotonic() - began)
    firsts: dict[str, Find] = {}
    for told in done.complete:
        merged.frames += told.frames
        for cause, count in told.counts.items():
            merged.counts[cause] = merged.counts.get(cause, 0) + count
        for find in told.finds:
            firsts.setdefault(find.cause, find)
    merged.finds = [firsts[cause] for cause in sorted(firsts)]
    if done.interrupted:
        return merged, True
    shrunk = in_order(shrink_find, merged.finds, make if len(firsts) > 1 else None)
    merged.finds = [small or find for small, find in zip(shrunk.results, merged.finds, strict=True)]
    return merged, shrunk.interrupted
