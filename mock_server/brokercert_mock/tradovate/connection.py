"""One connection of a Tradovate client: what was authorized and synced on it, and what the protocol can send."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from brokercert_mock.port.connection import AnyConnection, Wire
from brokercert_mock.port.ground import KEPT, Ground
from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.batch import Batches
from brokercert_mock.tradovate.sessions.tokens import Token
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.sync import Subscription
from brokercert_mock.tradovate.told import Told, TradovateFault
from brokercert_mock.tradovate.wire import ClientRequest


class Connection(AnyConnection):
    """A TCP connection, and what became of it. Times are seconds of the broker's clock, None: not yet.

    `on_request` is told of every request on it.
    """

    def __init__(
        self,
        ground: Ground,
        ident: int,
        wire: Wire,
        settings: Settings,
        batches: Batches,
        on_request: Callable[[Connection, ClientRequest], None],
    ) -> None:
        super().__init__(ground, ident, wire, settings.close_wait)
        self._shutdown_lead = settings.shutdown_lead
        self._batches = batches
        self._on_request = on_request
        self.open_sent_at: float | None = None
        self.authorized_at: float | None = None
        self.synced_at: float | None = None
        self.token: Token | None = None
        self.for_markets = False  # it authorized with the token for market data
        self.sync_body: Any = None
        self.subscription: Subscription | None = None
        self.requests: deque[ClientRequest] = deque(maxlen=KEPT)  # the last ones
        self.leaving = False  # it was told to go
        self._spaced = False

    @property
    def is_authorized(self) -> bool:
        return self.is_open and self.authorized_at is not None

    @property
    def is_synced(self) -> bool:
        return self.is_open and self.synced_at is not None

    # Sending.

    def send_messages(self, messages: Sequence[Any]) -> None:
        """Messages in one `a[...]` frame, or in the frame of the batch that is being made."""
        if not self._batches.collects(self, messages):
            self.send_text(frames.pack(messages, spaced=self._spaced), messages=len(messages))

    def in_spaces(self, spaced: bool = True) -> None:
        """From here on its messages have white space, and their members another order (RFC 8259 §2, §4)."""
        self._spaced = spaced
        self._ground.tell_rule(
            Told.IN_SPACES.value, self.id, "white space between tokens" if spaced else "compact again"
        )

    def send_event(self, kind: str, data: Any) -> None:
        self.send_messages([frames.event(kind, data)])

    # Faults.

    def protocol_close(
        self,
        code: int = 3000,
        reason: str = "Go away!",
        *,
        then_close: bool = True,
        times: int = 1,
        spaced: bool = False,
    ) -> None:
        """The protocol's own `c[...]`, which may come several `times`, with a space in it or without (TP §1.1); then
        FIN half a second later, or the TCP connection left open and silent.
        """

        def act() -> None:
            for _ in range(times):
                self.send_text(frames.close_frame(code, reason, spaced=spaced))
            if then_close:
                self.later(0.5, self.end_fin)
            else:
                self.silent = "application"

        self.fault(f"{TradovateFault.PROTOCOL_CLOSE}{code}]", act, reason)

    def shut_down(self, reason: str, text: str = "") -> None:
        """The event `shutdown` with its reason code (and text), `shutdown_lead` later a close frame 1001 (TP §4)."""

        def act() -> None:
            self.leaving = True
            self.send_event("shutdown", {"reasonCode": reason} | ({"reason": text} if text else {}))
            self.later(self._shutdown_lead, lambda: self.close(1001, "Shutdown"))

        self.fault(TradovateFault.SHUTDOWN, act, reason)

    # What the shell tells.

    def on_text(self, text: str, at: float) -> None:
        if frames.is_heartbeat(text):
            self.heartbeats.append(at)
            return
        request = frames.parse_request(text, at)
        if request is not None and not self.closing:
            self.requests.append(request)
            self._on_request(self, request)
