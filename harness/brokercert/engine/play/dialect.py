"""What a broker is to the engine: a dialect, declared by the suite package of a requirement set as `DIALECT`.

The engine plays, waits, records and judges by what stands here, and names no broker (docs/new-dialect.md). A suite of
another package declares its own in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from brokercert_mock import Recorder

from brokercert.engine.client.subject import Factory, Level
from brokercert.engine.errors import UsageError
from brokercert.engine.play.broker import Broker
from brokercert.engine.play.stage import AnyStage
from brokercert.judge import Judging


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
    the names of this machine by which clients are told to reach a broker with such settings. `profiles` are settings
    for a developer's own runs, by their names; no scenario has them.
    """

    name: str
    broker: Callable[[Mapping[str, Any], Recorder, int, datetime | None], Broker]
    stage: type[AnyStage[Any, Any]]
    judging: Judging
    reference: Reference
    mutants: str
    hosts: Callable[[Mapping[str, Any]], Collection[str]] = lambda settings: ()
    profiles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def dialect_of(package: object, set_id: str) -> Dialect:
    """The dialect that a suite's package declares. Raises `UsageError`."""
    found = getattr(package, "DIALECT", None)
    if not isinstance(found, Dialect):
        name = getattr(package, "__name__", package)
        raise UsageError(
            f"the suite of {set_id}: {name}.DIALECT is {found!r}; expected a brokercert.engine.play.dialect.Dialect"
        )
    return found
