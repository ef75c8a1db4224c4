"""What a version of a requirement set held: its rows and limits, and its scenarios with what they exercise.

The law: a trace names the manifest that it was recorded by, and its header is held against that. A package keeps the
manifest of each version of its sets, in `manifests/` beside the set's data, so that traces of an older version are held
against theirs. A trace whose manifest is not known is judged. Nothing vouches for what it should hold, so that nothing
is certified by it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

import msgspec

from brokercert.engine.client.subject import Level
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import Scenario, Suite, load_suite
from brokercert.requirements import RequirementSet, load_set
from brokercert.sets import data_folder
from brokercert.trace.records import Header

FOLDER = "manifests"  # in the data of a set: a file a version, VERSION.json
MEASURED = frozenset({"round_trip_p99", "round_trip_max", "lag_p99", "lag_max"})  # of a header's calibration
ALTERED = "The file was altered; expected it as its run wrote it"


class ByReading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The broker's settings for a client that declares this answer to that reading."""

    reading: str
    answer: str
    settings: dict[str, Any]


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A scenario, as far as a trace's header tells of it. `cell`: it is in the grid. `environment`: it sets variables
    of the client's own, by which the client's shape may be another.
    """

    exercises: tuple[str, ...]
    path: str
    exclusive: bool = False
    needs: tuple[str, ...] = ()
    cell: bool = False
    before_all: bool = False
    environment: bool = False
    settings: dict[str, Any] = {}
    small: dict[str, Any] = {}
    readings: tuple[ByReading, ...] = ()

    def settings_at(self, full: bool, declared: Mapping[str, str]) -> dict[str, Any]:
        """The broker's settings, as `Scenario.settings_at` has them."""
        found = {**self.settings, **({} if full else self.small)}
        for one in self.readings:
            if declared.get(one.reading) == one.answer:
                found |= one.settings
        return found


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row, as far as a run's record can contradict it."""

    level: str
    parts: tuple[str, ...]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A version of a set. `readings`: the answers to each. `rows` and `scenarios` stand in their own order."""

    set_id: str
    version: str
    set_hash: str
    rows: dict[str, Row]
    limits: dict[str, float]
    capabilities: tuple[str, ...]
    never_absent: tuple[str, ...]
    readings: dict[str, tuple[str, ...]]
    scenarios: dict[str, Listed]

    @property
    def hash(self) -> str:
        """By which traces and records name it: SHA-256 in hexadecimal, of its JSON with sorted keys."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    @property
    def named(self) -> str:
        return f"the manifest of {self.set_id}, version {self.version}"


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A manifest as its package keeps it. Once its version was `released`, it never changes again."""

    released: bool
    manifest: Manifest


def manifest_of(rows: RequirementSet, suite: Suite) -> Manifest:
    """The manifest of sources that are at hand; `rows` with the set's own limits."""
    made = Manifest(
        set_id=rows.id,
        version=rows.version,
        set_hash=rows.hash,
        rows={row.id: Row(row.level.value, row.parts) for row in rows.rows},
        limits={name: limit.value for name, limit in rows.limits.items()},
        capabilities=tuple(rows.capabilities),
        never_absent=rows.never_absent,
        readings={reading.id: reading.answers for reading in rows.readings},
        scenarios={one.name: _listed(one) for one in suite.scenarios},
    )
    return msgspec.json.decode(msgspec.json.encode(made), type=Manifest)  # as it is read back: no tuple in a setting


def _listed(one: Scenario) -> Listed:
    return Listed(
        exercises=one.exercises,
        path=one.path,
        exclusive=one.exclusive,
        needs=one.needs,
        cell=one.cell is not None,
        before_all=one.before_all,
        environment=bool(one.env),
        settings=dict(one.settings),
        small=dict(one.small),
        readings=tuple(ByReading(*key, dict(settings)) for key, settings in one.readings.items()),
    )


@lru_cache(maxsize=4)  # asked for by each trace
def todays(set_id: str) -> Manifest:
    """That of the sources which are installed. Raises `RequirementError` or `UsageError` where there is no such set."""
    return manifest_of(load_set(set_id), load_suite(set_id))


def name_for(scenario: Scenario, set_id: str) -> str:
    """By which a trace of that scenario names its manifest; empty where the scenario is of no suite."""
    manifest = todays(set_id)
    return manifest.hash if scenario.name in manifest.scenarios else ""


