"""A loss and the way back from it, step by step: what several files here and beside them tell."""

from __future__ import annotations

from typing import Any

from brokercert.trace import records as r
from talks import S, Talk, alone, authorize, opened, sync


def logged_in(until: float = 200, *, synced: bool = True) -> Talk:
    talk = alone(until)
    authorize(talk, 2, s=200)
    if synced:
        sync(talk, 3, ident=1, d={})
    return talk


def ended(talk: Talk, at: float, conn: int = 1, by: Any = "broker") -> None:
    talk.told.append(r.Ended(t=round(at * S), conn=conn, by=by, how="fin"))


def back(talk: Talk, at: float, conn: int = 2, *, synced: bool = True) -> None:
    """A new socket, authorized a second later, and synced another second later."""
    opened(talk, round(at * S), conn)
    authorize(talk, at + 1, conn=conn, s=200)
    if synced:
        sync(talk, at + 2, conn=conn, ident=1, d={})
