"""What the client believes, kept from the snapshot and from what is told after it."""

from collections import defaultdict
from typing import Any

FINISHED = ("Canceled", "Completed", "Expired", "Filled", "Rejected")


class State:
    def __init__(self) -> None:
        self.entities: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)  # "order" -> id -> as last told

    def replace(self, snapshot: dict[str, Any], early: list[dict[str, Any]]) -> None:
        """Take the snapshot for all that is true, and then what was told before it came."""
        self.entities.clear()
        for collection, items in snapshot.items():
            self.apply({"entityType": singular(collection), "entity": items})
        for change in early:
            self.apply(change)

    def apply(self, change: dict[str, Any]) -> list[dict[str, Any]]:
        """Created and updated replace by id, deleted removes by id; a finished order does not come back to life."""
        told, held = change.get("entity"), self.entities[str(change.get("entityType"))]
        entities = [x for x in (told if isinstance(told, list) else [told]) if isinstance(x, dict)]
        entities = [x for x in entities if isinstance(x.get("id"), int)]  # what has no number for an id is no entity
        for entity in entities:
            if change.get("eventType") == "Deleted":
                held.pop(entity["id"], None)
            elif held.get(entity["id"], {}).get("ordStatus") not in FINISHED or entity.get("ordStatus") in FINISHED:
                held[entity["id"]] = entity
        return entities


def singular(name: str) -> str:
    for plural, ending in (("ies", "y"), ("ses", "s"), ("s", "")):
        if name.endswith(plural):
            return name.removesuffix(plural) + ending
    return name
