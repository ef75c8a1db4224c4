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


def shared_with(tables: Mapping[str, Any]) -> str:
    """The id of the edition that a set shares with; empty: it has all of it itself."""
    facts = tables.get("set")
    said = facts.get(SHARES, "") if isinstance(facts, dict) else ""
    return said if isinstance(said, str) else ""


def with_shared(tables: Mapping[str, Any], base: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The tables of a set with what it takes from `base`. Raises `RequirementError` where that has no such thing."""
    whole = dict(tables)
    theirs = {key: value for key, value in base["set"].items() if key not in OWN}
    whole["set"] = theirs | {key: value for key, value in tables["set"].items() if key != SHARES}
    for table in WHOLE:
        whole[table] = tables.get(table, base.get(table, {}))
    for table in ("requirement", "reading"):
        known = {one["id"]: one for one in base.get(table, ())}
        whole[table] = [
            _one(entry, str(entry.get("id")), known, f"{name}: {table}") if _is_same(entry) else entry
            for entry in tables.get(table, ())
        ]
    limits = base.get("limits", {})
    whole["limits"] = {
        key: _one(entry, key, limits, f"{name}: limits") if _is_same(entry) else entry
        for key, entry in tables.get("limits", {}).items()
    }
    return whole


def _is_same(entry: object) -> bool:
    return isinstance(entry, dict) and SAME in entry


def _one(entry: Mapping[str, Any], key: str, known: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The other edition's entry, with the fields that stand here in place of its own."""
    if entry[SAME] is not True:
        raise RequirementError(f"{where}: {key}: {SAME}: {entry[SAME]!r}; expected true, or no such field")
    if key not in known:
        raise RequirementError(
            f"{where}: {key}: {SAME}: the edition that it shares with has none of that name; expected one that it has"
        )
    return {**known[key], **{field: value for field, value in entry.items() if field != SAME}}
