"""Attempts to connect of a Tradovate client: of all of it, or of one of its lanes."""

from __future__ import annotations

from brokercert.judge.attempts import Attempt, Signs, attempts_of
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Connection


def tries(bench: Bench, since: int, of: Connection | None = None) -> list[Attempt]:
    """The attempts after `since` (microseconds), in order: of the whole client, or those that may be to replace `of`.

    A token call that was answered counts only where a connection follows it in time: a client renews its token beside
    all else. A connection that asks for nothing counts only where a healthy start makes none.
    """
    lanes, shape = bench.lanes, bench.talk.shape
    signs = Signs(
        counts=lambda c: of is None or lanes.may_replace(c, of),
        bare=shape is None or not shape.bare,
        follows=bench.micros("token_leads") or None,
    )
    return attempts_of(bench.talk, since, signs)