@lru_cache(maxsize=4)
def known(set_id: str) -> Mapping[str, Manifest]:
    """Hash -> manifest: those that the package keeps, and that of the installed sources.

    Raises `UsageError` where a kept one cannot be read, `RequirementError` where there is no such set.
    """
    here = todays(set_id)
    kept = (read_kept(path).manifest for path in sorted(kept_in(set_id).glob("*.json")))
    return {one.hash: one for one in (*kept, here)}


def kept_in(set_id: str) -> Path:
    """The folder in which the package of a set keeps its manifests, there or not."""
    folder = data_folder(set_id)
    assert folder is not None, set_id  # its rows were read from there
    return folder / FOLDER


def read_kept(path: Path) -> Kept:
    """Raises `UsageError`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {error}; expected a kept manifest; install its package again") from error


def kept_text(kept: Kept) -> str:
    """A kept manifest as its file has it."""
    return msgspec.json.format(msgspec.json.encode(kept).decode(), indent=1) + "\n"


def refuse_contradicted(path: Path, header: Header, manifest: Manifest) -> None:
    """Raises `UsageError` where the header says what that manifest does not allow: by the field that differs first."""
    for field, said, allowed in _contradictions(header, manifest):
        raise UsageError(f"{path}: {field} {said}; {manifest.named} says {allowed}. {ALTERED}")


def _contradictions(header: Header, manifest: Manifest) -> Iterator[tuple[str, str, str]]:
    """Each field that cannot be so: its name, what is said, and what it may be."""
    listed = manifest.scenarios.get(header.scenario)
    if listed is None:
        yield "scenario", repr(header.scenario), "no scenario of that name"
        return
    full = header.tier == "real" or header.full_volume
    for field, said, follows in (
        ("set version", header.set_version, manifest.version),
        ("set hash", header.set_hash, manifest.set_hash),
        ("source", header.source, "mock"),
        ("clock", header.clock, "monotonic" if header.tier == "real" else "virtual"),
        ("exercises", header.exercises, listed.exercises),
        ("path", header.path, listed.path),
        ("exclusive", header.exclusive, listed.exclusive),
        ("before_all", header.before_all, listed.before_all),
        ("settings", header.settings, listed.settings_at(full, header.readings)),
        ("limits, by their names,", sorted(header.limits), sorted(manifest.limits)),
    ):
        if said != follows:
            yield field, _shown(said), _shown(follows)
    yield from _of_the_client(header, manifest, listed)


def _of_the_client(header: Header, manifest: Manifest, listed: Listed) -> Iterator[tuple[str, str, str]]:
    """What the header says of the client, which the manifest only bounds."""
    may_lack = [name for name in manifest.capabilities if name not in ("wire", *manifest.never_absent)]
    yield from _not_of("level", [header.level], get_args(Level))
    yield from _not_of("absent", header.absent, may_lack)
    yield from _not_of("readings", header.readings, manifest.readings)
    for reading, answer in header.readings.items():
        yield from _not_of(f"readings.{reading}", [answer], manifest.readings.get(reading, ()))
    lacking = [need for need in listed.needs if need not in header.offers]
    if lacking:
        yield "offers", _shown(header.offers), f"that {header.scenario} needs {', '.join(lacking)}"
    yield from _of_its_run(header, listed)


def _of_its_run(header: Header, listed: Listed) -> Iterator[tuple[str, str, str]]:
    """What a run of this scenario always tells, and never."""
    if header.asked is None:
        yield "asked", "missing", "that each trace holds what its run was asked for"
    if listed.environment and header.shape is not None:
        yield "shape", _shown(header.shape), "that the client's shape is not known in this scenario"
    if header.calibration and set(header.calibration) != MEASURED:
        yield "calibration", _shown(sorted(header.calibration)), f"all of {', '.join(sorted(MEASURED))}, or nothing"


def _not_of(field: str, said: Iterable[str], known_ones: Collection[str]) -> Iterator[tuple[str, str, str]]:
    for value in said:
        if value not in known_ones:
            yield field, repr(value), f"one of {', '.join(known_ones)}"


def _shown(value: object, most: int = 200) -> str:
    text = ", ".join(map(str, value)) or "nothing" if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= most else f"{text[:most]}…"
