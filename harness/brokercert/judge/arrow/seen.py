"""What a start with nothing wrong showed of an Arrow client, in sentences. It judges nothing; no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from brokercert.judge.arrow.model import HEARTBEAT, Updates


def seen_of(talk: Updates, limits: Mapping[str, float]) -> Iterator[str]:
    """Of each socket that was upgraded: what its query carried, and its heartbeats."""
    names = talk.edition.credentials
    sockets = [c for c in talk.connections.values() if c.upgraded]
    for number, c in enumerate(sockets, 1):
        where = f"on socket {number} it" if len(sockets) > 1 else "it"
        carried = [f"{name} {value}" for name in names if (value := c.parameter(name))]
        yield f"{where} logged in with {' and '.join(carried) or f'neither {names[0]} nor {names[1]}'}"
        beats = f"{len(c.beats)} heartbeat(s)" if c.beats else "no heartbeat"
        yield f"{where} sent {beats} (`{HEARTBEAT}`) meanwhile; the page has one every {limits['pong_every']:g} s"
