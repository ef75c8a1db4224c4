"""A loss and the way back from it, step by step: what several files here and beside them tell."""

from __future__ import annotations

from typing import Any

from brokercert.trace import records as r
from talks import OLD, S, Talk, alone, authorize, opened, sync


def logged_in(until: float = 200, *, synced: bool = True) -> Talk:
    talk = alone(until)
    authorize(talk, 2, s=200)
    if synced:
        sync(talk, 3, ident=1, d={})
    return talk


def started_again(talk: Talk, at: float, conn: int, *, closed: float | None = None, returns: bool = False) -> None:
    """The harness ends the client at `at`, and starts it anew: it logs in on `conn`. A plain close comes `closed`
    seconds later; `returns`: the client comes back from it.
    """
    talk.told.append(r.StopAsked(t=round(at * S), how="signal", judged=False))
    talk.told.append(r.SubjectExited(t=round(at * S), code=0, asked=True))
    talk.told.append(r.SubjectStarted(t=round((at + 1) * S), start=2))
    back(talk, at + 2, conn)
    if closed is not None:
        ended(talk, at + 2 + closed, conn)
        if returns:
            back(talk, at + 4 + closed, conn + 1)


def ended(talk: Talk, at: float, conn: int = 1, by: Any = "broker") -> None:
    talk.told.append(r.Ended(t=round(at * S), conn=conn, by=by, how="fin"))


def back(talk: Talk, at: float, conn: int = 2, *, synced: bool = True, token: str = OLD) -> None:
    """A new socket, authorized a second later, and synced another second later."""
    opened(talk, round(at * S), conn)
    authorize(talk, at + 1, conn=conn, token=token, s=200)
    if synced:
        sync(talk, at + 2, conn=conn, ident=1, d={})
