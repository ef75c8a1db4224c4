"""How the shell of any broker behaves, where no document says so: each value is a setting, and marked [ours]."""

from __future__ import annotations

from dataclasses import dataclass

from brokercert_mock.port.budget import Allowance

EACH_MAY_SEND = Allowance(16 * 1024 * 1024, 50_000, bytes_a_second=64 * 1024, messages_a_second=200)
ALL_MAY_SEND = Allowance(64 * 1024 * 1024, 200_000, bytes_a_second=256 * 1024, messages_a_second=800)


@dataclass(frozen=True, slots=True)
class AnySettings:
    """How the shell of any broker behaves. Times in seconds."""

    close_wait: float = 3.0
    """How long the broker waits for the echo of its close frame before it sends FIN [ours; judged: 5 s at most]."""
    head_timeout: float = 10.0
    """An incomplete request head is given up after so long [ours]."""
    deflate: bool = False
    """Whether an offer of permessage-deflate is accepted [RFC 7692 leaves it to the server; declined: ours]."""
    max_head: int = 64 * 1024
    """Bytes of a request head [ours: four times what the usual servers take]."""
    max_body: int = 1024 * 1024
    """Bytes of a REST body or a client's WebSocket message [ours]."""
    each_may_send: Allowance = EACH_MAY_SEND
    """On one connection [ours: sixteen of the largest messages, where a request has some 300 bytes; and each second
    hundreds of times what heartbeats and orders need]. Beyond it the broker closes, with 1009 or 1008."""
    all_may_send: Allowance = ALL_MAY_SEND
    """On all connections together, so in one trace [ours: four connections that use all they may; it keeps a trace in
    memory below 300 MB]. Beyond it each connection that sends is closed."""
