"""Clients that speak HTTP as no broker expects it."""

from __future__ import annotations

import socket
import struct
import time

from plain import BLOCKED, GET, SHORT, UPGRADE, Kind, connected, heard, main, say


def post(body: bytes, path: bytes = b"/v1/order/placeorder", more: bytes = b"") -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def slow_head() -> None:
    with connected() as one:
        for byte in UPGRADE[:20]:
            one.sendall(bytes((byte,)))
            time.sleep(0.01)


def reset_at_once() -> None:
    for _ in range(50):
        one = connected()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()


def reset_behind_an_upgrade() -> None:
    for _ in range(20):
        one = connected()
        one.sendall(UPGRADE)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()


def many_sockets() -> None:
    those = [connected() for _ in range(300)]
    for one in those:
        one.close()


def never_reads() -> None:
    with connected() as one:
        one.settimeout(0.5)
        try:
            one.sendall(GET * 2000)
        except OSError:
            return


def one_after_another() -> None:
    for _ in range(100):
        say(GET)


def in_turn() -> None:
    with connected() as one:
        for _ in range(100):
            one.sendall(GET)
            one.recv(65536)
        one.shutdown(socket.SHUT_WR)
        heard(one)


LINE = b" HTTP/1.1\r\nHost: x\r\n"
KINDS: dict[str, Kind] = {
    "pipelines 100": (lambda: say(GET * 100), BLOCKED),
    "pipelines 3000": (lambda: say(GET * 3000), BLOCKED),
    "pipelines, then garbage": (lambda: say(GET * 100 + b"\x00\x01\r\n\r\n"), BLOCKED),
    "pipelines, then upgrades": (lambda: say(GET * 100 + UPGRADE), SHORT),
    "speaks HTTP/2": (lambda: say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 30), BLOCKED),
    "speaks TLS": (lambda: say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200))), BLOCKED),
    "speaks SSH": (lambda: say(b"SSH-2.0-OpenSSH_9.6\r\n"), BLOCKED),
    "says nothing": (lambda: say(), BLOCKED),
    "says zeros": (lambda: say(b"\x00" * 100_000), BLOCKED),
    "says line ends": (lambda: say(b"\r\n" * 50_000), BLOCKED),
    "a head without end": (lambda: say(b"GET /" + b"a" * 200_000), BLOCKED),
    "ten thousand headers": (lambda: say(GET[:-2] + b"X: y\r\n" * 10_000 + b"\r\n"), BLOCKED),
    "half a head": (lambda: say(UPGRADE[:60]), BLOCKED),
    "a slow head": (slow_head, BLOCKED),
    "two Hosts": (lambda: say(GET[:-2] + b"Host: y\r\n\r\n"), BLOCKED),
    "no Host": (lambda: say(b"GET / HTTP/1.1\r\n\r\n"), BLOCKED),
    "CONNECT": (lambda: say(b"CONNECT x:1" + LINE + b"\r\nabc"), BLOCKED),
    "HEAD": (lambda: say(b"HEAD /v1/account/list" + LINE + b"\r\n" + GET), BLOCKED),
    "TRACE *": (lambda: say(b"TRACE *" + LINE + b"\r\n"), BLOCKED),
    "HTTP/1.0": (lambda: say(b"GET / HTTP/1.0\r\n\r\n" + GET), BLOCKED),
    "HTTP/0.9": (lambda: say(b"GET /\r\n"), BLOCKED),
    "h2c": (lambda: say(GET[:-2] + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n" + GET), BLOCKED),
    "expects 100": (lambda: say(post(b"{}", more=b"Expect: 100-continue\r\n")), BLOCKED),
    "two lengths": (lambda: say(post(b"{}", more=b"Content-Length: 5\r\n")), BLOCKED),
    "a length below zero": (lambda: say(b"POST /" + LINE + b"Content-Length: -5\r\n\r\n"), BLOCKED),
    "length and chunks": (lambda: say(post(b"0\r\n\r\n", more=b"Transfer-Encoding: chunked\r\n")), BLOCKED),
    "a chunk that is none": (lambda: say(b"POST /" + LINE + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), BLOCKED),
    "a body cut short": (lambda: say(post(b"x" * 100)[:-50]), BLOCKED),
    "a body of two megabytes": (lambda: say(post(b"x" * 2_000_000)), BLOCKED),
    "a body of brackets": (lambda: say(post(b"[" * 100_000)), BLOCKED),
    "a body that is no text": (lambda: say(post(bytes(range(256)))), BLOCKED),
    "a target that is no text": (lambda: say(b"GET /\xff\xfe%ff?\x80" + LINE + b"\r\n"), BLOCKED),
    "an upgrade to nowhere": (lambda: say(UPGRADE.replace(b"/v1/websocket", b"/nowhere")), BLOCKED),
    "an upgrade without a key": (lambda: say(UPGRADE.replace(b"Sec-WebSocket-Key", b"X")), BLOCKED),
    "an upgrade in a POST": (lambda: say(UPGRADE.replace(b"GET", b"POST") + b"x"), BLOCKED),
    "resets at once": (reset_at_once, BLOCKED),
    "resets behind an upgrade": (reset_behind_an_upgrade, SHORT),
    "300 sockets": (many_sockets, BLOCKED),
    "never reads": (never_reads, BLOCKED),
    "one connection after another": (one_after_another, BLOCKED),
    "100 requests in turn": (in_turn, BLOCKED),
}

if __name__ == "__main__":
    main(KINDS)
