"""Sound clients of other shapes than one socket, for virtual time: the reference client with more beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from brokercert.mutants.tradovate.quotes import BesideQuotes
from brokercert.mutants.tradovate.reconnection import beside
from brokercert.reference.tradovate import ReferenceClient
from brokercert.reference.tradovate.backoff import Backoff


class Staggered(ReferenceClient):
    """Three shards, `pause` seconds between two of them, or between two pairs where they come `by` two."""

    pause: ClassVar[float] = 0.7
    by: ClassVar[int] = 1

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **more: Any) -> None:
        super().__init__(env, output, **more)
        self.config = replace(self.config, shards=3)
        self.stores = [self.store_class() for _ in range(3)]

    async def _lane(self, shard: int) -> None:
        await self._pause(self.pause * (shard // self.by))
        await super()._lane(shard)


class FarApart(Staggered):
    """One every 3 s."""

    pause = 3.0


class InPairs(Staggered):
    """Two at a time, 3 s apart: as clients do that were answered with 429 for more (TP §7.3)."""

    pause, by = 3.0, 2


class Equal(Staggered):
    """Three sockets that ask for the same: nothing tells one from another."""

    def sync_body(self, shard: int) -> dict[str, Any]:
        body = super().sync_body(shard)
        body.pop("shardingExpression", None)
        return body

    def on_event(self, kind: str, data: Any) -> None:
        """Its events come three times: it tells none of them."""


class Probed(beside.LateBesideAProbe):
    """A health probe beside it connects over TCP and leaves."""

    backoff_class = Backoff


class Renewing(beside.LateBesideRenewals):
    """It renews its token every ten seconds."""

    backoff_class = Backoff
    every = 10.0


SOUND: dict[str, type[ReferenceClient]] = {
    "one socket": ReferenceClient,
    "a socket for quotes beside it": BesideQuotes,
    "shards 0.7 s apart": Staggered,
    "shards 3 s apart": FarApart,
    "shards two at a time, 3 s apart": InPairs,
    "equal sockets": Equal,
    "a health probe": Probed,
    "renewals all the time": Renewing,
}
