"""What a hostile frame is, and the register of the defects that it can have.

    generate(rng, "message")                 one frame, its defect drawn by weight
    make(rng, DEFECTS["json/trailing-comma"]) one frame with this defect
    each_once(rng, "json")                   one frame of each defect of a level

The law: a frame is valid but for one named defect, everything is drawn from the `rng` that is given (so that a seed
says which frame, and Hypothesis can shrink its draws), and no I/O. No frame means something else that a broker may
say: none is a refusal, a ticket, a lock-out or an order to go (an `a` frame carries events and answers to requests that
nobody made), so that a client which goes on or reconnects is right, and one that dies or turns deaf is wrong.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

import msgspec

Level = Literal["websocket", "frame", "json", "message"]
LEVELS: tuple[Level, ...] = get_args(Level)


class Hostile(msgspec.Struct, frozen=True, gc=False):
    """One frame. `text` is a text frame's payload; at the level *websocket* it is empty, and `wire` are the bytes."""

    level: Level
    defect: str
    text: str
    wire: bytes = b""

    @property
    def name(self) -> str:
        return f"{self.level}/{self.defect}"


Maker = Callable[[Random], str | bytes]


@dataclass(frozen=True, slots=True)
class Defect:
    """One way to be wrong. `text` says it; `weight` how often it is drawn beside others (costly ones are rare)."""

    level: Level
    name: str
    text: str
    make: Maker
    weight: int = 10

    @property
    def id(self) -> str:
        return f"{self.level}/{self.name}"


DEFECTS: dict[str, Defect] = {}
_DRAWN: dict[Level, list[Defect]] = {level: [] for level in LEVELS}  # each as often as its weight says


def defect(level: Level, name: str, text: str, *, weight: int = 10) -> Callable[[Maker], Maker]:
    """Register a maker: a text frame's payload, or wire bytes at the level *websocket*."""

    def register(make: Maker) -> Maker:
        add(Defect(level, name, text, make, weight))
        return make

    return register


def add(one: Defect) -> None:
    if one.id in DEFECTS:
        raise ValueError(f"two defects are called {one.id}")
    DEFECTS[one.id] = one
    _DRAWN[one.level] += [one] * one.weight


def make(rng: Random, one: Defect) -> Hostile:
    """A frame with this defect."""
    made = one.make(rng)
    if isinstance(made, bytes):
        return Hostile(one.level, one.name, "", made)
    return Hostile(one.level, one.name, made)


def generate(rng: Random, level: Level) -> Hostile:
    """A frame of this level."""
    drawn = _DRAWN[level]
    return make(rng, drawn[int(rng.random() * len(drawn))])


def defects_of(level: Level) -> list[Defect]:
    return [one for one in DEFECTS.values() if one.level == level]


def each_once(rng: Random, level: Level) -> list[Hostile]:
    """One frame of each defect of a level, in the order of the register."""
    return [make(rng, one) for one in defects_of(level)]


for _module in ("websocket", "frame", "text", "message"):
    importlib.import_module(f"brokercert.hostile.{_module}")
