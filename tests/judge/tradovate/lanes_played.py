"""Conversations of clients whose healthy shape is known: users' sockets, quotes beside them, shards."""

from __future__ import annotations

from typing import Any

from brokercert.trace import Lane, Shape
from brokercert.trace import records as r
from brokercert.verdict import worst
from talks import TYPES, S, Talk, authorize, opened, sync

PATH = "/v1/websocket"
USER, QUOTES = "«access-token#1»", "«md-token#2»"


def synced_lane(share: int = 0, **more: Any) -> Lane:
    """A lane that syncs; of another `share`, with another body."""
    body = f'{{"entityTypes":{body_of(share)},"splitResponses":true}}'
    return Lane(endpoint=PATH, credential="access-token", sync=body, **more)


def body_of(share: int) -> str:
    return '["' + '","'.join(types_of(share)) + '"]'


def types_of(share: int) -> list[str]:
    return TYPES[share:]


QUOTES_LANE = Lane(endpoint=PATH, credential="md-token", places=(2,), opened=(S,))
TWO = Shape(lanes=(synced_lane(places=(1,), opened=(0,)), QUOTES_LANE))
ONE = Shape(lanes=(synced_lane(),))


def shards(count: int, every: float = 0.0) -> Shape:
    """Shares that differ, opened two at a time so many seconds apart."""
    return Shape(
        lanes=tuple(synced_lane(n, opened=(round(n // 2 * every * S),), places=(n + 1,)) for n in range(count))
    )


def user(talk: Talk, at: float, conn: int, *, share: int = 0) -> None:
    """A user's socket: authorized and synced at once."""
    opened(talk, round(at * S), conn)
    authorize(talk, at + 0.01, conn=conn, token=USER, s=200)
    sync(talk, at + 0.05, conn=conn, body={"entityTypes": types_of(share)}, d={})


def quotes(talk: Talk, at: float, conn: int) -> None:
    opened(talk, round(at * S), conn)
    authorize(talk, at + 0.01, conn=conn, token=QUOTES, s=200)


def beats(talk: Talk, since: float, until: float, *conns: int) -> None:
    for conn in conns:
        for at in range(round(since * S), round(until * S), 5 * S // 2):
            talk.frame(at, conn, "h")
            talk.client(at + 1000, conn, "[]")


def talk_of(until: float = 100) -> Talk:
    talk = Talk(ends=round(until * S))
    talk.told.append(r.SubjectStarted(t=0))
    return talk


def verdict(talk: Talk, row: str, shape: Shape | None, offers: tuple[str, ...] = ("wire", "tokens")) -> str:
    found = [f.verdict for f in talk.findings(shape=shape, offers=offers) if f.requirement == row]
    return str(worst(found))


def lost(talk: Talk, at: float, *conns: int) -> None:
    for conn in conns:
        talk.broker(round(at * S) - S, conn, {"e": "clock", "d": "x"})
        talk.end(round(at * S), conn)
