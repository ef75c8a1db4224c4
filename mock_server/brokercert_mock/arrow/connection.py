"""One connection of an order-updates client: its heartbeats, and the updates that it was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from brokercert_mock.arrow.sessions import Login
from brokercert_mock.port.connection import AnyConnection, Wire
from brokercert_mock.port.ground import Ground

HEARTBEAT = "PONG"  # AR Heartbeat Protocol: what the client sends, whatever its name


class ArrowConnection(AnyConnection):
    """A TCP connection, and what became of it. Times are seconds of the broker's clock."""

    def __init__(self, ground: Ground, ident: int, wire: Wire, close_wait: float) -> None:
        super().__init__(ground, ident, wire, close_wait)
        self.login: Login | None = None
        self.beats: list[float] = []

    def send_update(self, message: Mapping[str, Any]) -> None:
        """One update as it is, right or wrong."""
        self.send_text(json.dumps(message, ensure_ascii=False, separators=(",", ":")))

    def on_text(self, text: str, at: float) -> None:
        if text == HEARTBEAT:
            self.beats.append(at)
