"""One client connection as the broker knows it: what was said on it, and what may be done to it.

All faults return at once; what they cause goes on by itself, bounded in time. Each is told to the recorder with the
moments at which it was asked for and took effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from websockets.frames import Frame, Opcode

from brokercert_mock import frames
from brokercert_mock.frames import ClientRequest
from brokercert_mock.sync import Subscription

if TYPE_CHECKING:
    from brokercert_mock.broker import TradovateBroker
    from brokercert_mock.shell import Shell
    from brokercert_mock.tokens import Token

FIN_WAIT = 5.0  # seconds that a half-closed connection is read on, at most, before it is closed for good


class Connection:
    """A TCP connection, and what became of it. Times are seconds of the broker's clock, None: not yet."""

    def __init__(self, broker: TradovateBroker, ident: int, shell: Shell) -> None:
        self.broker = broker
        self.id = ident
        self._shell = shell
        self.address = shell.address
        self.accepted_at = broker.clock()
        self.upgraded_at: float | None = None
        self.open_sent_at: float | None = None
        self.authorized_at: float | None = None
        self.synced_at: float | None = None
        self.ended_at: float | None = None
        self.ended_by: str | None = None
        self.token: Token | None = None
        self.sync_body: Any = None
        self.subscription: Subscription | None = None
        self.requests: list[ClientRequest] = []
        self.heartbeats: list[float] = []
        self.pongs: list[float] = []
        self.last_sent_at = self.accepted_at
        self.last_beat_at = self.accepted_at
        self.last_received_at = self.accepted_at
        self.silent: Literal["application", "dead"] | None = None
        self.closing = False
        self.leaving = False  # it was told to go
        self._ordinals = {"client": 0, "broker": 0}
        self._messages = 0

    @property
    def is_open(self) -> bool:
        """Upgraded, and no side has begun to end it."""
        return self.upgraded_at is not None and self.ended_at is None and not self.closing

    @property
    def is_authorized(self) -> bool:
        return self.is_open and self.authorized_at is not None

    @property
    def is_synced(self) -> bool:
        return self.is_open and self.synced_at is not None

    # Sending.

    def send_text(self, text: str, *, messages: int = 0) -> None:
        """One text frame; `messages` is how many elements of an `a[...]` it carries."""
        if not self._may_send():
            return
        first = self._messages + 1 if messages else 0
        self._messages += messages
        self._write(Opcode.TEXT, text.encode("utf-8", "surrogatepass"), first)

    def send_messages(self, messages: Sequence[Any]) -> None:
        """Messages in one `a[...]` frame, or in the frame of the batch that is being made."""
        if not self.broker.events.collects(self, messages):
            self.send_text(frames.pack(messages), messages=len(messages))

    def send_event(self, kind: str, data: Any) -> None:
        self.send_messages([frames.event(kind, data)])

    def send_binary(self, data: bytes) -> None:
        if self._may_send():
            self._write(Opcode.BINARY, data)

    def send_ping(self, data: bytes = b"alive?") -> None:
        if self._may_send():
            self._write(Opcode.PING, data)

    def send_raw(self, data: bytes) -> None:
        """These bytes, well-formed or not."""
        if self._may_send():
            self.broker.recorder.raw(self.broker.clock(), self.id, data)
            self._shell.write(data)

    async def ping(self, within: float) -> bool:
        """A ping; whether a pong came within so many seconds."""
        sent = self.broker.clock()
        self.send_ping()
        return await self.broker.wait(lambda _: any(t >= sent for t in self.pongs), within)

    def _may_send(self) -> bool:
        return self.is_open and self.silent is None

    def _write(self, opcode: Opcode, payload: bytes, first_message: int = 0) -> None:
        at = self.broker.clock()
        self._tell(at, "broker", opcode, payload, first_message=first_message)
        self.last_sent_at = at
        # Not masked, not compressed: the frame is the payload behind two to ten bytes. Made by hand from the
        # library's own frame, so that scripted frames may follow a close or carry what the library would refuse.
        self._shell.write(Frame(opcode, payload).serialize(mask=False))
        self.broker.changed()

    def _tell(
        self,
        at: float,
        sender: Literal["client", "broker"],
        opcode: int,
        payload: bytes,
        *,
        fragments: int = 1,
        first_message: int = 0,
    ) -> None:
        self._ordinals[sender] += 1
        self.broker.recorder.frame(
            at, self.id, sender, self._ordinals[sender], int(opcode), payload, fragments, first_message
        )

    # Faults.

    def fin(self) -> None:
        """End the connection with FIN, without a close frame."""
        self._fault("fin", self._end_fin)

    def rst(self) -> None:
        """End the connection with RST."""

        def act() -> None:
            self.closing = True
            self._shell.reset()
            self.ended("broker", "rst")

        self._fault("rst", act)

    def close(self, code: int, reason: str = "") -> None:
        """A close frame; FIN when it is echoed, or after `close_wait` seconds."""

        def act() -> None:
            if not self.closing:
                self._send_close(code.to_bytes(2, "big") + reason.encode())
                self._later(self.broker.settings.close_wait, self._end_fin)

        self._fault(f"close-{code}", act, reason)

    def protocol_close(self, code: int = 3000, reason: str = "Go away!", *, then_close: bool = True) -> None:
        """The protocol's own `c[...]`; then FIN half a second later, or the TCP connection left open and silent."""

        def act() -> None:
            self.send_text(frames.close_frame(code, reason))
            if then_close:
                self._later(0.5, self._end_fin)
            else:
                self.silent = "application"

        self._fault(f"c[{code}]", act, reason)

    def shut_down(self, reason: str, text: str = "") -> None:
        """The event `shutdown` with its reason code (and text), `shutdown_lead` later a close frame 1001 (TP §4)."""

        def act() -> None:
            self.leaving = True
            self.send_event("shutdown", {"reasonCode": reason} | ({"reason": text} if text else {}))
            self._later(self.broker.settings.shutdown_lead, lambda: self.close(1001, "Shutdown"))

        self._fault("shutdown", act, reason)

    def go_silent(self, kind: Literal["application", "dead"]) -> None:
        """Say nothing more: *application*: but pongs and close echoes; *dead*: nothing at all. Reading goes on."""

        def act() -> None:
            self.silent = kind

        self._fault(f"silent-{kind}", act)

    def half_open(self) -> None:
        """Neither read nor write any more, without ending the TCP connection."""

        def act() -> None:
            self.silent = "dead"
            self._shell.pause()

        self._fault("half-open", act)

    def stop_mid_frame(self, text: str, *, keep: int, fin: bool = False) -> None:
        """Write the first `keep` bytes of a frame and nothing more; then FIN, or silence."""

        def act() -> None:
            if self.is_open:
                data = Frame(Opcode.TEXT, text.encode()).serialize(mask=False)[:keep]
                self.broker.recorder.raw(self.broker.clock(), self.id, data)
                self._shell.write(data)
            if fin:
                self._end_fin()
            else:
                self.silent = "dead"

        self._fault("mid-frame", act)

    def _fault(self, name: str, act: Any, detail: str = "") -> None:
        if self.ended_at is not None:
            return
        requested = self.broker.clock()
        act()
        self.broker.recorder.fault(requested, self.broker.clock(), name, self.id, detail)
        self.broker.changed()

    def _send_close(self, payload: bytes) -> None:
        self._write(Opcode.CLOSE, payload)
        self.closing = True

    def _end_fin(self) -> None:
        if self.ended_at is not None and self.ended_by == "broker":
            return
        self.closing = True
        self._shell.half_close()
        self.ended("broker", "fin")
        self._later(FIN_WAIT, self._shell.abort)

    def _later(self, delay: float, act: Any) -> None:
        self.broker.call_later(delay, act)

    # What the shell tells.

    def received(self, at: float, opcode: int, payload: bytes, fragments: int) -> None:
        """A complete message or control frame of the client."""
        self.last_received_at = at
        self._tell(at, "client", opcode, payload, fragments=fragments)
        if opcode == Opcode.PONG:
            self.pongs.append(at)
        elif opcode == Opcode.PING and self.silent != "dead" and self.is_open:
            self._write(Opcode.PONG, payload)
        elif opcode == Opcode.CLOSE:
            self._client_close(payload)
        elif opcode == Opcode.TEXT:
            self._text(payload.decode(), at)
        self.broker.changed()

    def _client_close(self, payload: bytes) -> None:
        if self.silent == "dead":
            return
        if not self.closing:
            self._send_close(payload[:2])
        self._end_fin()

    def _text(self, text: str, at: float) -> None:
        if frames.is_heartbeat(text):
            self.heartbeats.append(at)
            return
        request = frames.parse_request(text, at)
        if request is not None and not self.closing:
            self.requests.append(request)
            self.broker.answering.on_socket_request(self, request)

    def ended(self, by: Literal["client", "broker"], how: Literal["fin", "rst"]) -> None:
        """One side ended the TCP connection."""
        at = self.broker.clock()
        if by == "broker" and self.ended_by == "broker":
            return
        if self.ended_at is None:
            self.ended_at, self.ended_by = at, by
        self.broker.recorder.ended(at, self.id, by, how)
        self.broker.changed()

    def abort(self) -> None:
        """Close at once, without any care: for the broker's own end."""
        self._shell.abort()
