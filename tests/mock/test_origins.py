"""Web pages of other places get nothing from a port that refuses them, whatever they ask; nobody else is kept out."""

from __future__ import annotations

import asyncio
import json
import string

import pytest
from brokercert_mock.port.addresses import is_loopback
from brokercert_mock.port.origins import Origin, OriginError, Origins
from hypothesis import given
from hypothesis import strategies as st
from mock_bench import WITHIN, Bench, running

PARTNER = "https://trader.tradovate.com"
HERE = Origins(frozenset({Origin.read(PARTNER)}), here=True, advice="say so")
OWN = (
    "http://localhost",
    "http://localhost:3000",
    "HTTP://LocalHost:3000",
    "https://127.0.0.1",
    "http://127.0.0.1:1/",
    "ws://127.8.9.10:8080",
    "http://[::1]:8080",
    "http://[::ffff:127.0.0.1]",
    "app://localhost",
)
NAMED = (PARTNER, f"{PARTNER}:443", f"{PARTNER}/", "HTTPS://Trader.Tradovate.com")
FOREIGN = (
    "null",
    "NULL",
    "file://",
    "http://evil.example",
    "http://evil.example:80",
    "http://trader.tradovate.com",
    f"{PARTNER}:444",
    f"{PARTNER}.evil.example",
    "https://evil.example.tradovate.com",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example",
    "http://notlocalhost",
    "http://128.0.0.1",
    "http://0.0.0.0",
    "http://[::]",
    "http://[::2]",
    "http://192.168.1.5:8080",
    "http://127.1",  # no browser sends it: it writes the address in full
    "chrome-extension://abcdefghijklmnop",
)
UNREADABLE = (
    "",
    "localhost",
    "127.0.0.1:80",
    "http://localhost@evil.example",
    "http://evil.example#http://localhost",
    "http://evil.example/localhost",
    "http://localhost?evil",
    "http://localhost, http://evil.example",
    "http://[::1",
    "http://localhost:x",
    "http://b\xfccher.example",
    "//localhost",
    "http:localhost",
)


@pytest.mark.parametrize("origin", [*OWN, *NAMED])
def test_own_and_named_origins_are_taken(origin: str) -> None:
    assert HERE.refusal([origin]) is None and HERE.refusal([]) is None


@pytest.mark.parametrize("origin", FOREIGN)
def test_any_other_place_is_refused_and_told_what_to_do(origin: str) -> None:
    assert HERE.refusal([origin]) == (
        f"Origin {origin!a} is refused: a web page of another place may not use this port; say so\n"
    )
    assert HERE.refusal([OWN[0], origin]) == HERE.refusal([origin]), "two headers: each has to be good"
    allowed = Origins(frozenset({Origin.read(origin)}), here=False, advice="")
    assert allowed.refusal([origin]) is None, "each can be allowed"


@pytest.mark.parametrize("origin", UNREADABLE)
def test_what_is_no_origin_is_refused_and_told_what_is_one(origin: str) -> None:
    assert "expected SCHEME://HOST" in (HERE.refusal([origin]) or "")
    with pytest.raises(OriginError):
        Origin.read(origin)


def test_only_named_ones_are_taken_where_this_machine_is_not_asked_for() -> None:
    page = Origins(frozenset({Origin.read("http://127.0.0.1:8080")}), here=False, advice="")
    assert page.refusal(["http://127.0.0.1:8080"]) is None
    assert page.refusal(["http://127.0.0.1:8081"]) and page.refusal(["http://localhost:8080"])


def test_the_address_that_a_request_was_sent_to_is_its_own() -> None:
    assert HERE.refusal(["http://192.168.1.5:8080"], "192.168.1.5") is None
    assert HERE.refusal(["http://192.168.1.6:8080"], "192.168.1.5")
    assert HERE.refusal(["http://evil.example"], "evil.example"), "a name is not: it can be made to lead here"


LABEL = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=12)


@given(host=st.lists(LABEL, min_size=1, max_size=4).map(".".join), port=st.integers(0, 65535))
def test_a_name_is_this_machine_only_if_it_is_localhost(host: str, port: int) -> None:
    assert (HERE.refusal([f"http://{host}:{port}"]) is None) == is_loopback(host)
    assert is_loopback(host) == (host == "localhost") or host.startswith("127.")


