"""One client connection as the broker knows it: what was said on it, and what may be done to it.

All faults return at once; what they cause goes on by itself, bounded in time. Each is told to the recorder with the
moments at which it was asked for and took effect.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from websockets.frames import Frame, Opcode

if TYPE_CHECKING:
    from brokercert_mock.port.broker import AnyBroker
    from brokercert_mock.port.shell import Shell

KEPT = 1_000  # of anything that a broker left to run would gather: far more than a scenario makes
FIN_WAIT = 5.0  # seconds that a half-closed connection is read on, at most, before it is closed for good


class AnyConnection:
    """A TCP connection of any dialect, and what became of it. Times: seconds of the broker's clock, None: not yet."""

    def __init__(self, broker: AnyBroker[Any], ident: int, shell: Shell) -> None:
        self._broker = broker
        self.id = ident
        self._shell = shell
        self.address = shell.address
        self.accepted_at = broker.clock()
        self.upgraded_at: float | None = None
        self.ended_at: float | None = None
        self.ended_by: str | None = None
        self.heartbeats: deque[float] = deque(maxlen=KEPT)
        self.pongs: deque[float] = deque(maxlen=KEPT)
        self.last_sent_at = self.accepted_at
        self.last_beat_at = self.accepted_at
        self.last_received_at = self.accepted_at
        self.silent: Literal["application", "dead"] | None = None
        self.closing = False
        self._ordinals = {"client": 0, "broker": 0}
        self._messages = 0

    @property
    def is_open(self) -> bool:
        """Upgraded, and no side has begun to end it."""
        return self.upgraded_at is not None and self.ended_at is None and not self.closing

    # Sending.

    def send_text(self, text: str, *, messages: int = 0) -> None:
        """One text frame; `messages` is how many elements of an `a[...]` it carries."""
        if not self._may_send():
            return
        first = self._messages + 1 if messages else 0
        self._messages += messages
        self._write(Opcode.TEXT, text.encode("utf-8", "surrogatepass"), first)

    def send_binary(self, data: bytes) -> None:
        if self._may_send():
            self._write(Opcode.BINARY, data)

    def send_ping(self, data: bytes = b"alive?") -> None:
        if self._may_send():
            self._write(Opcode.PING, data)

    def send_raw(self, data: bytes) -> None:
        """These bytes, well-formed or not."""
        if self._may_send():
            self._broker.recorder.raw(self._broker.clock(), self.id, data)
            self._shell.write(data)

    def write_prepared(self, data: bytes) -> tuple[float, int, int]:
        """Write a frame of one message that was made before, and say nothing of it: (when, its ordinal, its message's).
        Whoever does so tells the recorder later.
        """
        self._ordinals["broker"] += 1
        self._messages += 1
        at = self.last_sent_at = self._broker.clock()
        self._shell.write(data)
        return at, self._ordinals["broker"], self._messages

    async def ping(self, within: float) -> bool:
        """A ping; whether a pong came within so many seconds."""
        sent = self._broker.clock()
        self.send_ping()
        return await self._broker.wait(lambda _: any(t >= sent for t in self.pongs), within)

    def _may_send(self) -> bool:
        return self.is_open and self.silent is None

    def _write(self, opcode: Opcode, payload: bytes, first_message: int = 0) -> None:
        at = self._broker.clock()
        self._tell(at, "broker", opcode, payload, first_message=first_message)
        self.last_sent_at = at
        # Not masked, not compressed: the frame is the payload behind two to ten bytes. Made by hand from the
        # library's own frame, so that scripted frames may follow a close or carry what the library would refuse.
        self._shell.write(Frame(opcode, payload).serialize(mask=False))
        self._broker.changed()

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
        self._broker.recorder.frame(
            at, self.id, sender, self._ordinals[sender], int(opcode), payload, fragments, first_message
        )

    # Faults.

    def fin(self) -> None:
        """End the connection with FIN, without a close frame."""
        self.fault("fin", self.end_fin)

    def rst(self) -> None:
        """End the connection with RST."""
        self.fault("rst", self._reset)

    def unread(self) -> None:
        """The client leaves too much unread: it is told so, and ended, since memory has an end too."""
        self.fault("unread", self._reset, "the client does not read what it is sent")

    def _reset(self) -> None:
        self.closing = True
        self._shell.reset()
        self.ended("broker", "rst")

    def close(self, code: int, reason: str = "") -> None:
        """A close frame; FIN when it is echoed, or after `close_wait` seconds."""

        def act() -> None:
            if not self.closing:
                self._send_close(code.to_bytes(2, "big") + reason.encode())
                self.later(self._broker.shell_settings.close_wait, self.end_fin)

        self.fault(f"close-{code}", act, reason)

    def go_silent(self, kind: Literal["application", "dead"]) -> None:
        """Say nothing more: *application*: but pongs and close echoes; *dead*: nothing at all. Reading goes on."""

        def act() -> None:
            self.silent = kind

        self.fault(f"silent-{kind}", act)

    def half_open(self) -> None:
        """Neither read nor write any more, without ending the TCP connection."""

        def act() -> None:
            self.silent = "dead"
            self._shell.pause()

        self.fault("half-open", act)

    def stop_reading(self) -> None:
        """Hear nothing more, and go on speaking: the way up is dead, the way down is not."""
        self.fault("deaf", self._shell.pause)

    def stop_mid_frame(self, text: str, *, keep: int, fin: bool = False) -> None:
        """Write the first `keep` bytes of a frame and nothing more; then FIN, or silence."""

        def act() -> None:
            if self.is_open:
                data = Frame(Opcode.TEXT, text.encode()).serialize(mask=False)[:keep]
                self._broker.recorder.raw(self._broker.clock(), self.id, data)
                self._shell.write(data)
            if fin:
                self.end_fin()
            else:
                self.silent = "dead"

        self.fault("mid-frame", act)

    def fault(self, name: str, act: Any, detail: str = "") -> None:
        if self.ended_at is not None:
            return
        requested = self._broker.clock()
        act()
        self._broker.recorder.fault(requested, self._broker.clock(), name, self.id, detail)
        self._broker.changed()

    def _send_close(self, payload: bytes) -> None:
        self._write(Opcode.CLOSE, payload)
        self.closing = True

    def end_fin(self) -> None:
        if self.ended_at is not None and self.ended_by == "broker":
            return
        self.closing = True
        self._shell.half_close()
        self.ended("broker", "fin")
        self.later(FIN_WAIT, self._shell.abort)

    def later(self, delay: float, act: Any) -> None:
        self._broker.call_later(delay, act)

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
            self.on_text(payload.decode(), at)
        self._broker.changed()

    def _client_close(self, payload: bytes) -> None:
        if self.silent == "dead":
            return
        if not self.closing:
            self._send_close(payload[:2])
        self.end_fin()

    def on_text(self, text: str, at: float) -> None:
        """A text message of the client's: what it means, the dialect knows."""
        raise NotImplementedError

    def ended(self, by: Literal["client", "broker"], how: Literal["fin", "rst"]) -> None:
        """One side ended the TCP connection."""
        at = self._broker.clock()
        if by == "broker" and self.ended_by == "broker":
            return
        if self.ended_at is None:
            self.ended_at, self.ended_by = at, by
        self._broker.recorder.ended(at, self.id, by, how)
        self._broker.changed()

    def abort(self) -> None:
        """Close at once, without any care: for the broker's own end."""
        self._shell.abort()
