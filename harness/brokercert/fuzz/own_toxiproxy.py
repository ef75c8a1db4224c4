"""The embedded Toxiproxy's API as a target."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
from brokercert_mock.port.addresses import is_loopback

from brokercert.fuzz.documents import wrong_json, wrong_text
from brokercert.fuzz.targets import target
from brokercert.hostile import Hostile, Level
from brokercert.hostile.edits import one_of
from brokercert.toxiproxy.api import Api

_encode = msgspec.json.Encoder().encode

CALLS: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/proxies", {"name": "p", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9", "enabled": False}),
    ("POST", "/proxies/base", {"upstream": "127.0.0.1:9", "enabled": False}),
    ("PATCH", "/proxies/base", {"enabled": False}),
    ("POST", "/proxies", {"name": "o", "listen": "0.0.0.0:0", "upstream": "127.0.0.1:9", "enabled": True}),
    ("POST", "/proxies/base", {"listen": ":0", "enabled": True}),
    ("DELETE", "/proxies/p", None),
    ("GET", "/proxies/base/toxics", None),
    (
        "POST",
        "/proxies/base/toxics",
        {
            "name": "t",
            "type": "latency",
            "stream": "upstream",
            "toxicity": 1.0,
            "attributes": {"latency": 5, "jitter": 0},
        },
    ),
    ("POST", "/proxies/base/toxics", {"type": "slicer", "attributes": {"average_size": 1, "size_variation": 0}}),
    ("POST", "/proxies/base/toxics/lat", {"toxicity": 0.5, "attributes": {"latency": 7}}),
    ("DELETE", "/proxies/base/toxics/t", None),
    ("POST", "/populate", [{"name": "q", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9", "enabled": False}]),
    ("GET", "/version", None),
)
NO_ADDRESS = (b"listen", b"address ", b"lookup tcp/")  # one that cannot be had is a 500, as in 2.12.0


class _Toxiproxy:
    """The API with one proxy and one toxic. Nothing listens but what a call asks for, on loopback."""

    def __init__(self) -> None:
        self.api = Api(Random(1))

    async def begin(self) -> None:
        base = {"name": "base", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9", "enabled": False}
        await self.api.handle("POST", "/proxies", _encode(base), "")
        toxic = {"name": "lat", "type": "latency", "attributes": {"latency": 1}}
        await self.api.handle("POST", "/proxies/base/toxics", _encode(toxic), "")

    async def feed(self, hostile: Hostile) -> None:
        method, _, rest = hostile.text.partition(" ")
        path, _, body = rest.partition("\n")
        path = path.encode("utf-8", "surrogatepass").decode("latin-1")  # as the server hands over what came as bytes
        answer = await self.api.handle(method, path, body.encode("utf-8", "surrogatepass"), "")
        if answer.status >= 500 and not any(said in answer.body for said in NO_ADDRESS):
            raise AssertionError(f"{answer.status} for {hostile.text[:200]!r}")
        for proxy in self.api.proxies.values():
            if proxy.enabled and not is_loopback(proxy.listen.rpartition(":")[0].strip("[]")):
                raise AssertionError(f"{proxy.listen} is open to other machines after {hostile.text[:200]!r}")
        if len(self.api.proxies) > 20 or "base" not in self.api.proxies:
            await self.close()
            self.api = Api(Random(1))
            await self.begin()

    def probe(self) -> str:
        return "" if "base" in self.api.proxies else "the base proxy has gone"

    async def close(self) -> None:
        for proxy in list(self.api.proxies.values()):
            await proxy.stop()


def _draw_call(rng: Random, level: Level | None) -> Hostile:
    method, path, body = one_of(rng, CALLS)
    if body is None or rng.random() < 0.2:
        name, path = wrong_text(rng, path)
        path = path.replace("\n", "%0A")
        return Hostile("frame", name, f"{method} {path}\n" + ("" if body is None else _encode(body).decode()))
    name, text = wrong_json(rng, body)
    return Hostile("json", name, f"{method} {path}\n{text}")


@target(
    "toxiproxy",
    "The embedded Toxiproxy's API: an answer below 500 (500 only for an address that cannot be listened on), nothing is"
    " raised, nothing listens but on loopback, and what is refused changes nothing.",
    _draw_call,
)
async def _toxiproxy() -> _Toxiproxy:
    fed = _Toxiproxy()
    await fed.begin()
    return fed
