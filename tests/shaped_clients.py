"""Sound clients of other shapes than one socket, for virtual time: the reference client with more beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from brokercert.mutants.tradovate.quotes import BesideQuotes
from brokercert.mutants.tradovate.reconnection import beside
from brokercert.reference.tradovate import ReferenceClient
from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.client import End
from brokercert.reference.tradovate.requests import Outcome, Request, RequestQueue
from brokercert.reference.tradovate.session import SYNC, Session
from brokercert.reference.tradovate.states import Happening


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


class _MovingQueue(RequestQueue):
    """Ends a sync request that drew a ticket, and remembers that ticket and the end of its penalty."""

    drawn: tuple[str, float] | None = None

    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        if request.endpoint != SYNC or data.get("p-captcha"):
            super().on_ticket(request, data, now)
        else:
            self.drawn = data["p-ticket"], now + data["p-time"]
            request.done(Outcome(200, data, "a ticket: the socket is given up"), now)


class _Moving(Session):
    queue_class = _MovingQueue
    kept: dict[str, tuple[str, float]]  # the sync body of a shard -> its ticket, and when its penalty is over

    def send_sync(self, now: float) -> None:
        ticket, ends = self.kept.get(str(self._sync_body), ("", now))
        if now < ends:
            self._sync_again = ends
            return
        self.kept.pop(str(self._sync_body), None)
        plain = self._sync_body
        self._sync_body = {**plain, "p-ticket": ticket} if ticket else plain
        super().send_sync(now)
        self._sync_body = plain

    def on_sync(self, outcome: Outcome, now: float) -> None:
        queue = self._requests
        if isinstance(queue, _MovingQueue) and queue.drawn is not None:
            self.kept[str(self._sync_body)] = queue.drawn
        super().on_sync(outcome, now)


class Moving(ReferenceClient):
    """Gives its socket up when its sync request draws a ticket, and brings the ticket back on the next one."""

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **more: Any) -> None:
        super().__init__(env, output, **more)

        class Kept(_Moving):
            kept: ClassVar[dict[str, tuple[str, float]]] = {}

        self.session_class = Kept


class MovingShards(Moving, Staggered):
    """Three shards, each of which does so."""


class MovingLate(Moving):
    """As the first, but it connects again only when the penalty is nearly over: the ticket outlives its socket."""

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        return 2.5 if end.how is Happening.SYNC_FAILED else super().delay_after(end, backoff, refusals)


class WaitsOffline(Moving):
    """As the first, but it connects again only when the penalty is over, however long that is."""

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        usual = super().delay_after(end, backoff, refusals)
        kept: dict[str, tuple[str, float]] = self.session_class.kept  # type: ignore[attr-defined]
        left = [ends - asyncio.get_running_loop().time() for _, ends in kept.values()]
        return max(left, default=usual) if end.how is Happening.SYNC_FAILED else usual


SOUND: dict[str, type[ReferenceClient]] = {
    "one socket": ReferenceClient,
    "a socket for quotes beside it": BesideQuotes,
    "shards 0.7 s apart": Staggered,
    "shards 3 s apart": FarApart,
    "shards two at a time, 3 s apart": InPairs,
    "equal sockets": Equal,
    "a health probe": Probed,
    "renewals all the time": Renewing,
    "a new socket for each ticket": Moving,
    "shards with a new socket for each ticket": MovingShards,
    "a new socket late in each penalty": MovingLate,
    "a new socket after each penalty": WaitsOffline,
}
