"""What a client may send: so much at once, and from then on so much a second. A broker bounds it too, or one client
fills its memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from brokercert_mock.port.pace import Clock

BEYOND = "more than a client may send"  # what the violation's text begins with; the judge knows it by that


@dataclass(frozen=True, slots=True)
class Allowance:
    """Bytes and messages. A message is a WebSocket frame or a REST request."""

    bytes: int
    messages: int
    bytes_a_second: int
    messages_a_second: int


class Budget:
    """What is left of an allowance. It grows with the time, and never beyond what it was at first."""

    def __init__(self, allowance: Allowance, clock: Clock) -> None:
        self.allowance = allowance
        self._clock = clock
        self._at = clock()
        self._bytes: float = allowance.bytes
        self._messages: float = allowance.messages

    def take(self, size: int, messages: int) -> Literal["bytes", "messages"] | None:
        """Take so many bytes and messages. Returns what there is not enough of; None: there was enough."""
        now = self._clock()
        passed, self._at = now - self._at, now
        allowance = self.allowance
        self._bytes = min(allowance.bytes, self._bytes + passed * allowance.bytes_a_second) - size
        self._messages = min(allowance.messages, self._messages + passed * allowance.messages_a_second) - messages
        # What was refused is not owed: a client that goes on gets no less than the rate.
        short: Literal["bytes", "messages"] | None = (
            "bytes" if self._bytes < 0 else "messages" if self._messages < 0 else None
        )
        self._bytes, self._messages = max(0.0, self._bytes), max(0.0, self._messages)
        return short
