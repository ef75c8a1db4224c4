"""One connection of a Tradovate client: what was authorized and synced on it, and what the protocol can send."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from brokercert_mock.port.connection import KEPT, AnyConnection
from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.sync import Subscription
from brokercert_mock.tradovate.wire import ClientRequest

if TYPE_CHECKING:
    from brokercert_mock.port.shell import Shell
    from brokercert_mock.tradovate.broker import TradovateBroker
    from brokercert_mock.tradovate.tokens import Token


class Connection(AnyConnection):
    """A TCP connection, and what became of it. Times are seconds of the broker's clock, None: not yet."""

    def __init__(self, broker: TradovateBroker, ident: int, shell: Shell) -> None:
        super().__init__(broker, ident, shell)
        self.broker = broker
        self.open_sent_at: float | None = None
        self.authorized_at: float | None = None
        self.synced_at: float | None = None
        self.token: Token | None = None
        self.sync_body: Any = None
        self.subscription: Subscription | None = None
        self.requests: deque[ClientRequest] = deque(maxlen=KEPT)  # the last ones
        self.leaving = False  # it was told to go

    @property
    def is_authorized(self) -> bool:
        return self.is_open and self.authorized_at is not None

    @property
    def is_synced(self) -> bool:
        return self.is_open and self.synced_at is not None

    # Sending.

    def send_messages(self, messages: Sequence[Any]) -> None:
        """Messages in one `a[...]` frame, or in the frame of the batch that is being made."""
        if not self.broker.events.collects(self, messages):
            self.send_text(frames.pack(messages), messages=len(messages))

    def send_event(self, kind: str, data: Any) -> None:
        self.send_messages([frames.event(kind, data)])

    # Faults.

    def protocol_close(self, code: int = 3000, reason: str = "Go away!", *, then_close: bool = True) -> None:
        """The protocol's own `c[...]`; then FIN half a second later, or the TCP connection left open and silent."""

        def act() -> None:
            self.send_text(frames.close_frame(code, reason))
            if then_close:
                self.later(0.5, self.end_fin)
            else:
                self.silent = "application"

        self.fault(f"c[{code}]", act, reason)

    def shut_down(self, reason: str, text: str = "") -> None:
        """The event `shutdown` with its reason code (and text), `shutdown_lead` later a close frame 1001 (TP §4)."""

        def act() -> None:
            self.leaving = True
            self.send_event("shutdown", {"reasonCode": reason} | ({"reason": text} if text else {}))
            self.later(self.broker.settings.shutdown_lead, lambda: self.close(1001, "Shutdown"))

        self.fault("shutdown", act, reason)

    # What the shell tells.

    def on_text(self, text: str, at: float) -> None:
        if frames.is_heartbeat(text):
            self.heartbeats.append(at)
            return
        request = frames.parse_request(text, at)
        if request is not None and not self.closing:
            self.requests.append(request)
            self.broker.answering.on_socket_request(self, request)
