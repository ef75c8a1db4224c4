"""Back again: the socket on which a client did what it had done before it lost another one."""

from __future__ import annotations

from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Answer, Connection, Loss


def recovered(bench: Bench, c: Connection, since: int) -> Connection | None:
    """The first socket after `since` that did again what `c` had done: authorized, and synced if `c` had."""
    for other, answer in bench.talk.granted:
        if other is not c and answer.t > since and (other.syncs or not c.syncs):
            return other
    return None


def recovery(bench: Bench, c: Connection, since: int) -> Answer | None:
    """The answer that authorized that socket."""
    back = recovered(bench, c, since)
    return back.authorized if back else None


def recovered_before(bench: Bench, before: int) -> bool | None:
    """Whether the client recovered from a close of the broker's that came before `before`; None: there was none."""
    closed = _closed_before(bench, before)
    return any(recovered(bench, c, loss.t) for c, loss in closed) if closed else None


def _closed_before(bench: Bench, t: int) -> list[tuple[Connection, Loss]]:
    """The sockets that the broker ended before that time."""
    return [(c, loss) for c, loss in bench.talk.lost if loss.by == "broker" and loss.t < t]