@given(address=st.ip_addresses())
def test_an_address_is_this_machine_only_if_it_is_loopback(address: object) -> None:
    text = f"[{address}]" if ":" in str(address) else str(address)
    mapped = getattr(address, "ipv4_mapped", None) or address
    assert (HERE.refusal([f"http://{text}"]) is None) == mapped.is_loopback


@given(st.text(max_size=40))
def test_any_text_is_taken_or_refused_in_ascii(text: str) -> None:
    said = HERE.refusal([text])
    assert said is None or (said.isascii() and said.count("\n") == 1)


# Through a real socket.


async def answer(bench: Bench, *lines: str, body: str = "") -> tuple[int, str]:
    """Status and body of what these lines of a head are answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bench.broker.port)
    head = [*lines, f"Host: 127.0.0.1:{bench.broker.port}", f"Content-Length: {len(body)}"]
    writer.write("\r\n".join([*head, "", body]).encode("latin-1"))
    async with asyncio.timeout(WITHIN):
        status = int((await reader.readline()).split()[1])
        size = 0
        while (line := (await reader.readline()).decode().strip().lower()) != "":
            if line.startswith("content-length:"):
                size = int(line.partition(":")[2])
        text = (await reader.readexactly(size)).decode()
    writer.close()
    return status, text


async def upgrade(bench: Bench, *origins: str) -> tuple[int, str]:
    return await answer(
        bench,
        "GET /v1/websocket HTTP/1.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        *(f"oRiGiN: {one}" for one in origins),
    )


async def log_in(bench: Bench, *origins: str) -> tuple[int, str]:
    who = bench.broker.credentials
    return await answer(
        bench,
        "POST /v1/auth/accesstokenrequest HTTP/1.1",
        "Content-Type: text/plain",  # as a page may send it without asking first
        *(f"Origin: {one}" for one in origins),
        body=json.dumps({"name": who.name, "password": who.password, "cid": who.cid, "sec": who.sec}),
    )


@pytest.mark.asyncio
async def test_a_broker_that_refuses_them_does_so_for_upgrades_and_rest() -> None:
    async with running() as bench:
        bench.broker.origins = HERE
        for origins in ([], *([one] for one in (*OWN, *NAMED))):
            assert (await upgrade(bench, *origins))[0] == 101, origins
            status, text = await log_in(bench, *origins)
            assert status == 200 and "accessToken" in text, origins
        for one in (*FOREIGN, *(text for text in UNREADABLE if text.isascii())):
            assert await upgrade(bench, one) == (403, HERE.refusal([one])), one
            assert await log_in(bench, one) == (403, HERE.refusal([one])), one
        assert await upgrade(bench, OWN[0], FOREIGN[0]) == (403, HERE.refusal([FOREIGN[0]]))
        assert (await answer(bench, "OPTIONS /v1/order/placeorder HTTP/1.1", "Origin: http://evil.example"))[0] == 403


@pytest.mark.asyncio
async def test_a_foreign_page_uses_up_no_rule_and_the_connection_goes_on() -> None:
    async with running() as bench:
        bench.broker.origins = HERE
        bench.broker.on_upgrade(times=1).refuse(503)
        bench.broker.on("auth/accesstokenrequest", times=1).refuse(500, "no")
        assert (await upgrade(bench, "http://evil.example"))[0] == 403
        assert (await log_in(bench, "http://evil.example"))[0] == 403
        assert (await upgrade(bench))[0] == 503 and (await upgrade(bench))[0] == 101
        assert (await log_in(bench))[0] == 500 and (await log_in(bench))[0] == 200


@pytest.mark.asyncio
@pytest.mark.parametrize("origin", [*FOREIGN, *(text for text in UNREADABLE if text.isascii())])
async def test_a_broker_that_judges_a_client_takes_any_origin(origin: str) -> None:
    """A correct client may send one of its own."""
    async with running() as bench:
        assert (await upgrade(bench, origin))[0] == 101
        assert (await log_in(bench, origin))[0] == 200
