"""A run's record, held against what its traces say when they are judged again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from brokercert.verdict import RowResult, RunRecord, ScenarioResult

SHOWN = 160  # characters of a value that differs

# What traces cannot say of their run: it rests on run.json alone.
UNSEEN = {
    "run_id",
    "started",
    "tool",
    "judge",
    "timing",
    "environment",
    "calibration",
    "toxiproxy",
    "reproduce",
    "notes",
    "seal",
    "chain",
}
UNSEEN_OF_SUBJECT: dict[str, Any] = {"command": (), "build": {}}
ROWS, SCENARIOS = "rows", "scenarios"
OF_A_ROW = {"reproduce"}
OF_A_SCENARIO = {"lag_ms", "note", "output"}


@dataclass(frozen=True)
class Difference:
    """`place`: a field of run.json, in words. `said` there, and what `follows` from the traces. `row`: whose it is."""

    place: str
    said: str
    follows: str
    row: str = ""


def differences(run: RunRecord, judged: RunRecord) -> Iterator[Difference]:
    """Rows first, since they are what a reader looks at."""
    yield from _rows(run, judged)
    yield from _scenarios(run, judged)
    ours, theirs = msgspec.to_builtins(judged), msgspec.to_builtins(run)
    for name in RunRecord.__struct_fields__:
        if name in UNSEEN or name in (ROWS, SCENARIOS):
            continue
        mine, other = ours[name], theirs[name]
        if name == "subject":
            mine, other = ({**one, **UNSEEN_OF_SUBJECT} for one in (mine, other))
        if name == "missing":  # a run that was ended early misses nothing: it says what it did not play
            mine = [one for one in mine if one not in _not_run(run)]
        yield from _walk(name, other, mine)


def _rows(run: RunRecord, judged: RunRecord) -> Iterator[Difference]:
    ids = [row.id for row in run.rows], [row.id for row in judged.rows]
    if ids[0] != ids[1]:
        yield Difference(ROWS, _shown(ids[0]), _shown(ids[1]))
    known = {row.id: row for row in judged.rows}
    for row in run.rows:
        if row.id in known:
            yield from _row(row, known[row.id])


def _row(row: RowResult, judged: RowResult) -> Iterator[Difference]:
    """The verdict before all else of a row."""
    said, follows = _fields(row, OF_A_ROW), _fields(judged, OF_A_ROW)
    order = ["verdict", "reason", *(name for name in said if name not in ("verdict", "reason"))]
    for name in order:
        for one in _walk(name, said[name], follows[name]):
            yield Difference(f"row {row.id}: {one.place}", one.said, one.follows, row.id)


def _scenarios(run: RunRecord, judged: RunRecord) -> Iterator[Difference]:
    said, follows = _by_playing(run), _by_playing(judged)
    for key in dict.fromkeys((*said, *follows)):
        place = f"scenario {key[0]}" + (f" (playing {key[1]})" if key[1] > 1 else "")
        if key not in said or key not in follows:
            yield Difference(place, _is_told(key in said), _is_told(key in follows))
            continue
        yield from _walk(place, said[key], follows[key])


def _not_run(run: RunRecord) -> set[str]:
    return {one.name for one in run.scenarios if one.state == "not run"}


def _is_told(there: bool) -> str:
    return "told" if there else "not told"


def _by_playing(run: RunRecord) -> dict[tuple[str, int], Mapping[str, Any]]:
    """What was played, with its trace; and what was not, which follows from what was asked for."""
    return {(one.name, one.play): _played(one) for one in run.scenarios}


def _played(one: ScenarioResult) -> Mapping[str, Any]:
    fields = _fields(one, OF_A_SCENARIO)
    return {**fields, "trace": fields["trace"].rpartition("/")[2]}


def _fields(record: msgspec.Struct, without: set[str]) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(record)
    return {name: value for name, value in fields.items() if name not in without}


def _walk(place: str, said: Any, follows: Any) -> Iterator[Difference]:
    """The innermost fields that differ."""
    if said == follows:
        return
    if isinstance(said, dict) and isinstance(follows, dict):
        for name in dict.fromkeys((*said, *follows)):
            yield from _walk(f"{place}: {name}", said.get(name), follows.get(name))
    elif isinstance(said, list | tuple) and isinstance(follows, list | tuple) and len(said) == len(follows):
        for number, (one, other) in enumerate(zip(said, follows, strict=True), 1):
            yield from _walk(f"{place} {number}", one, other)
    else:
        yield Difference(place, _shown(said), _shown(follows))


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
