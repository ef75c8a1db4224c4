"""What a mock broker tells whoever records it.

The broker calls these methods as things happen; it knows nothing of traces, checks or files. Every argument is a
primitive. Times are seconds on the broker's own clock (`asyncio` loop time); an incoming record is stamped as the
bytes arrive, an outgoing one just before the write. `conn` numbers TCP connections from 1 in the order of accepting.
Ordinals count complete WebSocket messages and control frames per connection and direction, from 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

Side = Literal["client", "broker"]
Ending = Literal["fin", "rst"]


class Recorder(Protocol):
    """The broker's only way to say what happened."""

    def secret(self, kind: str, value: str) -> None:
        """From here on `value` is a secret of this kind (`access-token`, `md-token`, `password`, `p-ticket`, ...)."""
        return None

    def accepted(self, at: float, conn: int) -> None:
        """A TCP connection was accepted."""
        return None

    def head(
        self, at: float, conn: int, method: str, target: str, headers: Sequence[tuple[str, str]], upgrade: bool
    ) -> None:
        """A request head is complete; `upgrade` tells a WebSocket upgrade from a REST request."""
        return None

    def upgrade_answer(self, at: float, conn: int, status: int) -> None:
        """The answer to an upgrade was written: 101, or the refusal's status."""
        return None

    def rest_request(self, at: float, conn: int, ordinal: int, method: str, target: str, body: str) -> None:
        """A REST request is complete, body included (its head was told by `head`)."""
        return None

    def rest_answer(self, at: float, conn: int, ordinal: int, status: int, body: str) -> None:
        """The answer to a REST request was written."""
        return None

    def frame(
        self,
        at: float,
        conn: int,
        sender: Side,
        ordinal: int,
        opcode: int,
        payload: bytes,
        fragments: int = 1,
        first_message: int = 0,
    ) -> None:
        """A complete message (opcode 1, 2) or control frame (8, 9, 10).

        `fragments` is how many frames carried it. `first_message` is, for a broker's `a[...]`, the ordinal on the
        connection of its first array element (from 1), else 0.
        """
        return None

    def raw(self, at: float, conn: int, data: bytes) -> None:
        """The broker wrote bytes that are no well-formed frame (a hostile or unfinished one)."""
        return None

    def violation(self, at: float, conn: int, text: str) -> None:
        """The client's bytes broke HTTP or WebSocket rules; the broker fails the connection."""
        return None

    def ended(self, at: float, conn: int, by: Side, how: Ending) -> None:
        """One side ended the TCP connection. Both sides may be told of, in the order seen."""
        return None

    def rule(self, at: float, name: str, conn: int, detail: str) -> None:
        """A scripted rule was applied (conn 0: to no connection in particular)."""
        return None

    def rule_unused(self, at: float, name: str) -> None:
        """A scripted rule was never triggered."""
        return None

    def withheld(self, at: float, what: str, conn: int) -> None:
        """The broker keeps `what` (`o`, `authorize`, `user/syncrequest`, ...) back on this connection."""
        return None

    def released(self, at: float, what: str, conn: int) -> None:
        """What was withheld is let go; it is written right after."""
        return None

    def fault(self, requested: float, acknowledged: float, name: str, conn: int, detail: str) -> None:
        """A fault of the broker's own shell was requested and took effect (conn 0: all or none)."""
        return None

    def load(self, at: float, asked: float, reached: float, sent: int, dropped: int) -> None:
        """A stream of events falls short of its rate: this machine cannot make it. Told at most once a second.

        `asked` and `reached` are events a second since the stream began, to each socket; so far `sent` were written and
        `dropped` never will be. A stream that keeps its rate tells nothing.
        """
        return None

    def ledger(self, at: float, name: str, state: Mapping[str, object]) -> None:
        """The broker's own state at a point of comparison."""
        return None


class NullRecorder(Recorder):
    """Records nothing: for a broker that is served by hand. The protocol's own methods do nothing."""
