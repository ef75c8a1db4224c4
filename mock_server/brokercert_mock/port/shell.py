"""The connection shell: one `asyncio.Protocol` per TCP connection, for REST and WebSocket on one port.

h11 parses heads. An upgrade goes to the library's sans-I/O frame parser, anything else to the REST handlers. Time is
stamped as the bytes arrive. Whatever bytes a client sends, nothing is raised from here: they are a request, a frame, or
a violation that is recorded and ends the connection.
"""

from __future__ import annotations

import array
import asyncio
import fcntl
import socket
import struct
import termios
from collections.abc import Callable, Sequence
from contextlib import suppress

import h11
from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Side
from websockets.protocol import Protocol as FrameProtocol

from brokercert_mock.port.answers import handshake, last_answer, reason_of
from brokercert_mock.port.budget import BEYOND, Budget
from brokercert_mock.port.host import Host
from brokercert_mock.port.inflow import Inflow
from brokercert_mock.port.rules.turns import UpgradeTurn

MOST_UNREAD = 64 * 1024 * 1024  # bytes that wait for a client which does not read: a dozen of the largest snapshots
PLAIN = "text/plain; charset=utf-8"
DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class Shell(asyncio.Protocol):
    """Bytes in, bytes out, and who ended it."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._ground = host.ground
        self._transport: asyncio.Transport | None = None
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=host.shell_settings.max_head)
        self._budget = Budget(host.shell_settings.each_may_send, self._ground.clock)
        self._ws: FrameProtocol | None = None
        self._foreign: str | None = None  # what a request of a foreign page is answered; None: it is of none
        self._request: h11.Request | None = None
        self._body = b""
        self._rest_count = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._parts: list[bytes] = []
        self._parts_opcode = Opcode.TEXT
        self._parts_count = 0
        self._ours = False  # we ended it
        self._theirs = False  # the client did
        self._said_all = False  # our FIN is out: nothing more can be written, though the client may still speak
        self._reading = False  # requests are being taken from what came
        self._deaf = False  # a dead end: what comes is read and thrown away

    # asyncio's side.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._inflow = Inflow(transport, self._ground.clock, self._take)
        raw = transport.get_extra_info("socket")
        if raw is not None:
            with suppress(OSError):  # the client's RST was faster
                raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = self._host.on_accept(self)
        self._arm_head_timer()

    def data_received(self, data: bytes) -> None:
        self._host.bytes_read += len(data)
        self._inflow.feed(data)

    def _take(self, data: bytes, at: float) -> None:
        if self._deaf:
            return
        with self._ground.guarding():
            if not self._may_send(len(data), 0):
                return
            if self._ws is not None:
                self._ws_bytes(data, at)
            else:
                self._http_bytes(data, at)

    def _may_send(self, size: int, messages: int) -> bool:
        """Whether the client may send so much more. Where not, it is told so, and nothing more is heard of it."""
        for budget, where in ((self._budget, "on one connection"), (self._host.budget, "on all connections")):
            short = budget.take(size, messages)
            if short is not None:
                large = short == "bytes"
                text = f"{BEYOND}: over {getattr(budget.allowance, short)} {short} {where}"
                self._violation(text, 413 if large else 429, 1009 if large else 1008)
                return False
        return True

    def eof_received(self) -> bool:
        self._inflow.finish()
        self._theirs = True
        self._disarm()
        self.connection.ended("client", "fin")
        # A dead server does not answer the client's FIN either; otherwise the transport closes itself.
        return bool(self.connection.silent == "dead")

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ours:
            self._inflow.finish()
        self._disarm()
        if exc is not None and not self._theirs:
            self.connection.ended("client", "rst")
        elif not self._ours and not self._theirs:
            self.connection.ended("client", "fin")
        self._host.on_lost(self)

    # The connection's side.

    @property
    def address(self) -> str:
        """Where the client connects from, without its port."""
        peer = self._transport.get_extra_info("peername") if self._transport is not None else None
        return self._host.machine_of(str(peer[0])) if peer else ""

    @property
    def unread(self) -> int:
        """Bytes that have come and wait to be read; 0 where the system does not tell."""
        raw = self._transport.get_extra_info("socket") if self._transport is not None else None
        if raw is None or raw.fileno() < 0:
            return 0
        count = array.array("i", [0])
        try:
            fcntl.ioctl(raw.fileno(), termios.FIONREAD, count)
        except OSError:
            return 0
        return count[0]

    def write(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or not self._may_write():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > MOST_UNREAD:
            self.connection.unread()

    def _may_write(self) -> bool:
        """Whether the client could still be told anything: what cannot be written is not told in the trace either.
        A transport does not close by its FIN, and raises where it is written to after it.
        """
        return self._transport is not None and not self._transport.is_closing() and not self._said_all

    def half_close(self) -> None:
        """FIN; what the client still sends is read and recorded, so that it meets no RST."""
        self._ours = True
        transport = self._transport
        if transport is None or not self._may_write():
            return
        self._said_all = True
        if transport.can_write_eof():
            with suppress(OSError):  # ENOTCONN: the client's RST is in the kernel already, and is told of next
                transport.write_eof()
        else:
            transport.close()  # TLS has no half-close

    def reset(self) -> None:
        """RST: closing a socket that lingers for no time at all."""
        self._ours = True
        transport = self._transport
        if transport is None:
            return
        raw = transport.get_extra_info("socket")
        if raw is not None:
            with suppress(OSError):  # it is closed already
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    def abort(self) -> None:
        self._ours = True
        if self._transport is not None:
            self._transport.abort()

    def deafen(self) -> None:
        """Read what comes, and throw it away."""
        self._deaf = True

    def pause(self) -> None:
        if self._transport is not None:
            self._inflow.pause()

    # HTTP.

    def _http_bytes(self, data: bytes, at: float) -> None:
        if data:  # an empty one is h11's word for the client's FIN, after which it takes no more
            self._http.receive_data(data)
        self._read_on(at)
        # Behind a request that is not answered yet nothing is read, so that what comes piles up.
        if self._awaited() and len(self._http.trailing_data[0]) > self._host.shell_settings.max_head:
            self._violation("more than a request's head behind a request that is not answered yet", 413)

    def _read_on(self, at: float) -> None:
        """All requests that have come. An answer that is given meanwhile comes back here: the loop that runs goes on
        with the next request, so that a thousand in one segment need no deeper stack than one.
        """
        if self._reading:
            return
        self._reading = True
        try:
            while not self._deaf and self._ws is None and not self._said_all and self._one_event(at):
                continue
        except h11.RemoteProtocolError as error:
            self._violation(str(error), error.error_status_hint)
        finally:
            self._reading = False

    def _one_event(self, at: float) -> bool:
        """The next event of what has come. False: it needs more bytes, or an answer of ours, first."""
        event = self._http.next_event()
        if isinstance(event, h11.Request):
            self._disarm()
            if self._may_send(0, 1):
                self._head(event, at)
        elif isinstance(event, h11.Data):
            self._body += event.data
            if len(self._body) > self._host.shell_settings.max_body:
                raise h11.RemoteProtocolError("body too large", error_status_hint=413)
        elif isinstance(event, h11.EndOfMessage):
            self._rest(at)
        else:  # NEED_DATA, PAUSED, ConnectionClosed
            return False
        return True

    def _head(self, request: h11.Request, at: float) -> None:
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]
        target = request.target.decode("latin-1")
        # By GET alone (RFC 6455 §4.1): any other request that asks for it is a request.
        upgrade = request.method == b"GET" and any(
            k.lower() == "upgrade" and v.strip().lower() == "websocket" for k, v in headers
        )
        self._foreign = self._refusal_of(headers)
        self._host.on_target(target)
        self._ground.recorder.head(at, self.connection.id, request.method.decode(), target, headers, upgrade)
        self._ground.changed()
        if upgrade:
            self._upgrade(target, headers, at)
        else:
            self._request, self._body = request, b""
            if self._http.they_are_waiting_for_100_continue:
                self.write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")

    def _refusal_of(self, headers: list[tuple[str, str]]) -> str | None:
        origins = self._host.origins
        if origins is None:
            return None
        own = self._transport.get_extra_info("sockname") if self._transport is not None else None
        return origins.refusal((v for k, v in headers if k.lower() == "origin"), str(own[0]) if own else "")

    def _rest(self, at: float) -> None:
        request = self._request
        assert request is not None
        self._rest_count += 1
        ordinal = self._rest_count
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in request.headers}
        target = request.target.decode("latin-1")
        body = self._body.decode("utf-8", "replace")
        method = request.method.decode()
        self._ground.recorder.rest_request(at, self.connection.id, ordinal, method, target, body)
        if self._foreign is not None:
            self._answer_rest(ordinal, 403, self._foreign, PLAIN)
            return
        self._host.on_rest_request(
            self.connection,
            method,
            target,
            headers,
            body,
            lambda status, text, kind, more=(): self._answer_rest(ordinal, status, text, kind, more),
        )

    def _answer_rest(
        self, ordinal: int, status: int, text: str, kind: str, more: Sequence[tuple[str, str]] = ()
    ) -> None:
        if not self._may_write() or not self._awaited():
            return
        data = text.encode()
        headers = [("Content-Type", kind), ("Content-Length", str(len(data))), *more]
        self._ground.recorder.rest_answer(self._ground.clock(), self.connection.id, ordinal, status, text)
        assert self._request is not None
        out = self._http.send(h11.Response(status_code=status, headers=headers, reason=reason_of(status))) or b""
        if self._request.method != b"HEAD":
            out += self._http.send(h11.Data(data=data)) or b""
        out += self._http.send(h11.EndOfMessage()) or b""
        self.write(out)
        self._ground.changed()
        if self._http.our_state is h11.MUST_CLOSE:
            self._close()
        else:
            self._next_cycle()

    def _awaited(self) -> bool:
        return self._http.our_state is h11.SEND_RESPONSE

    def _next_cycle(self) -> None:
        """Ready for the next request of a kept-alive connection, which may have arrived already."""
        if (self._http.our_state, self._http.their_state) != (h11.DONE, h11.DONE):
            return
        self._http.start_next_cycle()
        self._read_on(self._ground.clock())

    def _upgrade(self, target: str, headers: list[tuple[str, str]], at: float) -> None:
        self._deaf = True  # until the upgrade is answered: what follows it must not be taken for a request
        if self._foreign is not None:  # before any rule: a page must not use up what was meant for the client
            self._refuse(403, self._foreign, [("Content-Type", PLAIN)])
            return
        turn = UpgradeTurn(
            self.connection,
            refuse=self._refuse,
            close=self._close,
            upgrade=lambda instead: self._answer_upgrade(target, headers, at, instead),
        )
        self._host.on_upgrade_request(turn)

    def _answer_upgrade(
        self, target: str, headers: list[tuple[str, str]], at: float, instead: Callable[[], None] | None
    ) -> None:
        """The broker's own answer. Where it is 101, `instead` is done in place of what the broker then does."""
        if not self._may_write():
            return
        path = target.partition("?")[0].lower().rstrip("/")
        if path != self._host.websocket_path:
            self._refuse(404, "Not found")
            return
        refusal = self._host.refusal(self.connection, target)
        if refusal is not None:
            self._refuse(*refusal)
            return
        agreed = handshake(target, headers, deflate=self._host.deflate)
        if isinstance(agreed, str):
            self._refuse(400, agreed)
            return
        response, extensions = agreed
        self._deaf = False
        self._ws = FrameProtocol(Side.SERVER, state=OPEN, max_size=self._host.shell_settings.max_body)
        self._ws.extensions = self.connection.extensions = extensions
        self.write(response)
        self._ground.recorder.upgrade_answer(self._ground.clock(), self.connection.id, 101)
        self.connection.upgraded_at = self._ground.clock()
        trailing = self._http.trailing_data[0]
        self._host.on_switched(self.connection)
        if instead is None:
            self._host.on_upgraded(self.connection)
        else:
            instead()
        if trailing and self.connection.ended_at is None:
            self._ws_bytes(trailing, at)

    def _close(self) -> None:
        """FIN, without an answer."""
        self.half_close()
        self.connection.ended("broker", "fin")

    def _refuse(self, status: int, body: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        if not self._may_write():
            return
        self.write(last_answer(status, body, headers))
        self._ground.recorder.upgrade_answer(self._ground.clock(), self.connection.id, status)
        self._close()
        self._ground.call_later(2.0, self.abort)  # a client that keeps its side open has had its answer

    # WebSocket.

    def _ws_bytes(self, data: bytes, at: float) -> None:
        ws = self._ws
        assert ws is not None
        ws.receive_data(data)
        for event in ws.events_received():
            assert isinstance(event, Frame)  # the side is past its handshake: there is nothing else
            opcode, payload = event.opcode, bytes(event.data)
            # Compressed, a thousand bytes may be a million: what comes out counts too.
            if not self._may_send(len(payload) if ws.extensions else 0, 1):
                return
            if opcode not in DATA:
                self.connection.received(at, opcode, payload, 1)
                continue
            if opcode is not Opcode.CONT:
                self._parts, self._parts_opcode, self._parts_count = [], opcode, 0
            self._parts.append(payload)
            self._parts_count += 1
            if event.fin:
                whole = b"".join(self._parts)
                self._parts = []
                self._message(at, self._parts_opcode, whole)
        # The library would answer pings and closes by itself; the connection decides that, so its bytes are dropped.
        ws.data_to_send()
        if ws.parser_exc is not None:
            too_big = isinstance(ws.parser_exc, PayloadTooBig)
            self._violation(str(ws.parser_exc), None, 1009 if too_big else 1002)

    def _message(self, at: float, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.TEXT:
            try:
                payload.decode()
            except UnicodeDecodeError as error:
                self._violation(f"text that is no UTF-8: {error.reason}", None)
                return
        self.connection.received(at, opcode, payload, self._parts_count)

    def _violation(self, text: str, status: int | None, code: int = 1002) -> None:
        """The client broke the rules: told, answered where that is possible, and ended: by HTTP's status, or by the
        close code.
        """
        self._deaf = True
        self._ground.recorder.violation(self._ground.clock(), self.connection.id, text)
        if self._ws is not None:
            self.connection.close(code, "")
        else:
            if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                self.write(last_answer(status or 400))
            self._close()
            self._ground.call_later(2.0, self.abort)

    def _arm_head_timer(self) -> None:
        self._head_timer = self._ground.call_later(self._host.shell_settings.head_timeout, self._head_late)

    def _head_late(self) -> None:
        # An idle connection that never said a word is left alone: some clients keep one ready.
        if self._http.their_state is h11.IDLE and self._http.trailing_data[0]:
            self._violation("the request head was not complete in time", 408)

    def _disarm(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
