"""The mock broker's shell as a target: what many requests and frames do in one segment, one connection after another.

No network: transports that go nowhere.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from brokercert.fuzz.documents import wrong_json, wrong_text
from brokercert.fuzz.own_mock import MASK, REQUESTS, UPGRADE, OwnBroker
from brokercert.fuzz.targets import target
from brokercert.hostile import Hostile, Level
from brokercert.hostile.edits import one_of
from brokercert.hostile.websocket import frame

MOST = 300  # pieces of one segment
GET = b"GET /v1/account/list HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # the first bytes of any client of HTTP/2
EXTRAS = (  # lines of a head that change what may follow it
    b"",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
    b"Expect: 100-continue\r\nContent-Length: 2\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: 2\r\n",
    b"Content-Length: 99999999\r\n",
)
METHODS = (b"GET", b"POST", b"HEAD", b"CONNECT", b"OPTIONS", b"PRI", b"BREW")
TARGETS = (b"/v1/account/list", b"/v1/websocket", b"*", b"x:1", b"http://x/v1/account/list", b"/%ff", b"/")
BODIES = (b"", b"{}", b"2\r\n{}\r\n0\r\n\r\n", b"0\r\n\r\n", b"zz\r\n", b"\x00")


def _plain(rng: Random) -> bytes:
    return GET


def _strange(rng: Random) -> bytes:
    method, address, extra, body = (rng.choice(those) for those in (METHODS, TARGETS, EXTRAS, BODIES))
    version = rng.choice((b"1.1", b"1.1", b"1.0", b"2.0"))
    return method + b" " + address + b" HTTP/" + version + b"\r\nHost: x\r\n" + extra + b"\r\n" + body


def _posted(rng: Random) -> bytes:
    endpoint, query, body = one_of(rng, REQUESTS)
    _, text = wrong_json(rng, body) if body is not None else ("none", "")
    data = text.encode("utf-8", "surrogatepass")
    head = f"POST /v1/{endpoint}?{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


def _garbage(rng: Random) -> bytes:
    return bytes(rng.choices(range(256), k=rng.randrange(1, 60)))


def _cut(rng: Random) -> bytes:
    _, text = wrong_text(rng, GET.decode())
    return text.encode("utf-8", "surrogateescape")


def _upgrade(rng: Random) -> bytes:
    return UPGRADE


def _frame(rng: Random) -> bytes:
    first = rng.randrange(256)
    if rng.random() < 0.7:
        first = int(one_of(rng, (0x81, 0x01, 0x00, 0x80, 0x82, 0x88, 0x89, 0x8A)))
    payload = one_of(
        rng, (b"", b"[]", b"authorize\n0\n\nTOKEN", b"account/list\n5\n\n", b"\x03", b"\x03\xe8", _garbage(rng))
    )
    return frame(first, payload, mask=MASK if rng.random() < 0.9 else b"")


PIECES: tuple[Callable[[Random], bytes], ...] = (_plain, _strange, _posted, _garbage, _cut, _upgrade, _frame)


def _draw(rng: Random, level: Level | None) -> Hostile:
    """One kind again and again, two in turn, or all mixed: a recursion needs many of a kind."""
    kinds = rng.choices(PIECES, k=rng.choice((1, 2, len(PIECES))))
    opening = rng.choice((b"", b"", PREFACE, UPGRADE, GET))
    count = rng.choice((1, 2, 5, MOST))
    data = b"".join(rng.choice(kinds)(rng) for _ in range(rng.randint(1, count)))
    return Hostile("websocket", "-".join(kind.__name__.strip("_") for kind in kinds), "", opening + data)


class _Segments(OwnBroker):
    """Each input is a connection: all in one segment, and then in two, with one more request behind."""

    def feed(self, hostile: Hostile) -> None:
        data = hostile.wire.replace(b"TOKEN", self.token.access.encode())
        half = len(data) // 2
        self.say(data)
        self.say(data[:half], data[half:], GET)

    def probe(self) -> str:
        """A client that is right gets an answer for each of the requests that it sent in one segment."""
        wire = self.say(GET.replace(b"TOKEN", self.token.access.encode()) * MOST)
        answers = wire.written.count(b"HTTP/1.1 200")
        return "" if answers == MOST else f"{answers} of {MOST} requests in one segment were answered"


@target(
    "segments",
    "The mock broker's shell, fed whole sequences in one segment and one connection after another: nothing is raised;"
    " each request is answered, waited for, or ends the connection; the next 300 in one segment are all answered.",
    _draw,
)
async def _segments() -> _Segments:
    return _Segments()
