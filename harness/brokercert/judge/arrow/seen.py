"""What a start with nothing wrong showed of an Arrow client, in sentences. It judges nothing; no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.arrow.model import HEARTBEAT, Updates

CREDENTIALS = ("session", "token")  # of the query


def seen_of(talk: Updates) -> Iterator[str]:
    """Of each socket that was upgraded: what its query carried, and its heartbeats."""
    sockets = [c for c in talk.connections.values() if c.upgraded]
    for number, c in enumerate(sockets, 1):
        where = f"on socket {number} it" if len(sockets) > 1 else "it"
        carried = [f"{name} {value}" for name in CREDENTIALS if (value := c.parameter(name))]
        yield f"{where} logged in with {' and '.join(carried) or 'neither session nor token'}"
        beats = f"{len(c.beats)} heartbeat(s)" if c.beats else "no heartbeat"
        yield f"{where} sent {beats} (`{HEARTBEAT}`) meanwhile; one is due every 30 s"
