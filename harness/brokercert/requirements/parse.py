"""A set from its files, in TOML. What is wrong raises `RequirementError`, which names file, row and field."""

from __future__ import annotations

import datetime
import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from brokercert.requirements.model import (
    Area,
    FieldReport,
    Limit,
    OtherEdition,
    Part,
    Reading,
    Requirement,
    RequirementError,
    RequirementSet,
)
from brokercert.requirements.share import refuse_alone, with_shared
from brokercert.verdict import SetSource

NONE = "none"  # the antecedent of a row that can be judged from the start, in every set
ORIGINS = ("doc", "ours", "samples")
SET_FILE, LIMITS_FILE, REPORTS_FILE = "set.toml", "limits.toml", "field_reports.toml"
ID = re.compile(r"^[A-Z]{3}-\d{3}$")
EDITION = re.compile(r"^[A-Za-z0-9][A-Za-z0-9.-]*$")
SHA256 = re.compile(r"^[0-9a-f]{64}$")
NOT_JUDGED_BY = ("report", "source", "other_edition")  # no verdict follows from them: the set's hash is without
PLACEHOLDER = re.compile(r"^[a-z][a-z0-9_]*$")


class _Set(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    title: str
    dialect: str
    version: str
    marker: str
    text: str
    stability: str
    never_absent: tuple[str, ...]
    frames: str = ""
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
    report: tuple[FieldReport, ...] = ()
    source: SetSource | None = None
    other_edition: tuple[OtherEdition, ...] = ()


def parse_set(text: str, *, name: str) -> RequirementSet:
    """A set from one TOML file that holds all of it. Raises `RequirementError`."""
    return _checked(_read(text, name), name)


def parse_files(texts: Mapping[str, str], *, name: str, base: Mapping[str, Any] | None = None) -> RequirementSet:
    """A set from the files of its folder, by file name; `base`: the tables of the edition that it shares with.

    Raises `RequirementError`, which names the file.
    """
    whole = tables_of(texts, name=name)
    if base is None:
        refuse_alone(whole, name)
        return _checked(whole, name)
    return _checked(with_shared(whole, base, name), name)


def tables_of(texts: Mapping[str, str], *, name: str) -> dict[str, Any]:
    """The tables of all its files, as they stand there. Raises `RequirementError`, which names the file."""
    raw = {file: _read(text, f"{name}/{file}") for file, text in texts.items()}
    if SET_FILE not in raw:
        raise RequirementError(f"{name}: no {SET_FILE}; expected the set's own facts, with its areas, in it")
    whole = {**raw.pop(SET_FILE)}
    whole["limits"] = raw.pop(LIMITS_FILE, {}).get("limits", {})
    whole["report"] = raw.pop(REPORTS_FILE, {}).get("report", [])
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
    return whole


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
    if not data.requirement:  # else whoever asks for it would have passed
        raise RequirementError(f"{name}: no [[requirement]]; expected a row at least, and its area in {SET_FILE}")
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
        others = tuple(report for report in data.report if report.row == row.id)
        by_id[row.id] = msgspec.structs.replace(row, area=titles[row.id[:3]], others=others)
    _check_links(name, data, by_id)
    limits = {key: msgspec.structs.replace(limit, name=key) for key, limit in data.limits.items()}
    for key, limit in limits.items():
        if limit.origin not in ORIGINS:
            raise RequirementError(f"{name}: limits.{key}.origin: {limit.origin!r}; expected {' or '.join(ORIGINS)}")
    _check_reports(name, data, by_id)
    _check_editions(name, data)
    judged_by = {key: value for key, value in msgspec.to_builtins(data).items() if key not in NOT_JUDGED_BY}
    canonical = msgspec.json.encode(judged_by, order="sorted")
    head = data.set
    return RequirementSet(
        id=head.id,
        title=head.title,
        dialect=head.dialect,
        version=head.version,
        marker=head.marker,
        text=head.text,
        stability=head.stability,
        frames=head.frames,
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
        field_reports=data.report,
        source=data.source,
        other_editions=data.other_edition,
    )


def _check_editions(name: str, data: _File) -> None:
    def wrong(field: str, value: object, expected: str) -> RequirementError:
        return RequirementError(f"{name}: {field}: {value!r}; expected {expected}")

    edition = data.set.id.partition("@")[2]
    if "@" in data.set.id and (data.source is None or data.source.edition != edition):
        said = data.source and data.source.edition
        raise wrong("source.edition", said, f"{edition!r}, as set.id has it")
    if data.source is not None:
        _check_source(data.source, wrong)
    elif data.other_edition:
        raise wrong("other_edition", data.other_edition[0].edition, "a [source] as well, with the set's own edition")
    for other in data.other_edition:
        if not EDITION.match(other.edition) or (data.source and other.edition == data.source.edition):
            raise wrong("other_edition.edition", other.edition, "the name of another edition, as in 2026")
        if not other.signs:
            raise wrong(
                f"other_edition {other.edition}: signs",
                [],
                "one at least, as in { query = 'appID', without = 'session' }",
            )


def _check_source(source: SetSource, wrong: Callable[[str, object, str], RequirementError]) -> None:
    if not EDITION.match(source.edition):
        raise wrong("source.edition", source.edition, "letters, digits, dots and dashes, as in 2026")
    if not source.address or source.address.split() != [source.address]:
        raise wrong("source.address", source.address, "where the page is, as one word")
    try:
        datetime.date.fromisoformat(source.read_on)
    except ValueError as error:
        raise wrong("source.read_on", source.read_on, "a day, as in 2026-11-25") from error
    if not SHA256.match(source.sentences):
        raise wrong(
            "source.sentences",
            source.sentences,
            "a SHA-256 in lower case; `python -m brokercert.sources SET` says which",
        )


def _check_reports(name: str, data: _File, by_id: Mapping[str, Requirement]) -> None:
    for report in data.report:
        where = f"{name}/{REPORTS_FILE}: {report.title!r}"
        if report.row not in by_id:
            raise RequirementError(f"{where}: row: {report.row!r}; expected a row of the set")
        if not report.address.startswith("https://"):
            raise RequirementError(f"{where}: address: {report.address!r}; expected one that begins with https://")


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
        raise wrong(
            "antecedent",
            row.antecedent,
            f"one of {', '.join(known_before)}; a new one goes into {SET_FILE}: set.antecedents",
        )
    for field, values, known, defined in (
        ("needs", row.needs, data.capabilities, f"{SET_FILE}: capabilities"),
        ("limits", row.limits, data.limits, f"{LIMITS_FILE}: a part [limits.NAME]"),
        ("parts", row.parts, data.parts, f"{SET_FILE}: a part [parts.NAME]"),
    ):
        for value in values:
            if value not in known:
                names = ", ".join(sorted(known)) or "none: the set defines none"
                raise wrong(field, value, f"one of {names}; a new one goes into {defined}")
    if not row.needs:
        raise wrong("needs", row.needs, "at least one capability")
    if row.kind != "invariant" and (row.everywhere or row.excused):
        raise wrong("kind", row.kind, "invariant, since `everywhere` and `excused` say where such a row holds")
    for name, reason in row.excused.items():
        if not reason.strip():
            raise wrong(f"excused.{name}", reason, "the reason why a breach in that scenario is none of the client's")


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
    for field, row_id in (("stability", data.set.stability), ("frames", data.set.frames)):
        if row_id and row_id not in by_id:
            raise RequirementError(f"{name}: set.{field}: {row_id!r}; expected the id of a row")
    for reading in data.reading:
        if reading.default not in reading.answers:
            raise RequirementError(f"{name}: reading {reading.id}: default: {reading.default!r}; expected an answer")
        for row_id in reading.rows:
            if row_id not in by_id:
                raise RequirementError(f"{name}: reading {reading.id}: rows: {row_id!r}; expected the id of a row")
