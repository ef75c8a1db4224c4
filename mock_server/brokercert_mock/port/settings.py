"""How the shell of any broker behaves, where no document says so: each value is a setting, and marked [ours]."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnySettings:
    """How the shell of any broker behaves. Times in seconds."""

    close_wait: float = 3.0
    """How long the broker waits for the echo of its close frame before it sends FIN [ours; judged: 5 s at most]."""
    head_timeout: float = 10.0
    """An incomplete request head is given up after so long [ours]."""
    max_head: int = 64 * 1024
    """Bytes of a request head [ours: four times what the usual servers take]."""
    max_body: int = 1024 * 1024
    """Bytes of a REST body or a client's WebSocket message [ours]."""
