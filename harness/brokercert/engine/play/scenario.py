"""What a scenario is: an async function that drives broker, faults and client, and only waits; it never judges.

A suite is a package whose modules hold scenarios; a new file in it is found without any registration.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Literal

from brokercert.engine.errors import UsageError
from brokercert.engine.play.dialect import Dialect, dialect_of
from brokercert.requirements import RequirementSet, load_set
from brokercert.sets import SUITES, offers

Path = Literal["direct", "proxied"]
Play = Callable[[Any], Awaitable[None]]  # of the dialect's own stage


@dataclass(frozen=True, slots=True)
class Cell:
    """A place in a suite's grid of faults and phases. `left_out`: why there is no scenario for it."""

    fault: str
    phase: str
    left_out: str = ""


def left_out(fault: str, phase: str, reason: str) -> Cell:
    """A cell that cannot be played; `LEFT_OUT` of a scenario module holds such."""
    return Cell(fault, phase, reason)


@dataclass(frozen=True, slots=True)
class Met:
    """How often a scenario is played within one playing: `losses` before each time, all of the harness' own doing, and
    the seconds that all of it lasts. `Met((0, 1, 1), 30)`: at once, after one loss, and after two. `rested`: each time
    the client has had a connection for so long that its next loss begins a series of its own.
    """

    losses: tuple[int, ...]
    lasts: float
    rested: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario.

    `exercises`: the requirements whose verdict it contributes to. `path`: whether the client reaches the broker
    directly or through Toxiproxy (a proxy turns RST into FIN and eats half-close). `exclusive`: nothing else runs
    meanwhile, since latencies are scored. `needs`: what the subject must offer for it to be played at all.
    `cell`: its place in the grid, of which a run in real time plays a sample that has every fault and every phase.
    `small`: settings that differ in virtual time, where a size costs time and proves nothing more; a run there at full
    volume (`RunRequest.full_volume`) leaves them out.
    `readings`: settings for a client that declares this answer to that reading of the set.
    `before_all`: the preflight, one start with nothing wrong. A run in real time plays it first, whatever was asked
    for, and ends with it where the client never came.
    `meetings`: losses before each time that it is played within one playing, and `rested`: of what state (`Met`).
    `lasts`: seconds that a good client makes it last, once it has started (the prediction). `most`: after so many
    seconds, and those in which a client must have connected, it is ended.
    """

    name: str
    title: str
    exercises: tuple[str, ...]
    play: Play
    path: Path = "direct"
    exclusive: bool = False
    needs: tuple[str, ...] = ("wire",)
    lasts: float = 30.0
    most: float = 300.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    small: Mapping[str, Any] = field(default_factory=dict)
    readings: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    cell: Cell | None = None
    before_all: bool = False
    meetings: tuple[int, ...] = (0,)
    rested: bool = False

    def settings_at(self, full: bool, declared: Mapping[str, str]) -> dict[str, Any]:
        """The broker's settings, at full volume or not, for a client that declares these readings."""
        found = {**self.settings, **({} if full else self.small)}
        for (reading, answer), settings in self.readings.items():
            if declared.get(reading) == answer:
                found |= settings
        return found


def scenario(
    name: str,
    title: str,
    *,
    exercises: tuple[str, ...],
    path: Path = "direct",
    exclusive: bool = False,
    needs: tuple[str, ...] = ("wire",),
    lasts: float = 30.0,
    most: float = 300.0,
    settings: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    small: Mapping[str, Any] | None = None,
    readings: Mapping[tuple[str, str], Mapping[str, Any]] | None = None,
    before_all: bool = False,
) -> Callable[[Play], Scenario]:
    """Make a scenario of an async function that takes a `Stage`."""

    def make(play: Play) -> Scenario:
        given = settings or {}, env or {}, small or {}, readings or {}
        return Scenario(
            name, title, exercises, play, path, exclusive, needs, lasts, most, *given, before_all=before_all
        )

    return make


