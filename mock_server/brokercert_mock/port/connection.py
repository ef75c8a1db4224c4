"""One client connection as the broker knows it: what was said on it, and what may be done to it.

All faults return at once; what they cause goes on by itself, bounded in time. Each is told to the recorder with the
moments at which it was asked for and took effect.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Literal, Protocol

from websockets.extensions import Extension
from websockets.frames import Frame, Opcode

from brokercert_mock.port.faults import Fault
from brokercert_mock.port.ground import KEPT, Ground

IN_PARTS = "in-parts"  # the name by which that is told
BETWEEN = b"between two frames of a message"
NO_CODE = 1005  # how RFC 6455 §7.4.1 calls a close frame without a code
FIN_WAIT = 5.0  # seconds that a half-closed connection is read on, at most, before it is closed for good


class Wire(Protocol):
    """The TCP connection under it."""

    @property
    def address(self) -> str:
        """Where the client connects from, without its port."""
        ...

    def write(self, data: bytes) -> None: ...

    def half_close(self) -> None:
        """FIN; what the client still sends is read."""

    def reset(self) -> None:
        """RST."""

    def abort(self) -> None:
        """Close at once."""

    def pause(self) -> None:
        """Read nothing more, for good."""


class AnyConnection:
    """A TCP connection of any dialect, and what became of it. Times: seconds of the broker's clock, None: not yet.

    `close_wait` is how many seconds the echo of a close frame is waited for.
    """

    def __init__(self, ground: Ground, ident: int, wire: Wire, close_wait: float) -> None:
        self._ground = ground
        self.id = ident
        self._wire = wire
        self._close_wait = close_wait
        self.address = wire.address
        self.accepted_at = ground.clock()
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
        self.extensions: list[Extension] = []  # that its upgrade agreed on
        self._most = 0  # bytes of a frame; 0: each message is one
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
            self._ground.recorder.raw(self._ground.clock(), self.id, data)
            self._wire.write(data)

    def write_prepared(self, data: bytes) -> tuple[float, int, int]:
        """Write a frame of one message that was made before, and say nothing of it: (when, its ordinal, its message's).
        Whoever does so tells the recorder later.
        """
        self._ordinals["broker"] += 1
        self._messages += 1
        at = self.last_sent_at = self._ground.clock()
        self._wire.write(data)
        return at, self._ordinals["broker"], self._messages

    async def ping(self, within: float) -> bool:
        """A ping; whether a pong came within so many seconds."""
        sent = self._ground.clock()
        self.send_ping()
        return await self._ground.wait(lambda: any(t >= sent for t in self.pongs), within)

    def _may_send(self) -> bool:
        return self.is_open and self.silent is None

    def in_parts(self, most: int) -> None:
        """From here on a text of more than so many bytes comes in frames of so many, with a ping behind the first
        (RFC 6455 §5.4); 0: whole again.
        """
        self._most = most
        self._ground.tell_rule(IN_PARTS, self.id, f"{most} bytes" if most else "whole again")

    def _write(self, opcode: Opcode, payload: bytes, first_message: int = 0) -> None:
        at = self._ground.clock()
        most = self._most if opcode is Opcode.TEXT and self._most else max(1, len(payload))
        first, *more = [payload[start : start + most] for start in range(0, max(1, len(payload)), most)]
        self._tell(at, "broker", opcode, payload, fragments=1 + len(more), first_message=first_message)
        if opcode in (Opcode.TEXT, Opcode.BINARY):  # a pong is no data: a client that pings gets its `h` all the same
            self.last_sent_at = at
        self._write_frame(Frame(opcode, first, fin=not more))
        if more:
            self._tell(at, "broker", Opcode.PING, BETWEEN)
            self._write_frame(Frame(Opcode.PING, BETWEEN))
        for number, part in enumerate(more, 1):
            self._write_frame(Frame(Opcode.CONT, part, fin=number == len(more)))
        self._ground.changed()

    def _write_frame(self, frame: Frame) -> None:
        # Not masked, and not compressed unless that was agreed on. Made by hand from the library's own frame, so that
        # scripted frames may follow a close or carry what the library would refuse.
        self._wire.write(frame.serialize(mask=False, extensions=self.extensions))

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
        self._ground.recorder.frame(
            at, self.id, sender, self._ordinals[sender], int(opcode), payload, fragments, first_message
        )

    # Faults.

    def fin(self) -> None:
        """End the connection with FIN, without a close frame."""
        self.fault(Fault.FIN, self.end_fin)

    def rst(self) -> None:
        """End the connection with RST."""
        self.fault(Fault.RST, self._reset)

    def unread(self) -> None:
        """The client leaves too much unread: it is told so, and ended, since memory has an end too."""
        self.fault(Fault.UNREAD, self._reset, "the client does not read what it is sent")

    def _reset(self) -> None:
        self.closing = True
        self._wire.reset()
        self.ended("broker", "rst")

    def close(self, code: int | None, reason: str = "") -> None:
        """A close frame, without a code and reason for None; FIN when it is echoed, or after `close_wait` seconds."""

        def act() -> None:
            if not self.closing:
                self._send_close(b"" if code is None else code.to_bytes(2, "big") + reason.encode())
                self.later(self._close_wait, self.end_fin)

        self.fault(f"{Fault.CLOSE}{NO_CODE if code is None else code}", act, reason)

    def go_silent(self, kind: Literal["application", "dead"]) -> None:
        """Say nothing more: *application*: but pongs and close echoes; *dead*: nothing at all. Reading goes on."""

        def act() -> None:
            self.silent = kind

        self.fault(f"{Fault.SILENT}{kind}", act)

    def half_open(self) -> None:
        """Neither read nor write any more, without ending the TCP connection."""

        def act() -> None:
            self.silent = "dead"
            self._wire.pause()

        self.fault(Fault.HALF_OPEN, act)

    def stop_reading(self) -> None:
        """Hear nothing more, and go on speaking: the way up is dead, the way down is not."""
        self.fault(Fault.DEAF, self._wire.pause)

    def stop_mid_frame(self, text: str, *, keep: int, fin: bool = False) -> None:
        """Write the first `keep` bytes of a frame and nothing more; then FIN, or silence."""

        def act() -> None:
            if self.is_open:
                data = Frame(Opcode.TEXT, text.encode()).serialize(mask=False)[:keep]
                self._ground.recorder.raw(self._ground.clock(), self.id, data)
                self._wire.write(data)
            if fin:
                self.end_fin()
            else:
                self.silent = "dead"

        self.fault(Fault.MID_FRAME, act)

    def fault(self, name: str, act: Any, detail: str = "") -> None:
        if self.ended_at is not None:
            return
        requested = self._ground.clock()
        act()
        self._ground.recorder.fault(requested, self._ground.clock(), str(name), self.id, detail)
        self._ground.changed()

    def _send_close(self, payload: bytes) -> None:
        self._write(Opcode.CLOSE, payload)
        self.closing = True

    def end_fin(self) -> None:
        if self.ended_at is not None and self.ended_by == "broker":
            return
        self.closing = True
        self._wire.half_close()
        self.ended("broker", "fin")
        self.later(FIN_WAIT, self._wire.abort)

    def later(self, delay: float, act: Any) -> None:
        self._ground.call_later(delay, act)

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
        self._ground.changed()

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
        at = self._ground.clock()
        if by == "broker" and self.ended_by == "broker":
            return
        if self.ended_at is None:
            self.ended_at, self.ended_by = at, by
        self._ground.recorder.ended(at, self.id, by, how)
        self._ground.changed()
