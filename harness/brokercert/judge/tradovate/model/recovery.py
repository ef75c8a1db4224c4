"""Back again: the socket on which a client did what it had done before it lost another one."""

from __future__ import annotations

from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Connection


def recovered(bench: Bench, c: Connection, since: int) -> Connection | None:
    """The first socket after `since` that did again what `c` had done: authorized, and synced if `c` had."""
    for other in bench.talk.authorized:
        if other is not c and other.authorized and other.authorized.t > since and (other.syncs or not c.syncs):
            return other
    return None


def recovered_before(bench: Bench, before: int) -> bool | None:
    """Whether the client recovered from a close of the broker's that came before `before`; None: there was none."""
    seen: bool | None = None
    for other in bench.talk.authorized:
        if other.loss is not None and other.loss.by == "broker" and other.loss.t < before:
            seen = bool(seen) or recovered(bench, other, other.loss.t) is not None
    return seen
