"""The mock broker's parsers as targets: requests over a socket, and REST. No network: transports that go nowhere."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import msgspec
from brokercert_mock import Settings, TradovateBroker
from brokercert_mock.port.broker import AnyBroker
from brokercert_mock.port.budget import Allowance
from brokercert_mock.port.shell import Shell

from brokercert.fuzz.documents import wrong_json, wrong_text
from brokercert.fuzz.targets import target
from brokercert.hostile import Hostile, Level
from brokercert.hostile.edits import one_of
from brokercert.hostile.websocket import frame

_encode = msgspec.json.Encoder().encode

REQUESTS: tuple[tuple[str, str, Any], ...] = (
    ("authorize", "", None),
    ("user/syncrequest", "", {"splitResponses": True, "entityTypes": ["order", "fill"]}),
    (
        "user/syncrequest",
        "",
        {
            "entityTypes": ["order"],
            "shardingExpression": {"expressionType": "modAccountId", "divisor": 2, "remainder": 0},
        },
    ),
    (
        "order/placeorder",
        "",
        {
            "accountSpec": "DEMO1",
            "accountId": 1,
            "action": "Buy",
            "symbol": "ESH6",
            "orderQty": 1,
            "orderType": "Limit",
            "price": 5000.25,
            "isAutomated": True,
        },
    ),
    ("order/cancelorder", "", {"orderId": 60_100}),
    ("order/modifyorder", "", {"orderId": 60_100, "orderQty": 2, "orderType": "Limit", "price": 5000.5}),
    ("order/liquidateposition", "", {"accountId": 1, "contractId": 1, "admin": False}),
    ("account/item", "id=60100", None),
    ("order/items", "ids=60100,60101", None),
    ("order/deps", "masterid=60100", None),
    ("contract/find", "name=ESH6", None),
    ("auth/accesstokenrequest", "", {"name": "cert-user", "password": "p", "appId": "x", "cid": 8, "sec": "s"}),
    ("auth/renewaccesstoken", "", None),
)

NO_END = Allowance(1 << 60, 1 << 60, 0, 0)  # one broker takes what an hour of fuzzing sends


class _Wire(asyncio.Transport):
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self._closing = False
        self._eof = False

    def write(self, data: Any) -> None:
        if self._eof:
            raise RuntimeError("Cannot call write() after write_eof()")  # as asyncio's own does
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self._eof = True  # which does not close it

    def close(self) -> None:
        self._closing = True

    abort = close

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading


class AnyOwnBroker:
    """A broker of any dialect, and connections that go nowhere. What its guard caught is a find."""

    broker: AnyBroker[Any]

    def connect(self) -> tuple[Shell, _Wire]:
        shell, wire = Shell(self.broker), _Wire()
        shell.connection_made(wire)
        return shell, wire

    def say(self, *parts: bytes) -> _Wire:
        """These segments on a connection of their own, and the client's FIN behind them."""
        shell, wire = self.connect()
        for part in filter(None, parts):  # no transport hands over nothing at all
            shell.data_received(part)
            self.blame()
        shell.eof_received()
        shell.connection_lost(None)
        self.blame()
        return wire

    def blame(self) -> None:
        if self.broker.script_errors:
            raise self.broker.script_errors[0]

    async def close(self) -> None:
        await self.broker.close()


class OwnBroker(AnyOwnBroker):
    """Of Tradovate."""

    broker: TradovateBroker

    def __init__(self) -> None:
        self.broker = TradovateBroker(settings=Settings(each_may_send=NO_END, all_may_send=NO_END), seed=1)
        self.token = self.broker.issue_token()


UPGRADE = (
    b"GET /v1/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
MASK = b"\x00\x00\x00\x00"  # a mask that changes nothing: finds stay readable


class _Requests(OwnBroker):
    """Sockets of a client that is logged in."""

    def __init__(self) -> None:
        super().__init__()
        self._open()

    def _open(self) -> None:
        self.shell, self.wire = self.connect()
        self.shell.data_received(UPGRADE)
        self._say(f"authorize\n0\n\n{self.token.access}")

    def _say(self, text: str) -> None:
        self.shell.data_received(frame(0x81, text.encode("utf-8", "surrogatepass"), mask=MASK))

    def feed(self, hostile: Hostile) -> None:
        if self.shell.connection.closing:
            self.shell.connection_lost(None)
            self._open()
        if hostile.wire:
            self.shell.data_received(hostile.wire)
        else:
            self._say(hostile.text)
        self.blame()

    def probe(self) -> str:
        if self.shell.connection.closing:
            self._open()
        self.wire.written.clear()
        self._say("account/list\n77\n\n")
        self.blame()
        return (
            "" if b'"i":77' in self.wire.written or b'"i": 77' in self.wire.written else "account/list is not answered"
        )


def _draw_request(rng: Random, level: Level | None) -> Hostile:
    endpoint, query, body = one_of(rng, REQUESTS)
    kind = int(rng.random() * 10)
    if kind == 0:
        name, text = wrong_text(rng, f"{endpoint}\n{int(rng.random() * 99)}\n{query}\n{_encode(body).decode()}")
        return Hostile("frame", name, text)
    if kind == 1:
        strange = str(one_of(rng, ("", "-1", "☃", "9" * 400, "1.5", "0x1", "null", "\u0661")))
        return Hostile("frame", "strange-id", f"{endpoint}\n{strange}\n{query}\n")
    if kind == 2:
        name, text = wrong_text(rng, query or "id=60100&ids=1,2")
        return Hostile("frame", f"query-{name}", f"{endpoint}\n5\n{text}\n")
    name, text = wrong_json(rng, body or {"id": 60_100, "name": "ESH6"})
    return Hostile("message", name, f"{endpoint}\n5\n{query}\n{text}")


@target(
    "requests",
    "The mock broker's requests over a socket: nothing is raised; what is no request is ignored, what breaks WebSocket"
    " ends the connection, anything else is answered; the next `account/list` is answered with 200.",
    _draw_request,
)
async def _requests() -> _Requests:
    return _Requests()


class _Rest(OwnBroker):
    """One connection for each request."""

    def feed(self, hostile: Hostile) -> None:
        data = hostile.wire.replace(b"TOKEN", self.token.access.encode())
        half = len(data) // 2
        self.say(data[:half], data[half:])

    def probe(self) -> str:
        shell, wire = self.connect()
        head = f"GET /v1/account/list HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token.access}\r\n\r\n"
        shell.data_received(head.encode())
        shell.connection_lost(None)
        self.blame()
        return "" if wire.written.startswith(b"HTTP/1.1 200") else "account/list is not answered"


def _draw_rest(rng: Random, level: Level | None) -> Hostile:
    endpoint, query, body = one_of(rng, REQUESTS)
    name, text = wrong_json(rng, body) if body is not None else ("none", "")
    data = text.encode("utf-8", "surrogatepass")
    target_ = f"/v1/{endpoint}" + (f"?{query}" if query else "")
    head = f"POST {target_} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\nContent-Length: {len(data)}\r\n\r\n"
    if rng.random() < 0.5:
        name, head = wrong_text(rng, head)
        return Hostile("websocket", f"head-{name}", "", head.encode("utf-8", "surrogateescape") + data)
    return Hostile("websocket", name, "", head.encode() + data)


@target(
    "rest",
    "The mock broker's REST: nothing is raised; the answer is a status, or the connection ends, or more is waited for;"
    " the next `account/list` is answered with 200.",
    _draw_rest,
)
async def _rest() -> _Rest:
    return _Rest()
