"""Records made by hand, folded as the judge does it."""

from __future__ import annotations

from brokercert.judge.tradovate.model.conversation import Conversation
from brokercert.trace import Body
from brokercert.trace import records as r
from traces import us


def folded(*records: Body) -> Conversation:
    talk = Conversation()
    for record in records:
        talk.feed(record)
    return talk


def tcp(t: float, conn: int, *, head: bool = True, ends: float | None = None) -> list[Body]:
    """A connection at second `t`, with a complete upgrade request or without, that the broker ends or does not."""
    found: list[Body] = [r.Accepted(t=us(t), conn=conn)]
    if head:
        found.append(r.Head(t=us(t), conn=conn, method="GET", target="/v1/websocket", headers=(), upgrade=True))
    if ends is not None:
        found.append(r.Ended(t=us(ends), conn=conn, by="broker", how="fin"))
    return found
