"""What two editions of a set have in common is written once, in the older one.

A later edition says `shares = "ID"` in its `[set]`, the id of the other. Of the facts of `[set]`, and of the tables in
`WHOLE`, it takes what it does not have itself. A row, a limit or a reading that it has in common it names by its id,
with `same = true`; what it says beside that replaces the other's field. So each edition's file names every row of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brokercert.requirements.model import RequirementError

SHARES, SAME = "shares", "same"
OWN = ("id", SHARES)  # of the facts of a set: never another's
WHOLE = ("capabilities", "parts")  # tables that are taken whole
LISTS = ("requirement", "reading")  # of tables, each with an id


def shared_with(tables: Mapping[str, Any], name: str) -> str:
    """The id of the edition that a set shares with; empty: it has all of it itself. Raises `RequirementError`."""
    facts = tables.get("set")
    said = facts.get(SHARES, "") if isinstance(facts, dict) else ""
    if not isinstance(said, str) or (isinstance(facts, dict) and SHARES in facts and not said):
        raise RequirementError(
            f"{name}: set.{SHARES}: {said!r}; expected the id of another edition of the set, as a text; leave it out "
            "where there is none"
        )
    return said


def refuse_alone(tables: Mapping[str, Any], name: str) -> None:
    """Raise `RequirementError` where a set that shares with none says of something that it has it in common."""
    entries = [
        *(entry for table in LISTS for entry in _list(tables, table, name)),
        *_table(tables, "limits", name).values(),
    ]
    if any(map(_is_same, entries)):
        raise RequirementError(
            f"{name}: {SAME}: the set shares with no other edition; expected set.{SHARES}, with the id of that edition"
        )


def with_shared(tables: Mapping[str, Any], base: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The tables of a set with what it takes from `base`. Raises `RequirementError` where that has no such thing, or
    one of the two is no set at all. What is wrong inside an entry is found where the whole is checked.
    """
    whole, other = dict(tables), f"{name}: the edition that it shares with"
    theirs = {key: value for key, value in _table(base, "set", other).items() if key not in OWN}
    whole["set"] = theirs | {key: value for key, value in _table(tables, "set", name).items() if key != SHARES}
    for table in WHOLE:
        whole[table] = tables.get(table, base.get(table, {}))
    for table in LISTS:
        known = {one["id"]: one for one in _list(base, table, other) if isinstance(one.get("id"), str)}
        whole[table] = [
            _one(entry, entry.get("id"), known, f"{name}: {table}") if _is_same(entry) else entry
            for entry in _list(tables, table, name)
        ]
    limits = {key: one for key, one in _table(base, "limits", other).items() if isinstance(one, dict)}
    whole["limits"] = {
        key: _one(entry, key, limits, f"{name}: limits") if _is_same(entry) else entry
        for key, entry in _table(tables, "limits", name).items()
    }
    return whole


def _table(tables: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    found = tables.get(key, {})
    if not isinstance(found, dict):
        raise RequirementError(f"{where}: {key}: {found!r}; expected a table; write it as [{key}]")
    return found


def _list(tables: Mapping[str, Any], key: str, where: str) -> list[dict[str, Any]]:
    found = tables.get(key, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise RequirementError(f"{where}: {key}: {found!r}; expected a list of tables; write each as [[{key}]]")
    return found


def _is_same(entry: object) -> bool:
    return isinstance(entry, dict) and SAME in entry


def _one(entry: Mapping[str, Any], key: object, known: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The other edition's entry, with the fields that stand here in place of its own."""
    if entry[SAME] is not True:
        raise RequirementError(f"{where}: {key}: {SAME}: {entry[SAME]!r}; expected true, or no such field")
    if not isinstance(key, str):
        raise RequirementError(f"{where}: id: {key!r}; expected the id of one that the other edition has, as a text")
    if key not in known:
        raise RequirementError(
            f"{where}: {key}: {SAME}: the edition that it shares with has none of that name; expected one that it has"
        )
    return {**known[key], **{field: value for field, value in entry.items() if field != SAME}}
