"""A client that is logged in and beats: what several files tell."""

from __future__ import annotations

from talks import S, Talk, alone, authorize


def logged_in(until: float, *, beats: float | None = 2.5, beat_from: float = 2) -> Talk:
    """Authorized at 2 s; a heartbeat every so many seconds."""
    talk = alone(until)
    authorize(talk, 2, s=200)
    at = beat_from
    while beats and (at := at + beats) < until:
        talk.client(round(at * S), 1, "[]")
    return talk
