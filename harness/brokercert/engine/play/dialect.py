"""What a broker is to the engine: a dialect, declared by the suite package of a requirement set as `DIALECT`.

The engine plays, waits, records and judges by what stands here, and names no broker (docs/new-dialect.md). A suite of
another package declares its own in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from brokercert_mock import Recorder
from brokercert_mock.port.connection import AnyConnection
from brokercert_mock.port.panel import Panel

from brokercert.engine.client.subject import Factory, Level
from brokercert.engine.errors import UsageError
from brokercert.judge import Judging

if TYPE_CHECKING:
    from brokercert.engine.play.stage import AnyStage


class Broker(Protocol):
    """A mock broker, as the engine uses it."""

    script_errors: list[BaseException]
    """What a rule or the broker itself broke on: a harness error, never the client's."""
    bytes_read: int
    """On all connections so far."""

    @property
    def port(self) -> int: ...

    @property
    def addresses(self) -> Sequence[str]:
        """On which it listens, all on one port: every one that a client may take."""

    @property
    def connections(self) -> Sequence[AnyConnection]:
        """Those whose TCP connection stands."""

    @property
    def bytes_come(self) -> int:
        """Bytes that have come on all connections so far: those that were read, and those that wait to be."""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None: ...

    async def close(self) -> None: ...

    def client_facts(self, host: str, port: int) -> dict[str, str]:
        """What a client is told that reaches it at this address: BROKERCERT_* variables without their prefix
        (docs/subject-protocol.md), URL and credentials ready to use among them.
        """

    def tell_ledger(self, name: str) -> None:
        """Record its own state: a point of comparison."""


@runtime_checkable
class Shown(Protocol):
    """A broker that can be shown live in a browser page (`brokercert serve --web`)."""

    @property
    def url(self) -> str: ...

    def panel(self) -> Panel: ...


@dataclass(frozen=True)
class Reference:
    """The project's own client, for whoever asks for it. `factory` makes it in this process, for virtual time."""

    command: tuple[str, ...]
    offers: frozenset[str]
    factory: Callable[[], Factory]
    level: Level = "commands"
    entity_types: tuple[str, ...] = ()  # that it relies on
    readings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dialect:
    """`broker` makes one from a scenario's `settings`, the recorder that it tells, a seed, and what its
    calendar says at the start (None: the real one). `stage` is what its
    scenarios are handed. `mutants` is the module whose `MUTANTS` are its broken clients; it may be absent. `hosts` are
    the names of this machine by which clients are told to reach a broker with such settings.
    """

    name: str
    broker: Callable[[Mapping[str, Any], Recorder, int, datetime | None], Broker]
    stage: type[AnyStage[Any, Any]]
    judging: Judging
    reference: Reference
    mutants: str
    hosts: Callable[[Mapping[str, Any]], Collection[str]] = lambda settings: ()


def dialect_of(package: object, set_id: str) -> Dialect:
    """The dialect that a suite's package declares. Raises `UsageError`."""
    found = getattr(package, "DIALECT", None)
    if not isinstance(found, Dialect):
        name = getattr(package, "__name__", package)
        raise UsageError(
            f"the suite of {set_id}: {name}.DIALECT is {found!r}; expected a brokercert.engine.play.dialect.Dialect"
        )
    return found