@dataclass(frozen=True, slots=True)
class Suite:
    """The scenarios of one requirement set, and the dialect that they are played in."""

    set_id: str
    scenarios: tuple[Scenario, ...]
    left_out: tuple[Cell, ...] = ()

    @property
    def dialect(self) -> Dialect:
        """Raises `UsageError` where the suite declares none."""
        return load_dialect(self.set_id)

    @property
    def preflight(self) -> Scenario | None:
        """What is played before all; None where the suite has no such scenario."""
        return next((s for s in self.scenarios if s.before_all), None)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The grid, in its order: played cells first, then those that are left out."""
        return (*(s.cell for s in self.scenarios if s.cell), *self.left_out)

    @property
    def faults(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.fault for cell in self.cells))

    @property
    def phases(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(cell.phase for cell in self.cells))

    def by_name(self, name: str) -> Scenario:
        return next(s for s in self.scenarios if s.name == name)

    def listed(self) -> dict[str, tuple[str, ...]]:
        """Requirement -> the scenarios that exercise it."""
        result: dict[str, list[str]] = {}
        for s in self.scenarios:
            for row in s.exercises:
                result.setdefault(row, []).append(s.name)
        return {row: tuple(names) for row, names in result.items()}


def scenarios_in(package: ModuleType) -> tuple[Scenario, ...]:
    """Every scenario of a package's modules, those of its folders too: by module name, then in the order of the file.

    `GRID` is a module's tuple of scenarios that are cells.
    """
    found: dict[str, Scenario] = {}
    for module in _modules(package):
        own = (v for v in vars(module).values() if isinstance(v, Scenario) and v.play.__module__ == module.__name__)
        for value in (*own, *getattr(module, "GRID", ())):
            if found.setdefault(value.name, value) is not value:
                raise UsageError(f"two scenarios of {package.__name__} are called {value.name!r}")
    return tuple(found.values())


def load_suite(set_id: str) -> Suite:
    """The suite of a requirement set. No suite found is a usage error, never an empty pass.

    Raises `UsageError` too where its scenarios speak of rows or capabilities that the set does not have, and
    `RequirementError` where there is no such set: else a misspelt row would never be asked for.
    """
    package = _package(set_id)
    scenarios = _met(scenarios_in(package), package)
    _check(scenarios, load_set(set_id))
    left_out = tuple(cell for module in _modules(package) for cell in getattr(module, "LEFT_OUT", ()))
    return Suite(set_id, scenarios, left_out)


def _met(scenarios: Sequence[Scenario], package: ModuleType) -> tuple[Scenario, ...]:
    """The same, those in a module's table `MEETINGS` as it says. Raises `UsageError` for a name that is none."""
    met = {name: one for module in _modules(package) for name, one in getattr(module, "MEETINGS", {}).items()}
    for name in met.keys() - {one.name for one in scenarios}:
        raise UsageError(f"{package.__name__}: MEETINGS: {name!r}: there is no such scenario; correct the name")
    return tuple(_as_met(one, met[one.name]) if one.name in met else one for one in scenarios)


def _as_met(one: Scenario, met: Met) -> Scenario:
    return replace(one, meetings=met.losses, rested=met.rested, lasts=met.lasts)


def _check(scenarios: Sequence[Scenario], rows: RequirementSet) -> None:
    for one in scenarios:
        for what, values, known in (
            ("exercises", one.exercises, rows.by_id),
            ("needs", one.needs, rows.capabilities),
        ):
            for value in values:
                if value not in known:
                    raise UsageError(
                        f"{one.play.__module__}: scenario {one.name!r}: {what}: {value!r}; expected one of "
                        f"{', '.join(known)}, as {rows.name} has them"
                    )


def _modules(package: ModuleType) -> list[ModuleType]:
    """Those of a package and of its folders, by name."""
    names = sorted(info.name for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."))
    return [importlib.import_module(name) for name in names]


def load_dialect(set_id: str) -> Dialect:
    """The dialect of a requirement set, its scenarios left alone. Raises `UsageError`."""
    return dialect_of(_package(set_id), set_id)


def _package(set_id: str) -> ModuleType:
    """The package of its suite, imported. Raises `UsageError` where none, or more than one, offers it."""
    found = offers().get(set_id, ())
    if not found:
        known = ", ".join(sorted(offers()))
        raise UsageError(f"no suite for the requirement set {set_id!r}; known: {known or 'none'}")
    if len(found) > 1:
        both = " and ".join(f"{offer.package} of {offer.distribution}" for offer in found)
        raise UsageError(f"the suite of {set_id}: offered by {both}; expected one package; uninstall the others")
    offer = found[0]
    try:
        return importlib.import_module(offer.package)
    except ModuleNotFoundError as error:
        if f"{offer.package}.".startswith(f"{error.name}."):
            raise UsageError(
                f"the suite of {set_id}: {SUITES} of {offer.distribution} names {offer.package}, and there is no "
                f"{error.name}; install that package again, or correct its entry point"
            ) from error
        raise
