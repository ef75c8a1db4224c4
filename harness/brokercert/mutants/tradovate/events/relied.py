"""Defects of asking for what the client relies on."""

from __future__ import annotations

from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient


@mutant(
    "asks-for-less-after-a-loss",
    "EVT-040 REC-040 REC-115",
    also="REC-090",
    fields="fill.presence",
    reason="what it relies on is missing on its later sockets, so that it never hears of the fills",
)
class AsksForLess(ReferenceClient):
    """Asks for orders and accounts only on every socket but its first."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._synced: set[int] = set()

    def sync_body(self, shard: int) -> dict[str, Any]:
        body = super().sync_body(shard)
        if shard in self._synced:
            body["entityTypes"] = ["order", "account"]
        self._synced.add(shard)
        return body


@mutant(
    "relies-on-fills-unasked",
    "EVT-040",
    also="REC-040",
    reason="fills are declared as relied on, and not in `entityTypes`",
)
class ReliesUnasked(ReferenceClient):
    """Leaves fills out of its sync request."""

    def sync_body(self, shard: int) -> dict[str, Any]:
        body = super().sync_body(shard)
        return body | {"entityTypes": [name for name in body["entityTypes"] if name != "fill"]}
