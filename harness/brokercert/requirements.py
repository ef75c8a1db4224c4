"""Requirement sets are data: a folder a set, with `set.toml`, `limits.toml` and a file for the rows of each area.

Ours lie in brokercert/data. Those of another package lie beside its suite (`brokercert.sets`). "Rejected" means
`RequirementError` and nothing else: it names the file, the row, the field, and what was expected. Nothing here does
I/O beyond reading package data.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from brokercert import sets
from brokercert.verdict import Level

NONE = "none"  # the antecedent of a row that can be judged from the start, in every set
ORIGINS = ("doc", "ours", "samples")
SET_FILE, LIMITS_FILE = "set.toml", "limits.toml"
ID = re.compile(r"^[A-Z]{3}-\d{3}$")
PLACEHOLDER = re.compile(r"^[a-z][a-z0-9_]*$")


class RequirementError(Exception):
    """A requirement set that cannot be: names file, row and field."""


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A number that rows are judged by. `unit` is `s`, `1` (a ratio, or a count whose `text` says of what), or
    what is counted. `origin`: who says the value; of a document only where it stands there. `older` is the value for
    traces that lack the limit: the one that the code had when they were recorded (None: `value`).
    """

    value: float
    unit: str
    origin: str
    text: str
    name: str = ""
    older: float | None = None


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question that the documents leave open, and the answer that is judged by."""

    id: str
    question: str
    answers: tuple[str, ...]
    default: str
    rows: tuple[str, ...]


class Area(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder's worth of rows. Its name is that of its files: data, checks, scenarios, mutants, tests. `rows` are the
    three capitals that the ids of its rows begin with.
    """

    rows: str
    title: str


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row. `antecedent` is what must have happened before it can be judged, `demanded_by` the row that demands
    that (empty: none does, and silence is then *not observed*).
    """

    id: str
    title: str
    level: Level
    text: str
    source: str
    needs: tuple[str, ...]
    antecedent: str
    demanded_by: str
    limits: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    means: str = ""
    causes: tuple[str, ...] = ()
    mend: str = ""
    clock: Literal["any", "real"] = "any"  # real: only a program in real time can show it
    area: str = ""  # the title of its area, which stands in the set's `areas`


class _Set(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    title: str
    dialect: str
    version: str
    marker: str
    text: str
    stability: str
    never_absent: tuple[str, ...]
    antecedents: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    set: _Set
    areas: dict[str, Area]
    capabilities: dict[str, str]
    requirement: tuple[Requirement, ...]
    limits: dict[str, Limit] = {}
    parts: dict[str, Part] = {}
    reading: tuple[Reading, ...] = ()


class RequirementSet(msgspec.Struct, frozen=True):
    """A requirement set as loaded. `deviations`: limits that were overridden, with the set's own value.

    `antecedents` are the words by which its rows say what must have happened before. `placeholders` are those of a
    client's command line that its broker fills, beside the harness's own: `symbol` for BROKERCERT_SYMBOL.
    """

    id: str
    title: str
    dialect: str
    version: str
    marker: str
    text: str
    stability: str  # the row that forbids ending a healthy connection; empty where there is none
    never_absent: tuple[str, ...]
    areas: Mapping[str, Area]
    capabilities: Mapping[str, str]
    rows: tuple[Requirement, ...]
    limits: Mapping[str, Limit]
    parts: Mapping[str, Part]
    readings: tuple[Reading, ...]
    hash: str
    by_id: Mapping[str, Requirement]
    antecedents: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()
    deviations: Mapping[str, float] = {}

    def limit(self, name: str) -> float:
        return self.limits[name].value

    def part(self, name: str) -> tuple[str, ...]:
        """The ids of a named part. Raises `RequirementError` where there is no such part."""
        if name not in self.parts:
            known = ", ".join(self.parts) or "none"
            raise RequirementError(f"{self.id} has no part {name!r}; known: {known}")
        return tuple(row.id for row in self.rows if name in row.parts)

    def demand_chain(self, row: str) -> tuple[str, ...]:
        """The rows that demand what `row` presupposes, first links first."""
        chain: list[str] = []
        current = self.by_id[row].demanded_by
        while current:
            chain.insert(0, current)
            current = self.by_id[current].demanded_by
        return tuple(chain)

    @property
    def first(self) -> str:
        """The row that every such chain begins with: that the client connects. Empty where there is no one such."""
        begins = {self.demand_chain(row.id)[0] for row in self.rows if row.demanded_by}
        return begins.pop() if len(begins) == 1 else ""

    def with_limits(self, values: Mapping[str, float]) -> RequirementSet:
        """The same set with other limits, each recorded as a deviation. Raises `RequirementError`."""
        for name, value in values.items():
            if name not in self.limits:
                raise RequirementError(
                    f"limits: {name!r} is no limit of {self.id}; known: {', '.join(sorted(self.limits))}"
                )
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
                raise RequirementError(f"limits.{name}: {value!r}; expected a positive number")
        changed = {
            name: msgspec.structs.replace(limit, value=float(values.get(name, limit.value)))
            for name, limit in self.limits.items()
        }
        deviations = {name: self.limits[name].value for name, v in values.items() if v != self.limits[name].value}
        return msgspec.structs.replace(self, limits=changed, deviations={**self.deviations, **deviations})


def available_sets() -> tuple[str, ...]:
    """The ids of the sets that may be asked for: those that ship with brokercert, and those of other packages."""
    return sets.set_ids()


def load_set(set_id: str) -> RequirementSet:
    """A set by its id. Raises `RequirementError`."""
    if set_id not in available_sets():
        raise RequirementError(f"no requirement set {set_id!r}; known: {', '.join(available_sets())}")
    offers = sets.offers().get(set_id, ())
    if len(offers) > 1:
        both = " and ".join(f"{offer.package} of {offer.distribution}" for offer in offers)
        raise RequirementError(f"{set_id}: offered by {both}; expected one package; uninstall the others")
    if set_id in sets.own_sets():
        return _read_folder(sets.DATA / set_id, name=set_id)
    return _load_offered(offers[0])


def _load_offered(offer: sets.Offer) -> RequirementSet:
    """The set of another package. Its metadata and its `set.toml` must say the same."""
    said = f"{sets.SUITES}: {offer.set_id} = {offer.package} (entry point of {offer.distribution})"
    folder = sets.data_folder(offer.set_id)
    if folder is None:
        raise RequirementError(
            f"{said}: there is no folder of that package; expected a package with a folder `data`, which holds "
            f"{SET_FILE}; correct the entry point, or install the package again"
        )
    rows = _read_folder(folder, name=str(folder))
    where = f"{folder}/{SET_FILE}"
    if rows.id != offer.set_id:
        raise RequirementError(f"{where}: set.id: {rows.id!r}; expected {offer.set_id!r}, as in {said}")
    if not rows.marker.isidentifier() or rows.marker not in offer.markers:
        raise RequirementError(
            f"{where}: set.marker: {rows.marker!r}; expected a word that stands as an entry point in {sets.MARKERS} of "
            f"{offer.distribution}, with the value {offer.package}; it has {', '.join(offer.markers) or 'none'}"
        )
    other = sets.markers()[rows.marker]
    if other != rows.id:
        raise RequirementError(f"{where}: set.marker: {rows.marker!r} is that of {other}; expected one of its own")
    return rows


def _read_folder(folder: Path, *, name: str) -> RequirementSet:
    try:
        texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))}
    except (OSError, UnicodeDecodeError) as error:
        raise RequirementError(f"{name}: {error}; expected files in TOML that may be read") from error
    return parse_files(texts, name=name)


def parse_set(text: str, *, name: str) -> RequirementSet:
    """A set from one TOML file that holds all of it. Raises `RequirementError`."""
    return _checked(_read(text, name), name)


def parse_files(texts: Mapping[str, str], *, name: str) -> RequirementSet:
    """A set from the files of its folder, by file name. Raises `RequirementError`, which names the file."""
    raw = {file: _read(text, f"{name}/{file}") for file, text in texts.items()}
    if SET_FILE not in raw:
        raise RequirementError(f"{name}: no {SET_FILE}; expected the set's own facts, with its areas, in it")
    whole = {**raw.pop(SET_FILE)}
    whole["limits"] = raw.pop(LIMITS_FILE, {}).get("limits", {})
    areas = whole.get("areas")
    names = list(areas) if isinstance(areas, dict) else []
    for file in raw:
        if file.removesuffix(".toml") not in names:
            raise RequirementError(f"{name}/{file}: no area of the set; expected {SET_FILE}'s areas to name it")
    whole["requirement"] = []
    for area in names:
        file, facts = f"{area}.toml", whole["areas"][area]
        prefix = facts.get("rows") if isinstance(facts, dict) else None
        rows = raw.get(file, {}).get("requirement")
        if not isinstance(rows, list):
            raise RequirementError(f"{name}/{file}: no [[requirement]] in it; expected the rows {prefix}-*")
        for row in rows:
            if isinstance(row, dict) and str(row.get("id"))[:3] != prefix:
                raise RequirementError(f"{name}/{file}: {row.get('id')}: id; expected one of {prefix}-*")
        whole["requirement"] += rows
    return _checked(whole, name)


def _read(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RequirementError(f"{name}: {error}; expected TOML") from error


def _checked(raw: dict[str, Any], name: str) -> RequirementSet:
    try:
        data = msgspec.convert(raw, _File)
    except msgspec.ValidationError as error:
        raise RequirementError(f"{name}: {_where(raw, str(error))}") from error
    for placeholder in data.set.placeholders:
        if not PLACEHOLDER.match(placeholder):
            raise RequirementError(
                f"{name}: set.placeholders: {placeholder!r}; expected the name of a variable without BROKERCERT_, in "
                "lower case"
            )
    titles = {area.rows: area.title for area in data.areas.values()}
    by_id: dict[str, Requirement] = {}
    for row in data.requirement:
        _check_row(name, row, data)
        if row.id[:3] not in titles:
            raise RequirementError(
                f"{name}: {row.id}: id: of no area; expected one of {', '.join(titles)}, as set.areas"
            )
        if row.id in by_id:
            raise RequirementError(f"{name}: {row.id}: id: stands twice; expected each id once")
        by_id[row.id] = msgspec.structs.replace(row, area=titles[row.id[:3]])
    _check_links(name, data, by_id)
    limits = {key: msgspec.structs.replace(limit, name=key) for key, limit in data.limits.items()}
    for key, limit in limits.items():
        if limit.origin not in ORIGINS:
            raise RequirementError(f"{name}: limits.{key}.origin: {limit.origin!r}; expected {' or '.join(ORIGINS)}")
    canonical = msgspec.json.encode(msgspec.to_builtins(data), order="sorted")
    head = data.set
    return RequirementSet(
        id=head.id,
        title=head.title,
        dialect=head.dialect,
        version=head.version,
        marker=head.marker,
        text=head.text,
        stability=head.stability,
        never_absent=head.never_absent,
        areas=data.areas,
        capabilities=data.capabilities,
        rows=tuple(by_id.values()),
        limits=limits,
        parts=data.parts,
        readings=data.reading,
        hash=hashlib.sha256(canonical).hexdigest(),
        by_id=by_id,
        antecedents=head.antecedents,
        placeholders=head.placeholders,
    )


def _where(raw: dict[str, Any], message: str) -> str:
    """msgspec's message, with the row's id in place of its number."""
    match = re.search(r"\$\.requirement\[(\d+)\]", message)
    if match:
        row = raw["requirement"][int(match.group(1))]
        return f"{row.get('id', 'a row without id')}: {message}"
    return message


def _check_row(name: str, row: Requirement, data: _File) -> None:
    def wrong(field: str, value: object, expected: str) -> RequirementError:
        return RequirementError(f"{name}: {row.id}: {field}: {value!r}; expected {expected}")

    if not ID.match(row.id):
        raise wrong("id", row.id, "three capitals, a dash and three digits, as in LOG-010")
    known_before = (NONE, *data.set.antecedents)
    if row.antecedent not in known_before:
        raise wrong("antecedent", row.antecedent, f"one of {', '.join(known_before)}; add it to set.antecedents")
    for field, values, known in (
        ("needs", row.needs, data.capabilities),
        ("limits", row.limits, data.limits),
        ("parts", row.parts, data.parts),
    ):
        for value in values:
            if value not in known:
                raise wrong(field, value, f"one of {', '.join(sorted(known)) or 'none: the set defines none'}")
    if not row.needs:
        raise wrong("needs", row.needs, "at least one capability")


def _check_links(name: str, data: _File, by_id: Mapping[str, Requirement]) -> None:
    for row in data.requirement:
        seen = [row.id]
        current = row.demanded_by
        while current:
            if current not in by_id:
                raise RequirementError(f"{name}: {seen[-1]}: demanded_by: {current!r}; expected the id of a row")
            if current in seen:
                raise RequirementError(f"{name}: {row.id}: demanded_by: {' > '.join([*seen, current])}; it is a circle")
            seen.append(current)
            current = by_id[current].demanded_by
    if data.set.stability and data.set.stability not in by_id:
        raise RequirementError(f"{name}: set.stability: {data.set.stability!r}; expected the id of a row")
    for reading in data.reading:
        if reading.default not in reading.answers:
            raise RequirementError(f"{name}: reading {reading.id}: default: {reading.default!r}; expected an answer")
        for row_id in reading.rows:
            if row_id not in by_id:
                raise RequirementError(f"{name}: reading {reading.id}: rows: {row_id!r}; expected the id of a row")
