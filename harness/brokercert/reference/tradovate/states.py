"""The life of one socket as a table: which state follows which happening. A missing entry changes nothing.

The session runs by this table, the documentation is drawn from it, and what is absent from it is what the broker may
not expect.
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    """Where a socket is."""

    WAITING = "waiting for `o`"
    AUTHORIZING = "authorize sent"
    AUTHORIZED = "authorized, sync sent or waiting for its turn"
    LIVE = "synced"
    OVER = "to be closed"


class Happening(enum.Enum):
    """What moves a socket on."""

    OPENED = "`o` came"
    ACCEPTED = "authorize answered with success"
    REFUSED = "authorize answered with anything else"
    LOCKED_OUT = "authorize answered with 429"
    SYNCED = "sync answered with success"
    SYNC_FAILED = "sync answered with an error, or not at all"
    SERVER_CLOSED = "`c[...]` came"
    TIMED_OUT = "an answer or `o` did not come in time"
    SILENT = "nothing came for too long"
    STOPPED = "asked to stop"


S, H = State, Happening

TRANSITIONS: dict[State, dict[Happening, State]] = {
    S.WAITING: {H.OPENED: S.AUTHORIZING},
    S.AUTHORIZING: {H.ACCEPTED: S.AUTHORIZED, H.REFUSED: S.OVER, H.LOCKED_OUT: S.OVER},
    S.AUTHORIZED: {H.SYNCED: S.LIVE, H.SYNC_FAILED: S.OVER},
    S.LIVE: {},
    S.OVER: {},
}
for _state in (S.WAITING, S.AUTHORIZING, S.AUTHORIZED, S.LIVE):
    for _happening in (H.SERVER_CLOSED, H.TIMED_OUT, H.SILENT, H.STOPPED):
        TRANSITIONS[_state][_happening] = S.OVER
