"""Tokens: renewed before their end, replaced after a refusal, and one REST call for many sockets."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress

import looptime
import pytest
from brokercert.reference.rest import RestError, call
from brokercert.reference.tradovate import ReferenceClient
from brokercert.reference.tradovate.config import Config
from brokercert.reference.tradovate.tokens import Tokens

WALL = 1.7e9  # seconds since 1970 when the loop's clock stands at 0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"


def at(seconds: float) -> str:
    """A time of the loop's clock as the broker writes it."""
    moment = datetime.datetime.fromtimestamp(WALL + seconds, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Rest:
    """Answers every call with what `answer(path)` gives: bytes as they are, or an object as 200."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, str, str]] = []  # time, request line and headers, body
        self.answer: Callable[[str], object] = lambda path: {"accessToken": "fresh-1", "expirationTime": at(5400)}
        self.wait: Callable[[], Awaitable[None]] | None = None
        self.open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def __aenter__(self) -> Rest:
        self.server = await asyncio.start_server(self.connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        await self.server.wait_closed()
        for task, writer in list(self.open.items()):
            task.cancel()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        await asyncio.gather(*self.open, return_exceptions=True)
        self.open.clear()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self.serve_one(reader, writer))
        self.open[task] = writer

    async def serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        sizes = [int(line[15:]) for line in head.lower().splitlines() if line.startswith("content-length:")]
        body = (await reader.readexactly(sum(sizes))).decode()  # an upgrade request has none
        self.calls.append((asyncio.get_running_loop().time(), head, body))
        if self.wait is not None:
            await self.wait()
        answer = self.answer(head.split()[1])
        if not isinstance(answer, bytes):
            text = json.dumps(answer).encode()
            answer = OK % (len(text), text)
        writer.write(answer)
        writer.close()

    def paths(self) -> list[str]:
        return [head.split()[1] for _, head, _ in self.calls]


def tokens(rest: Rest, *, token: str = "given", expires: float | None = 5400, user: str = "me") -> Tokens:
    config = Config(
        url="ws://x",
        rest_url=rest.url,
        token=token,
        expires="" if expires is None else at(expires),
        user=user,
        password="hunter2" if user else "",
        app_id="app",
        cid="8",
        sec="s3cr3t",
    )
    loop = asyncio.get_running_loop()
    return Tokens(config, lambda: WALL + loop.time(), loop.time, None)


def in_virtual_time(play: Callable[[Rest], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with Rest() as rest:
            await play(rest)

    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0, resolution=1e-9)) as runner:
        runner.run(whole())


def test_the_token_in_hand_is_used_without_a_call() -> None:
    async def play(rest: Rest) -> None:
        assert await tokens(rest).get() == "given"
        assert await tokens(rest, expires=None).get() == "given"
        assert rest.calls == []

    in_virtual_time(play)


@pytest.mark.parametrize(("token", "expires"), [("", None), ("given", -10), ("given", 0)])
def test_without_a_good_token_it_logs_in(token: str, expires: float | None) -> None:
    async def play(rest: Rest) -> None:
        held = tokens(rest, token=token, expires=expires)
        assert [await held.get(), await held.get()] == ["fresh-1", "fresh-1"]
        assert rest.paths() == ["/v1/auth/accesstokenrequest"]
        body = json.loads(rest.calls[0][2])
        assert (body["name"], body["password"], body["appId"], body["cid"]) == ("me", "hunter2", "app", "8")
        assert rest.calls[0][1].startswith("POST ") and "hunter2" not in rest.calls[0][1]

    in_virtual_time(play)


def test_sockets_that_ask_together_share_one_login() -> None:
    async def play(rest: Rest) -> None:
        held = tokens(rest, token="")
        assert set(await asyncio.gather(*(held.get() for _ in range(5)))) == {"fresh-1"}
        assert len(rest.calls) == 1

    in_virtual_time(play)


def test_a_refused_token_is_replaced_and_not_used_again_while_another_can_be_had() -> None:
    async def play(rest: Rest) -> None:
        held = tokens(rest)
        held.refuse("given")
        assert await held.get() == "fresh-1"
        lone = tokens(rest, user="")
        lone.refuse("given")
        assert await lone.get() == "given"  # nothing better is to be had; the client spaces its uses
        assert len(rest.calls) == 1

    in_virtual_time(play)


@pytest.mark.parametrize(("life", "renewed_at"), [(5400.0, 4500.0), (4800.0, 3900.0), (45.0, 36.0)])
def test_it_is_renewed_a_margin_before_its_end(life: float, renewed_at: float) -> None:
    async def play(rest: Rest) -> None:
        held = tokens(rest, expires=life)
        assert held.renew_in() == pytest.approx(renewed_at, abs=0.01)
        await asyncio.sleep(renewed_at + 1)
        rest.answer = lambda path: {"accessToken": "fresh-2", "expirationTime": at(renewed_at + 1 + life)}
        assert await held.get() == "fresh-2"
        assert rest.paths() == ["/v1/auth/renewaccesstoken"]
        assert "Authorization: Bearer given" in rest.calls[0][1] and rest.calls[0][1].startswith("GET ")
        assert held.renew_in() == pytest.approx(renewed_at, abs=0.01)

    in_virtual_time(play)


def test_a_renewal_that_fails_leaves_the_good_token_in_use() -> None:
    async def play(rest: Rest) -> None:
        rest.answer = lambda path: b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"
        held = tokens(rest, expires=100)
        await asyncio.sleep(90)
        assert await held.get() == "given"

    in_virtual_time(play)


@pytest.mark.parametrize(
    "answer",
    [
        {"errorText": "Incorrect username or password."},  # a 200 that is no success
        {"p-ticket": "x", "p-time": 19, "p-captcha": True},
        {"accessToken": ""},
        {"accessToken": 5},
        [],
        b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{..",
        b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n{",  # cut short
        b"rubbish\r\n\r\n",
        b"",
    ],
    ids=repr,
)
def test_an_answer_without_a_token_is_an_error_without_secrets(answer: object) -> None:
    async def play(rest: Rest) -> None:
        rest.answer = lambda path: answer
        with pytest.raises(RestError) as caught:
            await tokens(rest, token="").get()
        assert "hunter2" not in str(caught.value) and "s3cr3t" not in str(caught.value)

    in_virtual_time(play)


@pytest.mark.parametrize("body", [b'"\xff"', b"[" * 100_000], ids=["not UTF-8", "too deep"])
def test_an_answer_that_no_decoder_takes_is_an_error_too(body: bytes) -> None:
    async def play(rest: Rest) -> None:
        rest.answer = lambda path: OK % (len(body), body)
        with pytest.raises(RestError):
            await call(f"{rest.url}/auth/me")

    in_virtual_time(play)


def test_an_answer_that_never_comes_or_never_ends_is_given_up() -> None:
    async def play(rest: Rest) -> None:
        loop = asyncio.get_running_loop()
        rest.wait = lambda: asyncio.sleep(3600)
        with pytest.raises(RestError, match="TimeoutError"):
            await call(f"{rest.url}/auth/me", within=10)
        assert loop.time() == pytest.approx(10, abs=0.1)
        rest.wait = None
        rest.answer = lambda path: OK % (5_000_000, b"x" * 5_000_000)
        with pytest.raises(RestError):
            await call(f"{rest.url}/auth/me")

    in_virtual_time(play)


def test_nobody_there_is_an_error() -> None:
    async def play(rest: Rest) -> None:
        await rest.__aexit__()
        with pytest.raises(RestError):
            await call(f"{rest.url}/auth/me")

    in_virtual_time(play)


def env_of(rest: Rest, **more: str) -> dict[str, str]:
    credentials = {"BROKERCERT_USER": "me", "BROKERCERT_PASSWORD": "hunter2"}
    return {"BROKERCERT_REST_URL": rest.url, "BROKERCERT_URL": f"ws{rest.url[4:]}/websocket", **credentials, **more}


def test_asked_to_stop_while_logging_in_it_opens_no_socket() -> None:
    async def play(rest: Rest) -> None:
        rest.wait = lambda: asyncio.sleep(5)
        client = ReferenceClient(env_of(rest), lambda line: None, wall=lambda: WALL, seed=1)
        running = asyncio.create_task(client.run())
        await asyncio.sleep(2)
        await client.stop()
        async with asyncio.timeout(30):
            assert await running == 0
        assert rest.paths() == ["/v1/auth/accesstokenrequest"]

    in_virtual_time(play)


def test_a_wss_address_without_a_ca_of_its_own_uses_the_systems() -> None:
    async def play(rest: Rest) -> None:
        env = env_of(rest, BROKERCERT_TOKEN="given", BROKERCERT_URL="wss://127.0.0.1:9/v1/websocket")
        lines: list[str] = []
        client = ReferenceClient(env, lines.append, wall=lambda: WALL, seed=1)
        running = asyncio.create_task(client.run())
        await asyncio.sleep(5)
        await client.stop()
        assert await running == 0
        assert any("could not connect" in line for line in lines)

    in_virtual_time(play)
