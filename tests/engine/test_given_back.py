"""What a client chose comes back from a broker. In whatever disguise, no file of the run holds a secret by it."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.trace.disguises import disguises_of, found_in
from brokercert.trace.reader import read_trace
from brokercert.trace.records import Frame, RestAnswer
from brokercert_reports.write import write_reports
from disguised import PARTS, WHOLE
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

DISGUISES = WHOLE | PARTS
ORDER = {"action": "Buy", "orderQty": 1, "orderType": "Market", "isAutomated": True}
TEXTS = ("accountSpec", "action", "symbol", "clOrdId", "text", "customTag50", "orderType", "timeInForce", "expireTime")
AT_ONCE = 40  # of them, each with connections of its own
ENDPOINTS = ("order/placeorder", "contract/find")
NAMES = {"tradovate-stage2": ("URL", "REST_URL", "TOKEN"), "arrow-orders": ("URL", "REST_URL", "SESSION")}
SCENARIOS = {"tradovate-stage2": "steady", "arrow-orders": "steady"}


AT_LEAST = {"tradovate-stage2": 200, "arrow-orders": 0}  # texts in which the broker gives it back


class SaysItEverywhere:
    """Puts a secret into each string that it may choose: of an upgrade request, of REST requests, of frames, of
    reports, and of output. Then it is quiet until it is told to stop.
    """

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], set_id: str, told: list[str]) -> None:
        self.url, self.rest, self.secret = (env[f"BROKERCERT_{name}"] for name in NAMES[set_id])
        self.output, self.said, self.over = output, told, asyncio.Event()
        account, symbol = env.get("BROKERCERT_ACCOUNTS", "0").split(",")[0], env.get("BROKERCERT_SYMBOL", "")
        self.order = {**ORDER, "accountId": int(account), "symbol": symbol}
        self.user = int(env.get("BROKERCERT_USER_ID", "0"))
        told.append(self.secret)

    async def stop(self) -> None:
        self.over.set()

    async def run(self) -> int:
        said = [disguise(self.secret).encode("utf-8", "replace").decode() for disguise in DISGUISES.values()]
        for start in range(0, len(said), AT_ONCE):
            await asyncio.gather(*map(self.say, said[start : start + AT_ONCE]))
        await self.over.wait()
        return 0

    async def say(self, said: str) -> None:
        self.output(said)
        self.output(json.dumps({"event": said, "text": said, said: [said]}))
        await self.ask(f"GET /v1/{quote(said)} HTTP/1.1\r\n")
        await self.ask(f"GET /v1/contract/find?name={quote(said)}&{quote(said)}=1 HTTP/1.1\r\n", f"X-Own: {said}\r\n")
        body = json.dumps({**self.order, "clOrdId": said, "name": said, "password": said, "appId": said})
        for endpoint in ("order/placeorder", "auth/accesstokenrequest"):
            await self.ask(f"POST /v1/{endpoint} HTTP/1.1\r\nContent-Length: {len(body.encode())}\r\n", body=body)
        await self.ask(f"{said} / HTTP/1.1\r\n")
        with suppress(OSError, WebSocketException, TimeoutError):
            async with connect(
                f"{self.url}?own={quote(said)}", open_timeout=1, close_timeout=1, user_agent_header=None
            ) as socket:
                await self.frames(socket, said)

    async def frames(self, socket: Any, said: str) -> None:
        number = 0
        for text in self.requests(said):
            number += 1
            await socket.send(text.replace("NUMBER", str(number)))
        await socket.send(said)
        await socket.send(said.encode())
        await socket.ping(said.encode()[:100])
        await asyncio.sleep(0.1)
        await socket.close(4000, said.encode()[:100].decode("utf-8", "ignore"))

    def requests(self, said: str) -> list[str]:
        """As the vendor's protocol has them: endpoint, number, query, body."""
        sync = json.dumps({"users": [self.user]})
        made = [f"authorize\nNUMBER\n\n{self.secret}", f"user/syncrequest\nNUMBER\n\n{sync}"]
        made.append(f"{said}\nNUMBER\n{said}\n{said}")
        for endpoint in ENDPOINTS:
            made.append(f"{endpoint}\nNUMBER\nname={quote(said)}&t={quote(said)}\n")
            bodies = ({**self.order, "bracket1": {**ORDER, name: said}, name: said} for name in TEXTS)
            made += [f"{endpoint}\nNUMBER\n\n{json.dumps(body)}" for body in bodies]
        return made

    async def ask(self, line: str, headers: str = "", body: str = "") -> None:
        """One request over REST, whatever becomes of it."""
        place = urlsplit(self.rest)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        with suppress(OSError, TimeoutError):
            host, bearer = f"Host: {place.netloc}\r\n", f"Authorization: Bearer {self.secret}\r\n"
            writer.write((line + host + bearer + headers + "Connection: close\r\n\r\n" + body).encode())
            async with asyncio.timeout(1):
                await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@pytest.mark.parametrize("set_id", SCENARIOS)
def test_no_file_holds_a_secret_that_came_back(set_id: str, tmp_path: Path) -> None:
    told: list[str] = []
    spec = SubjectSpec(
        "subject", factory=lambda env, output: SaysItEverywhere(env, output, set_id, told), level="in process"
    )
    request = RunRequest(set_id, spec, tier="virtual", scenarios=(SCENARIOS[set_id],), out=tmp_path)
    run = run_certification(request, Quiet())
    (trace,) = tmp_path.rglob("*.jsonl")
    broker = [one.text or "" for one in read_trace(trace).records if isinstance(one, Frame) and one.sender == "broker"]
    broker += [one.body for one in read_trace(trace).records if isinstance(one, RestAnswer)]
    assert told and sum("#1»" in text for text in broker) >= AT_LEAST[set_id]
    secrets = [disguises_of(secret) for secret in set(told)]
    for file in (*write_reports(run, tmp_path / "reports").values(), trace):
        assert [hit for hit in found_in(text_of(file), secrets) if not hit.public] == [], file.name


def text_of(file: Path) -> str:
    """Of a workbook, that of all its parts."""
    if file.suffix != ".xlsx":
        return file.read_text("utf-8")
    with zipfile.ZipFile(file) as book:
        return "".join(book.read(name).decode() for name in book.namelist())
