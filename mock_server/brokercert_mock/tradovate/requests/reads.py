"""The read endpoints over the seeded state: `list`, `item`, `items`, `find`, `deps`, `ldeps`, `suggest` (TP §9)."""

from __future__ import annotations

from typing import Any

from brokercert_mock.tradovate.archive import contract_named
from brokercert_mock.tradovate.requests.parameters import listed, parameters
from brokercert_mock.tradovate.requests.turns import Answer
from brokercert_mock.tradovate.state import LOWER, MASTERS, READ_ONLY, Entity, State

READABLE = LOWER | {kind.lower(): kind for kind in READ_ONLY}


def read(
    state: State, endpoint: str, query: dict[str, list[str]], body: Any, most_items: int | None = None
) -> Answer | None:
    """The answer to a read, or None where the endpoint is none. Parameters may stand in the query or in the body.
    `most_items`: ids that one `items` may name; None: any number.
    """
    kind_text, _, verb = endpoint.partition("/")
    kind = READABLE.get(kind_text)
    if kind is None:
        return None
    values = parameters(query, body)
    entities = state.of(kind)
    match verb:
        case "list":
            return 200, entities
        case "item":
            found = _by_id(state, kind, _numbers(values.get("id")))
            return (200, found[0]) if found else (404, f"Not found: {endpoint}")
        case "items":
            wanted = _numbers(values.get("ids"))
            return (
                (404, None)
                if most_items is not None and len(wanted) > most_items
                else (200, _by_id(state, kind, wanted))
            )
        case "find":
            found = _by_name(state, kind, str(next(iter(listed(values.get("name"))), "")))
            return (200, found[0]) if found else (404, f"Not found: {endpoint}")
        case "suggest":
            text = str(next(iter(listed(values.get("t"))), "")).lower()
            most = next(iter(_numbers(values.get("l"))), 10)
            return 200, [x for x in entities if text in str(x.get("name", "")).lower()][:most]
        case "deps" | "ldeps":
            masters = _numbers(values.get("masterid")) | _numbers(values.get("masterids"))
            return 200, [x for x in entities if _master(kind, x) in masters]
        case _:
            return None


def _by_id(state: State, kind: str, wanted: set[int]) -> list[Entity]:
    """In the order of their ids."""
    held, archived = state.entities[kind], state.archive.get(kind, {})
    found = (held.get(ident) or archived.get(ident) for ident in sorted(wanted))
    return [entity for entity in found if entity is not None]


def _by_name(state: State, kind: str, name: str) -> list[Entity]:
    if kind == "contract":
        found = contract_named(state, name)
        return [found] if found is not None and found["name"].lower() == name.lower() else []
    return [x for x in state.of(kind) if str(x.get("name", "")).lower() == name.lower()]


def _master(kind: str, entity: Entity) -> Any:
    return entity.get(MASTERS.get(kind, ""))


def _numbers(value: Any) -> set[int]:
    """The integers in a parameter: `1`, `[1, 2]`, `["1,2"]`."""
    result: set[int] = set()
    for item in listed(value):
        for text in str(item).split(","):
            if text.strip().lstrip("-").isdigit() and len(text) < 40:
                result.add(int(text))
    return result
