"""Makes a find small: fewer frames, and less in each, for as long as it still breaks for the same reason.

Hypothesis shrinks its own draws, under pytest; a find of the fast generator is a concrete frame, and is shrunk here:
halves of the list first (bisection), then single frames, then what stands inside a frame: JSON by its places, other
text by its halves.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from brokercert.hostile import Hostile
from brokercert.hostile.edits import drop, paths, put

T = TypeVar("T")
Breaks = Callable[[Sequence[Hostile]], Awaitable[bool]]  # whether these frames break it, for the same reason

SMALL: tuple[Any, ...] = (None, 0, "", [], {})


class Budget:
    """How often, and for how long, may be tried: a process that is started anew for each try takes a second or two."""

    def __init__(self, tries: int, seconds: float) -> None:
        self.left = tries
        self._until = time.monotonic() + seconds

    def spend(self) -> bool:
        self.left = self.left - 1 if time.monotonic() < self._until else 0
        return self.left >= 0 and time.monotonic() < self._until


async def shrink(frames: Sequence[Hostile], breaks: Breaks, budget: Budget) -> tuple[Hostile, ...]:
    """The smallest list found; the given one where none smaller breaks it."""
    kept = await _fewer(list(frames), breaks, budget)
    for place in range(len(kept)):
        kept = await _smaller(kept, place, breaks, budget)
    return tuple(kept)


async def _fewer(frames: list[Hostile], breaks: Breaks, budget: Budget) -> list[Hostile]:
    """Delta debugging: without ever smaller parts of the list."""
    size = max(1, len(frames) // 2)
    while len(frames) > 1:
        smaller = False
        for start in range(0, len(frames), size):
            rest = frames[:start] + frames[start + size :]
            if rest and budget.spend() and await breaks(rest):
                frames, smaller = rest, True
                break
        if not smaller:
            if size == 1 or budget.left <= 0:
                break
            size //= 2
        size = min(size, max(1, len(frames) // 2))
    return frames


async def _smaller(frames: list[Hostile], place: int, breaks: Breaks, budget: Budget) -> list[Hostile]:
    """One frame of the list, made smaller."""
    again = True
    while again and budget.left > 0:
        again = False
        for text in _candidates(frames[place].text):
            tried = [*frames[:place], msgspec.structs.replace(frames[place], text=text), *frames[place + 1 :]]
            if not budget.spend():
                break
            if await breaks(tried):
                frames, again = tried, True
                break
    return frames


def _candidates(text: str) -> Iterator[str]:
    """Smaller texts, the smallest first within a kind."""
    if text[:1] == "a":
        try:
            document = msgspec.json.decode(text[1:])
        except (msgspec.DecodeError, RecursionError):
            document = None
        if isinstance(document, list):
            for smaller in _documents(document):
                encoded = "a" + msgspec.json.encode(smaller).decode()
                if len(encoded) < len(text):
                    yield encoded
    size = len(text) // 2
    while size:
        for start in range(0, len(text), size):
            yield text[:start] + text[start + size :]
        size //= 2 if len(text) < 2_000 else 8


def _documents(document: Any) -> Iterator[Any]:
    for path in list(paths(document)):
        yield drop(document, path)
    for path in list(paths(document)):
        for value in SMALL:
            yield put(document, path, value)
