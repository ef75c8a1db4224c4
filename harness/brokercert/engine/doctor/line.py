"""What a doctor says: one line a thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARN = "warn"  # a run can be made, and something of it may be lost or slower
    BAD = "bad"  # no run can be made so


@dataclass(frozen=True, slots=True)
class Line:
    """`told` is what was found, `remedy` what to do; empty where nothing is to be done."""

    state: State
    name: str
    told: str
    remedy: str = ""

    def __post_init__(self) -> None:
        assert (self.state is State.OK) or self.remedy, f"{self.name}: a line that is not ok has a remedy"


def ok(name: str, told: str) -> Line:
    return Line(State.OK, name, told)


def warn(name: str, told: str, remedy: str) -> Line:
    return Line(State.WARN, name, told, remedy)


def bad(name: str, told: str, remedy: str) -> Line:
    return Line(State.BAD, name, told, remedy)
