"""Clients that upgrade, and then break WebSocket, or send without end."""

from __future__ import annotations

import time
import zlib

from plain import FAIL, SHORT, TOKEN, UPGRADE, Kind, connected, frame, heard, main, upgraded

TEXT, BINARY, CLOSE, PING, PONG, PART, LAST = 0x81, 0x82, 0x88, 0x89, 0x8A, 0x01, 0x80


def again_and_again() -> None:
    """Sends what it may on each of six connections, so that all together are beyond what all may."""
    for _ in range(6):
        upgraded(frame(TEXT, b"x" * 1_000_000) * 17)


def floods() -> None:
    with connected() as one:
        one.sendall(UPGRADE)
        until = time.monotonic() + 30
        try:
            while time.monotonic() < until:
                one.sendall(frame(TEXT, b"[]") * 1_000)
        except OSError:
            return
        heard(one)


def bomb() -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return (packer.compress(b"x" * 10_000_000) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


KINDS: dict[str, Kind] = {
    "no mask": (lambda: upgraded(frame(TEXT, b"[]", masked=False)), FAIL),
    "a reserved bit": (lambda: upgraded(frame(TEXT | 0x40, b"[]")), FAIL),
    "a reserved opcode": (lambda: upgraded(frame(0x83, b"[]")), FAIL),
    "no UTF-8": (lambda: upgraded(frame(TEXT, b"\xff")), FAIL),
    "a surrogate": (lambda: upgraded(frame(TEXT, b"\xed\xa0\x80")), FAIL),
    "the rest of nothing": (lambda: upgraded(frame(LAST, b"x")), FAIL),
    "two beginnings": (lambda: upgraded(frame(PART, b"x"), frame(PART, b"y")), FAIL),
    "a ping in parts": (lambda: upgraded(frame(0x09, b"x")), FAIL),
    "a long ping": (lambda: upgraded(frame(PING, b"x" * 126)), FAIL),
    "a close of one byte": (lambda: upgraded(frame(CLOSE, b"\x03")), FAIL),
    "a close of 1006": (lambda: upgraded(frame(CLOSE, b"\x03\xee")), FAIL),
    "two closes": (lambda: upgraded(frame(CLOSE, b"\x03\xe8") * 2), SHORT),
    "on after its close": (lambda: upgraded(frame(CLOSE, b"\x03\xe8"), frame(TEXT, b"[]") * 100), SHORT),
    "a length of 2^63": (lambda: upgraded(frame(TEXT, length=b"\xff" + b"\xff" * 8)), FAIL),
    "a terabyte to come": (lambda: upgraded(frame(TEXT, length=b"\xff" + (1 << 40).to_bytes(8, "big"))), FAIL),
    "two megabytes": (lambda: upgraded(frame(TEXT, b"x" * 2_000_000)), FAIL),
    "17 megabytes": (lambda: upgraded(frame(TEXT, b"x" * 1_000_000) * 17), FAIL),
    "17 megabytes, six times": (again_and_again, FAIL),
    "heartbeats without end": (floods, FAIL),
    "60000 parts": (lambda: upgraded(frame(PART) + frame(0x00) * 60_000), FAIL),
    "60000 pings": (lambda: upgraded(frame(PING, b"x") * 60_000), FAIL),
    "a bomb that nobody agreed on": (lambda: upgraded(frame(TEXT | 0x40, bomb())), FAIL),
    "half a frame": (lambda: upgraded(frame(TEXT, b"[]")[:3]), SHORT),
    "binary frames": (lambda: upgraded(frame(BINARY, bytes(range(256))) * 100), SHORT),
    "a request of brackets": (lambda: upgraded(frame(TEXT, b"order/placeorder\n1\n\n" + b"[" * 100_000)), SHORT),
    "requests that are none": (lambda: upgraded(*[frame(TEXT, b"\n" * n) for n in range(60)]), SHORT),
    "a number of 5000 digits": (lambda: upgraded(frame(TEXT, b"account/list\n" + b"9" * 5000 + b"\n\n")), SHORT),
    "its token a hundred times": (lambda: upgraded(frame(TEXT, f"authorize\n1\n\n{TOKEN}".encode()) * 100), SHORT),
    "its token in a binary frame": (lambda: upgraded(frame(BINARY, TOKEN.encode() + b"\xff")), SHORT),
}

if __name__ == "__main__":
    main(KINDS)
