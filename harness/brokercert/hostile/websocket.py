"""Violations of RFC 6455, as bytes from a server: not masked, no extension negotiated.

Each is a whole frame (or two), so that a client which lets it pass finds the next frame where it should be.
"""

from __future__ import annotations

from random import Random

import msgspec

from brokercert.hostile.edits import SNOWMAN, one_of
from brokercert.hostile.model import defect
from brokercert.hostile.valid import message

FIN, TEXT, BINARY, CLOSE, PING, PONG = 0x80, 0x1, 0x2, 0x8, 0x9, 0xA
_encode = msgspec.json.Encoder().encode


def frame(first: int, payload: bytes, *, mask: bytes = b"") -> bytes:
    """A frame whose first byte is `first`, whatever that says."""
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head = bytes((first, bit | len(payload)))
    elif len(payload) < 1 << 16:
        head = bytes((first, bit | 126)) + len(payload).to_bytes(2, "big")
    else:
        head = bytes((first, bit | 127)) + len(payload).to_bytes(8, "big")
    if mask:
        payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return head + mask + payload


def _event(rng: Random) -> bytes:
    return b"a[" + _encode(message(rng)) + b"]"


@defect("websocket", "rsv1", "RSV1 is set: it says compressed, which was never negotiated")
def _rsv1(rng: Random) -> bytes:
    return frame(FIN | 0x40 | TEXT, _event(rng))


@defect("websocket", "rsv2-rsv3", "RSV2 or RSV3 is set")
def _rsv23(rng: Random) -> bytes:
    return frame(FIN | int(one_of(rng, (0x20, 0x10, 0x30))) | TEXT, _event(rng))


@defect("websocket", "reserved-opcode", "an opcode that is reserved for data frames")
def _reserved(rng: Random) -> bytes:
    return frame(FIN | int(one_of(rng, (0x3, 0x4, 0x5, 0x6, 0x7))), _event(rng))


@defect("websocket", "reserved-control", "an opcode that is reserved for control frames")
def _reserved_control(rng: Random) -> bytes:
    return frame(FIN | int(one_of(rng, (0xB, 0xC, 0xD, 0xE, 0xF))), b"hello")


@defect("websocket", "invalid-utf-8", "a text frame that is no UTF-8")
def _utf8(rng: Random) -> bytes:
    bad = one_of(rng, (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80"))
    return frame(FIN | TEXT, b'a[{"e":"' + bytes(bad) + b'"}]')


@defect("websocket", "cut-utf-8", "a text frame that ends within a character")
def _cut_utf8(rng: Random) -> bytes:
    return frame(FIN | TEXT, ("a" + SNOWMAN).encode()[:-1])


@defect("websocket", "long-control", "a ping of more than 125 bytes")
def _long_control(rng: Random) -> bytes:
    return frame(FIN | PING, b"x" * int(one_of(rng, (126, 127, 1000))))


@defect("websocket", "fragmented-control", "a ping in fragments")
def _fragmented_control(rng: Random) -> bytes:
    return frame(PING, b"al") + frame(FIN | 0, b"ive")


@defect("websocket", "stray-continuation", "a continuation without a beginning")
def _stray(rng: Random) -> bytes:
    return frame(FIN | 0, _event(rng))


@defect("websocket", "unfinished-message", "a new message before the last fragment of the one before")
def _unfinished(rng: Random) -> bytes:
    return frame(TEXT, b"a[") + frame(FIN | TEXT, _event(rng))


@defect("websocket", "masked", "a server's frame that is masked")
def _masked(rng: Random) -> bytes:
    return frame(FIN | TEXT, _event(rng), mask=b"\x01\x02\x03\x04")


@defect("websocket", "close-1006", "a close frame with 1006, which must never be sent")
def _close_1006(rng: Random) -> bytes:
    return frame(FIN | CLOSE, (1006).to_bytes(2, "big"))


@defect("websocket", "close-code", "a close frame with a code that must not be sent")
def _close_code(rng: Random) -> bytes:
    return frame(FIN | CLOSE, int(one_of(rng, (1005, 1015, 0, 999, 1004, 2999, 65535))).to_bytes(2, "big"))


@defect("websocket", "close-one-byte", "a close frame whose code is one byte long")
def _close_one_byte(rng: Random) -> bytes:
    return frame(FIN | CLOSE, b"\x03")


@defect("websocket", "close-reason", "a close frame whose reason is no UTF-8")
def _close_reason(rng: Random) -> bytes:
    return frame(FIN | CLOSE, (1001).to_bytes(2, "big") + b"by\xff")


@defect("websocket", "binary", "a binary frame: no violation, and to be ignored")
def _binary(rng: Random) -> bytes:
    return frame(FIN | BINARY, bytes(one_of(rng, (b"\x00\xff", b"o", b"h", b"", _event(rng)))))
