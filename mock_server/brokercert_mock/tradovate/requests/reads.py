"""The read endpoints over the seeded state: `list`, `item`, `items`, `find`, `deps`, `ldeps`, `suggest` (TP §9)."""

from __future__ import annotations

from typing import Any

from brokercert_mock.tradovate.requests.turns import Answer
from brokercert_mock.tradovate.state import LOWER, MASTERS, READ_ONLY, Entity, State

READABLE = LOWER | {kind.lower(): kind for kind in READ_ONLY}


def read(state: State, endpoint: str, query: dict[str, list[str]], body: Any) -> Answer | None:
    """The answer to a read, or None where the endpoint is none. Parameters may stand in the query or in the body."""
    kind_text, _, verb = endpoint.partition("/")
    kind = READABLE.get(kind_text)
    if kind is None:
        return None
    values = _parameters(query, body)
    entities = state.of(kind)
    match verb:
        case "list":
            return 200, entities
        case "item":
            found = [x for x in entities if x["id"] in _numbers(values.get("id"))]
            return (200, found[0]) if found else (404, f"Not found: {endpoint}")
        case "items":
            wanted = _numbers(values.get("ids"))
            return 200, [x for x in entities if x["id"] in wanted]
        case "find":
            name = str(next(iter(_listed(values.get("name"))), ""))
            found = [x for x in entities if str(x.get("name", "")).lower() == name.lower()]
            return (200, found[0]) if found else (404, f"Not found: {endpoint}")
        case "suggest":
            text = str(next(iter(_listed(values.get("t"))), "")).lower()
            most = next(iter(_numbers(values.get("l"))), 10)
            return 200, [x for x in entities if text in str(x.get("name", "")).lower()][:most]
        case "deps" | "ldeps":
            masters = _numbers(values.get("masterid")) | _numbers(values.get("masterids"))
            return 200, [x for x in entities if _master(kind, x) in masters]
        case _:
            return None


def _master(kind: str, entity: Entity) -> Any:
    return entity.get(MASTERS.get(kind, ""))


def _parameters(query: dict[str, list[str]], body: Any) -> dict[str, Any]:
    values: dict[str, Any] = {key.lower(): value for key, value in query.items()}
    if isinstance(body, dict):
        values |= {str(key).lower(): value for key, value in body.items()}
    return values


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _numbers(value: Any) -> set[int]:
    """The integers in a parameter: `1`, `[1, 2]`, `["1,2"]`."""
    result: set[int] = set()
    for item in _listed(value):
        for text in str(item).split(","):
            if text.strip().lstrip("-").isdigit() and len(text) < 40:
                result.add(int(text))
    return result
