"""The driver of a Toxiproxy, embedded or real: the one module that imports `toxiproxy` (toxiproxy-python).

What that library lacks is added here: every call runs in a worker thread with a deadline (it blocks; on the loop that
serves an embedded server it would hang), proxy variables of the environment are ignored, every status that is no
success is an error with the server's text, there is PATCH, and what was asked for is read back. The library keeps its
server's address on a class; a class of our own per driver keeps drivers apart. Never called: reset, populate,
destroy_all, since a real server may serve others too.

The law: a deadline counts only time in which our own loop ran. A server must not be blamed for a standstill of ours.
The embedded server shares our loop, so that a deadline on it would be one on ourselves: it is asked directly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from json import dumps, loads
from typing import Any, Literal, TypeVar

import requests
from toxiproxy.api import APIConsumer, validate_response
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

from brokercert.toxiproxy.api import Api

T = TypeVar("T")
Times = tuple[float, float]  # requested, acknowledged: seconds of the loop's clock

WITHIN = 10.0  # seconds for one call: a frozen server answers after 25
TURN = 0.25  # seconds of them that one look at the clock may count, however long our loop stood still meanwhile
THREADS = 8  # calls at once: one that is not answered must not keep other scenarios from being served
GONE = 404
NO_PROXY = {"http": None, "https": None, "all": None}  # None, not absent: else the environment's are taken


class ToxiproxyError(Exception):
    """A call that failed: says which, and what the server answered. `status`: its HTTP status, 0 without an answer."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class _Consumer(APIConsumer):  # type: ignore[misc]  # the library has no types
    """The library's HTTP layer with a deadline, without proxies, and with PATCH."""

    @classmethod
    def ask(cls, method: str, url: str, json: Any = None) -> Any:
        kwargs: dict[str, Any] = {"timeout": WITHIN, "proxies": NO_PROXY}
        try:
            if method == "PATCH":
                address = f"http://{cls.host}:{cls.port}{url}"
                response = validate_response(requests.patch(address, json=json, **kwargs))
            elif method == "POST":
                response = cls.post(url, json=json, **kwargs)
            elif method == "DELETE":
                response = cls.delete(url, **kwargs)
            else:
                response = cls.get(url, **kwargs)
        except (ProxyExists, NotFound, InvalidToxic) as error:
            status = GONE if isinstance(error, NotFound) else 0
            raise ToxiproxyError(f"{method} {url}: {_text(error.args[0] if error.args else error)}", status) from error
        except requests.RequestException as error:
            raise ToxiproxyError(f"{method} {url}: {type(error).__name__}: {error}") from error
        if not 200 <= response.status_code < 300:
            text = f"{method} {url}: {response.status_code} {_text(response.content)}"
            raise ToxiproxyError(text, response.status_code)
        return response.json() if response.content else None


def _text(content: object) -> str:
    return content.decode("utf-8", "replace").strip() if isinstance(content, bytes) else str(content)


class Driver:
    """Drives one server at `host:port`."""

    def __init__(self, host: str, port: int) -> None:
        self._consumer: type[_Consumer] = type("Consumer", (_Consumer,), {"host": host, "port": port})
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="toxiproxy")

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def ask(self, method: str, url: str, json: Any = None) -> Any:
        """One call. Raises `ToxiproxyError`, also where no answer came in time."""
        return await self._run(f"{method} {url}", lambda: self._consumer.ask(method, url, json))

    async def _run(self, what: str, call: Callable[[], T]) -> T:
        answer = asyncio.get_running_loop().run_in_executor(self._threads, call)
        left = WITHIN + 2 * TURN  # the call's own deadline, in its thread, comes first and says more
        try:
            while left > 0 and not answer.done():
                await asyncio.wait((answer,), timeout=TURN)
                left -= TURN
            if answer.done():
                return answer.result()
        finally:
            answer.cancel()
        raise ToxiproxyError(f"{what}: no answer in {WITHIN:g} s")

    async def version(self) -> str:
        answer = await self.ask("GET", "/version")
        return str(answer.get("version", "")) if isinstance(answer, dict) else ""

    async def create(self, name: str, upstream: str, listen: str = "127.0.0.1:0") -> ProxyHandle:
        """A new proxy, read back. Raises `ToxiproxyError`."""
        await self.ask("POST", "/proxies", {"name": name, "upstream": upstream, "listen": listen, "enabled": True})
        known = await self.ask("GET", f"/proxies/{name}")
        if known.get("upstream") != upstream or known.get("enabled") is not True:
            raise ToxiproxyError(f"proxy {name} was created otherwise than asked: {known}")
        return ProxyHandle(self, name, str(known["listen"]))


