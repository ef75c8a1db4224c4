"""Defects of synchronising, of sharding, and of taking events."""

from __future__ import annotations

from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import Happening, State

REFRESH = 85.0  # seconds


class _TwoSyncsSession(Session):
    def send_sync(self, now: float) -> None:
        super().send_sync(now)
        super().send_sync(now)


class _RefreshingSession(Session):
    refreshed = False

    def tick(self, now: float) -> None:
        if self.live_since is not None and now - self.live_since >= REFRESH and not self.refreshed:
            self.refreshed = True
            self.send_sync(now)
        super().tick(now)


@mutant(
    "syncs-again-after-85-s",
    "EVT-010",
    reason="one sync a socket, however long it lives",
)
class SyncsAgain(ReferenceClient):
    """Refreshes its state by a second sync request, on a socket that has lived for 85 s."""

    session_class = _RefreshingSession


@mutant(
    "syncs-twice",
    "EVT-010 REC-030",
    also={
        "RLP-020": "the second request, sent at once, may be a retry that comes too early: the stamps are equal",
        "RLP-030": "and it carries no ticket",
        "RLP-040": "and where the ticket is a captcha's, it may be a retry all the same",
        "EVT-080": "the second answer tells the older state once more, after the events that came before it",
        "CON-050": "a request that leaves twice on a slow way looks like the way's doing",
        "REC-110": "a way back has one sync",
    },
    reason="one sync request per socket, after a reconnect as well",
)
class SyncsTwice(ReferenceClient):
    """Sends two sync requests on every socket."""

    session_class = _TwoSyncsSession


class _PipelinedSession(Session):
    def send_authorize(self, now: float) -> None:
        super().send_authorize(now)
        Session.send_sync(self, now)

    def send_sync(self, now: float) -> None:
        pass


@mutant(
    "pipelines-the-sync",
    "EVT-020 REC-020",
    also="LOG-040 LOG-100 RLP-070",
    reason="the sync request leaves while the answer to authorize is held back, on every socket, and whatever it is",
)
class PipelinesSync(ReferenceClient):
    """Sends the sync request together with authorize."""

    session_class = _PipelinedSession


class _MuteSession(Session):
    def send_sync(self, now: float) -> None:
        pass


@mutant(
    "never-syncs",
    "EVT-020",
    also={
        "REC-110": "a socket without a sync is no way back, whatever the fault",
    },
    reason="no sync request ever comes; what presupposes one is blocked",
)
class NeverSyncs(ReferenceClient):
    """Authorizes, and never sends a sync request."""

    session_class = _MuteSession


@mutant(
    "no-entity-types",
    "EVT-030",
    reason="`entityTypes` must be a non-empty list",
)
class NoEntityTypes(ReferenceClient):
    """Syncs without `entityTypes`."""

    def sync_body(self, shard: int) -> dict[str, Any]:
        body = super().sync_body(shard)
        del body["entityTypes"]
        return body


@mutant(
    "users-with-entity-types", "EVT-030 EVT-100", reason="`users` excludes `entityTypes`, and a sharding expression too"
)
class UsersWithEntityTypes(ReferenceClient):
    """Syncs with `users` beside `entityTypes`."""

    def sync_body(self, shard: int) -> dict[str, Any]:
        return {**super().sync_body(shard), "users": [1]}


@mutant("shards-from-one", "EVT-100", reason="remainders begin at 0 and end below the divisor")
class ShardsFromOne(ReferenceClient):
    """Counts its remainders from 1."""

    def sync_body(self, shard: int) -> dict[str, Any]:
        body = super().sync_body(shard)
        if "shardingExpression" in body:
            body["shardingExpression"]["remainder"] += 1
        return body


@mutant("shards-overlap", "EVT-100", reason="each remainder once at a time, and none missing")
class ShardsOverlap(ReferenceClient):
    """Gives two shards the same remainder."""

    def sync_body(self, shard: int) -> dict[str, Any]:
        body = super().sync_body(shard)
        if "shardingExpression" in body:
            body["shardingExpression"]["remainder"] = min(shard, 1)
        return body


class _StrictSession(Session):
    def on_event(self, kind: str, data: Any, now: float) -> None:
        known = kind in ("props", "shutdown", "md", "chart", "clock")
        if not known:
            self.happen(Happening.TIMED_OUT, f"an event kind that is not known: {kind}", now)
        else:
            super().on_event(kind, data, now)


@mutant(
    "hangs-up-on-unknown-kinds",
    "EVT-110",
    also={
        "LOG-060": "an unknown event is no reason to end a healthy connection",
    },
    reason="unknown event kinds are ignored without a disconnect",
)
class HangsUpOnUnknown(ReferenceClient):
    """Ends the connection on an event kind that it does not know."""

    session_class = _StrictSession


class _RepeatingSession(Session):
    def on_sync(self, outcome: Outcome, now: float) -> None:
        if outcome.error == "never answered" and self.state is not State.OVER:
            self.send_sync(now)
        else:
            super().on_sync(outcome, now)


@mutant(
    "syncs-again-where-it-was-not-answered",
    "EVT-010",
    reason="one sync a socket: what is not answered yet may be a large snapshot on its way",
)
class SyncsAgainUnanswered(ReferenceClient):
    """Sends its sync request once more on the same socket, when no answer came in half a minute."""

    session_class = _RepeatingSession
