"""WebSocket itself, below the protocol (RFC 6455)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.arrow.bench import BOTH, ArrowBench, check
from brokercert.judge.websocket import answers_pings, keeps_to_frames
from brokercert.verdict import Finding


@check("AOC-050", *BOTH)
def check_frames(bench: ArrowBench) -> Iterator[Finding]:
    """Every frame of the client can be read as RFC 6455 says: masked, of a known kind, its text in UTF-8."""
    yield from keeps_to_frames(bench)


@check("AOC-060", *BOTH)
def check_pongs(bench: ArrowBench) -> Iterator[Finding]:
    """Every ping of the server is answered by a pong that carries what it carried."""
    yield from answers_pings(bench)