class DirectDriver(Driver):
    """Asks an embedded server's API without HTTP, thread and deadline.

    In virtual time no clock could see that thread. In real time a standstill of our loop would look like a server that
    does not answer.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    async def close(self) -> None:
        pass

    async def ask(self, method: str, url: str, json: Any = None) -> Any:
        response = await self._api.handle(method, url, b"" if json is None else dumps(json).encode(), "brokercert")
        if not 200 <= response.status < 300:
            raise ToxiproxyError(f"{method} {url}: {response.status} {_text(response.body)}", response.status)
        return loads(response.body) if response.body else None


class ProxyHandle:
    """One proxy. Every change returns when it was asked for and when it was acknowledged, and is read back."""

    def __init__(self, driver: Driver, name: str, listen: str) -> None:
        self._driver = driver
        self.name = name
        host, _, port = listen.rpartition(":")
        self.listen = (host.strip("[]"), int(port))

    async def disable(self) -> Times:
        return await self._enable(False)

    async def enable(self) -> Times:
        return await self._enable(True)

    async def _enable(self, on: bool) -> Times:
        times, answer = await self._timed("PATCH", f"/proxies/{self.name}", {"enabled": on})
        if answer.get("enabled") is not on:
            raise ToxiproxyError(f"proxy {self.name} is not {'enabled' if on else 'disabled'}: {answer}")
        return times

    async def add(
        self,
        kind: str,
        stream: Literal["upstream", "downstream"],
        attributes: Mapping[str, int],
        toxicity: float = 1.0,
        name: str | None = None,
    ) -> Times:
        """Add a toxic; its name defaults to `<kind>_<stream>`."""
        body = {
            "type": kind,
            "stream": stream,
            "name": name or f"{kind}_{stream}",
            "toxicity": toxicity,
            "attributes": dict(attributes),
        }
        times, answer = await self._timed("POST", f"/proxies/{self.name}/toxics", body)
        self._check(answer, attributes)
        return times

    async def update(self, name: str, attributes: Mapping[str, int]) -> Times:
        times, answer = await self._timed(
            "PATCH", f"/proxies/{self.name}/toxics/{name}", {"attributes": dict(attributes)}
        )
        self._check(answer, attributes)
        return times

    async def remove(self, name: str) -> Times:
        times, _ = await self._timed("DELETE", f"/proxies/{self.name}/toxics/{name}")
        return times

    async def toxics(self) -> list[dict[str, Any]]:
        answer = await self._driver.ask("GET", f"/proxies/{self.name}/toxics")
        return list(answer)

    async def destroy(self) -> None:
        """Let it be gone, whoever deleted it. Raises `ToxiproxyError`."""
        try:
            await self._driver.ask("DELETE", f"/proxies/{self.name}")
        except ToxiproxyError as error:
            if error.status != GONE:
                raise

    async def _timed(self, method: str, url: str, body: Any = None) -> tuple[Times, Any]:
        loop = asyncio.get_running_loop()
        requested = loop.time()
        answer = await self._driver.ask(method, url, body)
        return (requested, loop.time()), answer

    def _check(self, answer: Any, attributes: Mapping[str, int]) -> None:
        held = answer.get("attributes", {})
        wrong = {key: held.get(key) for key, value in attributes.items() if held.get(key) != value}
        if wrong:
            raise ToxiproxyError(f"proxy {self.name}: the server took {wrong} instead of {dict(attributes)}")
