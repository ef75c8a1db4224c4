"""`waivers.toml`: failures that somebody decided to bear, each with a row, a reason, a name and a last day.

    [[waiver]]
    row = "REC-010"
    reason = "the library reconnects after 12 s; its next version is due in March"
    who = "Ana Lima"
    expiry = 2026-12-31

The law: nothing is waived without all four; what is wrong with the file is told before anything is run. What became of
each waiver is decided with the run, and stands in its record.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from brokercert.engine.ask.found import read_toml
from brokercert.engine.ask.given import is_there
from brokercert.engine.errors import UsageError
from brokercert.near import hint
from brokercert.verdict import Waiver

FILE = "waivers.toml"
FIELDS = ("row", "reason", "who", "expiry")


@dataclass(frozen=True, slots=True)
class Waivers:
    """Those of a run. `on` is the day by which they are held, ISO-8601; empty where there is no file."""

    listed: tuple[Waiver, ...] = ()
    on: str = ""

    def held_on(self, started: str) -> Waivers:
        """The same, held by the day of a moment: that at which the run began, whenever the file was read."""
        return replace(self, on=day_of(started)) if self.on else self


def day_of(moment: str) -> str:
    """The day of a moment of a record: ISO-8601, in UTC. Empty where it is no moment."""
    try:
        return datetime.datetime.fromisoformat(moment).astimezone(datetime.UTC).date().isoformat()
    except (ValueError, OverflowError):
        return ""


def todays_waivers(given: Path | None, config: Path | None, folder: Path) -> Waivers:
    """What every front door takes, held on today: of the file `given`, else of that beside the `config` file, else (no
    such file) of that in the `folder`. Raises `UsageError`.
    """
    today = datetime.datetime.now(datetime.UTC).date()
    return waivers_asked(given, folder if config is None else config.parent, today)


def waivers_asked(given: Path | None, beside: Path, today: datetime.date) -> Waivers:
    """Of the file `given`, else of `FILE` in the folder `beside`, if there. Raises `UsageError`."""
    path = given or beside / FILE
    if given is None and not is_there(path):
        return Waivers()
    return Waivers(read_waivers(path), today.isoformat())


def read_waivers(path: Path) -> tuple[Waiver, ...]:
    """Raises `UsageError`, which names the file, the waiver and the field."""
    data = read_toml(path)
    for key in data:
        if key != "waiver":
            raise UsageError(f"{path}: {key} is not known{hint(key, ('waiver',)) or '; expected [[waiver]]'}")
    entries = data.get("waiver", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"{path}: waiver: expected tables, each under a line [[waiver]]")
    return _waivers(path, entries)


def refuse_other_waivers(path: Path, listed: Sequence[Waiver]) -> None:
    """Raises `UsageError` where no `waivers.toml` makes just these, which stand in the record `path`."""
    made = _waivers(path, [msgspec.to_builtins(one) for one in listed])
    for number, (one, follows) in enumerate(zip(listed, made, strict=True), 1):
        if one != follows:
            raise UsageError(f"{path}: waiver {number}: {one.row}: expected it as a run writes it: {follows}")


def _waivers(path: Path, entries: Sequence[Mapping[str, object]]) -> tuple[Waiver, ...]:
    found: dict[str, Waiver] = {}
    for number, entry in enumerate(entries, 1):
        waiver = _waiver(f"{path}: waiver {number}", entry)
        if waiver.row in found:
            raise UsageError(f"{path}: waiver {number}: row = {waiver.row!r} is waived twice; leave one out")
        found[waiver.row] = waiver
    return tuple(found.values())


def _waiver(place: str, entry: Mapping[str, object]) -> Waiver:
    for key in entry:
        if key not in FIELDS:
            meant = hint(key, FIELDS) or f"; expected one of {', '.join(FIELDS)}"
            raise UsageError(f"{place}: {key} is not known{meant}")
    row = _text(place, "row", entry, 'the id of a row, as in "REC-010"')
    reason = _text(place, "reason", entry, "why the failure is borne; it is in every report")
    who = _text(place, "who", entry, "the name of whoever decided it")
    return Waiver(row=row.upper(), reason=reason, who=who, expiry=_day(f"{place} ({row})", entry.get("expiry")))


def _text(place: str, name: str, entry: Mapping[str, object], expected: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value.strip():
        told = "is missing" if name not in entry else f"= {value!r}" if isinstance(value, str | int) else "is no text"
        raise UsageError(f"{place}: {name} {told}; expected {expected}")
    return " ".join(value.split())


def _day(place: str, value: object) -> str:
    """An ISO day. TOML has days of its own, and a text of one is as good."""
    expected = "expected the last day on which it holds, as in 2026-12-31"
    if isinstance(value, datetime.datetime):
        value = value.date()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if value is None:
        raise UsageError(f"{place}: expiry is missing; {expected}: a waiver without an end is none")
    try:
        return datetime.date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise UsageError(f"{place}: expiry = {value!r}; {expected}") from None
