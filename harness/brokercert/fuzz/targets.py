"""What can be fuzzed in this process, and what "rejected" may be for each: anything else that it does is a find.

A target is fed one input after another, and looked at between batches: its probe says whether it still does its work.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

from brokercert.hostile import Hostile, Level


class Fed(Protocol):
    """A target that runs. An exception out of `feed` is a find; so is a probe that says what is wrong."""

    def feed(self, frame: Hostile) -> Awaitable[None] | None: ...

    def probe(self) -> str:
        """What is wrong after the inputs so far; empty: nothing."""

    async def close(self) -> None: ...


Draw = Callable[[Random, Level | None], Hostile]
Start = Callable[[], Awaitable[Fed]]


@dataclass(frozen=True, slots=True)
class Target:
    """`rejected` says what may become of an input that is none."""

    name: str
    rejected: str
    draw: Draw
    start: Start


class Plain:
    """A target that keeps nothing from one input to the next, but perhaps a folder of its own."""

    def __init__(self, take: Callable[[Hostile], None], folder: Path | None = None) -> None:
        self.feed = take
        self._folder = folder

    def probe(self) -> str:
        return ""

    async def close(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)  # its inputs; each find holds its own


TARGETS: dict[str, Target] = {}


def target(name: str, rejected: str, draw: Draw) -> Callable[[Start], Start]:
    """Register how a target is started."""

    def register(start: Start) -> Start:
        TARGETS[name] = Target(name, rejected, draw, start)
        return start

    return register


def known_targets() -> dict[str, Target]:
    """All targets of ours, by name."""
    for module in ("client", "own_mock", "own_segments", "own_arrow", "own_files", "own_bytes", "own_toxiproxy"):
        importlib.import_module(f"brokercert.fuzz.{module}")
    return TARGETS
