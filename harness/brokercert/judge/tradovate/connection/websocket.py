"""WebSocket itself, below the protocol (RFC 6455)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.websocket import answers_pings, keeps_to_frames
from brokercert.verdict import Finding


@check("CON-060")
def check_frames(bench: Bench) -> Iterator[Finding]:
    """Every frame of the client can be read as RFC 6455 says: masked, of a known kind, its text in UTF-8."""
    yield from keeps_to_frames(bench)


@check("CON-070")
def check_pongs(bench: Bench) -> Iterator[Finding]:
    """Every ping of the server is answered by a pong that carries what it carried."""
    yield from answers_pings(bench)
