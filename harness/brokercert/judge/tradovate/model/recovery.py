"""Back again: the socket on which a client is logged in, in place of one that it lost or gave up.

Authorized is back: whether it syncs again on that socket is REC-030's question. A correct client may open the new
socket first and leave the old one then (make before break). So after something hostile the new one is looked for from
the hostile frame on, and not from the client's own end of the old one.
"""

from __future__ import annotations

from typing import NamedTuple

from brokercert.judge.moments import records_of
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Answer, Connection, Conversation, Loss
from brokercert.judge.tradovate.model.lanes import Role, lanes_of
from brokercert.judge.tradovate.model.shape import credential_of, endpoint_of
from brokercert.judge.watching import Cause, Ending, ending_of


def recovered(talk: Conversation, c: Connection, since: int) -> Connection | None:
    """The first socket in place of `c` that was authorized after `since`."""
    return next((x for x, answer in talk.granted if answer.t > since and _may_replace(talk, x, c, since)), None)


def recovery(talk: Conversation, c: Connection, since: int) -> Answer | None:
    """The answer that authorized that socket."""
    back = recovered(talk, c, since)
    return back.authorized if back else None


def replaces_one_of_before(talk: Conversation, other: Connection, t: int) -> bool:
    """Whether that socket may do the work of one that worked before `t`; any does, where none had worked."""
    before = [c for c, answer in talk.granted if answer.t < t]
    worked = [c for c in before if c.syncs] or before
    return not worked or any(_may_replace(talk, other, c, t) for c in worked)


def made_before(talk: Conversation, c: Connection, cause: int, gone: Loss) -> Answer | None:
    """The answer that authorized a socket in place of `c`, opened after `cause`, before the client left `c` for it."""
    for other, answer in talk.granted:
        opened = cause < other.accepted <= gone.t and answer.t <= gone.t and not other.lost_before(gone.t)
        if opened and _may_replace(talk, other, c, cause):
            return answer
    return None


class Control(NamedTuple):
    """What this client does after a plain close of the broker's: whether it is `back`, and the records that show it.
    `ending`: it ended after it. `missed`: the row that says what it did not do, where it is not back.
    """

    back: bool
    evidence: list[int]
    ending: Ending | None = None
    missed: str = ""


def control_of(bench: Bench, before: int) -> Control | None:
    """Of a close that came before `before`, or of one in the client's next start, which met nothing else. None: there
    was none, or it was watched too briefly.
    """
    earlier = [(c, loss) for c, loss in _closed(bench.talk) if loss.t < before]
    if earlier:
        return _control(bench.talk, earlier)
    again = bench.talk.again
    closed = _closed(again) if again is not None else []
    if again is None or not closed:
        return None
    found = _control(again, closed)
    watched = max(again.end - loss.t for _, loss in closed)
    whole = found.back or found.ending is not None or watched >= bench.micros("window_control")
    return found if whole else None


def _control(talk: Conversation, closed: list[tuple[Connection, Loss]]) -> Control:
    """What followed on these closes."""
    backs = [(loss, back) for c, loss in closed if (back := recovery(talk, c, loss.t)) is not None]
    if backs:
        loss, back = backs[0]
        return Control(True, [loss.record, back.record])
    first = closed[0][1]
    ending = ending_of(talk)
    left = ending if ending is not None and ending.cause is not Cause.ASKED and ending.t >= first.t else None
    tried = any(c.accepted > first.t for c in talk.connections.values())
    return Control(False, [first.record, *records_of(left)], left, "REC-020" if tried else "REC-010")


def _closed(talk: Conversation) -> list[tuple[Connection, Loss]]:
    """The sockets that the broker ended."""
    return [(c, loss) for c, loss in talk.lost if loss.by == "broker"]


def _may_replace(talk: Conversation, other: Connection, c: Connection, cause: int) -> bool:
    """Whether `other` may do the work of `c`, which something came over at `cause`: it may be of the same lane. Of one
    that is of no lane nobody knows what it is for.

    Without a shape: it is for the same address, by the same kind of token. One that asks for no events takes the place
    of one that did only where the client had no such socket before.
    """
    if other is c or other.accepted < c.accepted:
        return False
    if talk.shape is not None:
        lanes = lanes_of(talk)
        return lanes.role(other) is Role.UNKNOWN or lanes.may_be_of(other, c)
    return _login(other) == _login(c) and (bool(other.syncs) or not c.syncs or not _had_idle(talk, c, cause))


def _had_idle(talk: Conversation, c: Connection, before: int) -> bool:
    """Whether there was a socket like `c`, but without a sync, by then."""
    return any(x.accepted < before and not x.syncs and _login(x) == _login(c) for x, _ in talk.granted)


def _login(c: Connection) -> tuple[str, str]:
    """The address, and the kind of token."""
    return endpoint_of(c), credential_of(c)
