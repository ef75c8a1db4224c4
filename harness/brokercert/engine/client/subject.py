"""The client under test: what is known of it before a run, and what the harness may ask of it in one.

The law: a client is whatever it is told to be (a program, or a class in this process); what it does becomes records by
way of an observer, stamped when it was seen, and when the harness lets go of it nothing of it is left running.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from brokercert.engine.errors import UsageError
from brokercert.trace.records import Why
from brokercert.verdict import Build

Level = Literal["wire", "reports", "commands", "in process"]
Stop = Literal["signal", "command", "none"]
Stream = Literal["out", "err"]
Clock = Callable[[], float]  # seconds, the running loop's own

INSTANCES = 40  # as many as ever run at once: they sleep, and 40 start within the shortest scenario on two cores

STOP = 1_000_000_000  # the id of the command `stop`: beyond those of all other commands of a run


class SubjectError(UsageError):
    """The client cannot be started as asked: its command does not exist or cannot be executed."""


class Subject(Protocol):
    """A client that runs in this process, for virtual time. All its timers go through the running loop."""

    async def run(self) -> int:
        """Be the client until it leaves. Returns what would be its exit status."""

    async def stop(self) -> None:
        """Log off and let `run` return."""


@runtime_checkable
class Commanded(Protocol):
    """What a `Subject` has beside that, to be certified at the level *commands*."""

    async def command(self, line: Mapping[str, Any]) -> None:
        """A command of the process protocol. Answers go through the output that the factory was given."""


Factory = Callable[[Mapping[str, str], Callable[[str], None]], Subject]


@dataclass(frozen=True)
class SubjectSpec:
    """A client as declared. Exactly one of `command` and `factory` is given.

    `offers` are those of the set's needs that the client and its adapter offer; `absent` those that it declares it
    lacks, with the written reason; `entity_types` are those that it relies on (none: not declared); `instances` is
    how many may run at once; `inherit_env` names variables of the harness's own environment that it gets beside the
    usual ones (`brokercert.engine.client.inherited`).
    """

    name: str
    command: tuple[str, ...] | None = None
    factory: Factory | None = None
    cwd: Path = field(default_factory=Path.cwd)
    env: Mapping[str, str] = field(default_factory=dict)
    inherit_env: tuple[str, ...] = ()
    level: Level = "wire"
    offers: frozenset[str] = frozenset({"wire", "stop"})
    absent: Mapping[str, str] = field(default_factory=dict)
    readings: Mapping[str, str] = field(default_factory=dict)
    entity_types: tuple[str, ...] = ()
    instances: int = INSTANCES
    stop: Stop = "signal"
    lowered: bool = False  # it gets a lower priority than the harness, for it kept that from its core
    reference: bool = False  # it is brokercert's own, because it was asked for
    build: Build = field(default_factory=Build)  # which one it is, as far as that is known
    placeholders: tuple[str, ...] = ()  # of the set, that its command and `env` may hold

    def __post_init__(self) -> None:
        if (self.command is None) == (self.factory is None):
            raise ValueError(f"subject {self.name!r}: exactly one of command and factory must be given")


class SubjectObserver(Protocol):
    """Told what a client does, as it is seen. `at` is in seconds of the clock that was given."""

    def started(self, at: float) -> None: ...

    def output(self, at: float, stream: Stream, line: str, cut: bool) -> None:
        """A line that it printed, without its end; `cut` where it was longer than is kept."""

    def report(self, at: float, event: str, body: Mapping[str, Any]) -> None:
        """A JSON line of the process protocol, from the level *reports* up."""

    def broken_report(self, at: float, line: int, text: str, why: str) -> None:
        """A line that was to be a report and cannot be read; `line` counts its lines of standard output from 1."""

    def dropped(self, at: float, lines: int, bytes: int) -> None:
        """So much more output than before was read and thrown away."""

    def stop_asked(self, at: float, how: str, judged: bool) -> None: ...

    def ending(self, at: float, why: Why, processes: int) -> None:
        """The harness is about to end it: called before the effect, once at most. See `EndedByUs` of the trace."""

    def exited(self, at: float, code: int, asked: bool) -> None:
        """`code` is the exit status, or minus the signal that ended it. Comes after all output that is told."""
