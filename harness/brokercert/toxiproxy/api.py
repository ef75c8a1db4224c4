"""The HTTP API: routes, statuses and bodies of toxiproxy-server 2.12.0, and what is mended of it.

Pure of sockets: a method, a path, a body in; a status, headers, a body out. Mended: a slicer without a size is refused
(it kills 2.12.0), a refused change changes nothing (2.12.0 half-applies it), and no proxy is open to other machines.
"""

from __future__ import annotations

import posixpath
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from brokercert_mock.port.addresses import is_loopback

from brokercert.toxiproxy import gojson
from brokercert.toxiproxy.gojson import BodyError
from brokercert.toxiproxy.proxy import ListenError, Proxy, resolved
from brokercert.toxiproxy.toxics import TYPES, Toxic

VERSION = "2.12.0-embedded"
BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
JSON = "application/json"
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = b""
    kind: str = ""
    matched: bool = True  # a known route: such answers carry a request id
    location: str = ""


class ApiError(Exception):
    """An error with its status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message

    def response(self) -> Response:
        body = gojson.write({"error": self.message, "status": self.status}) + b"\n"
        return Response(self.status, body, TEXT)


NO_PROXY = (404, "proxy not found")
NO_TOXIC = (404, "toxic not found")


def _bad(error: BodyError) -> ApiError:
    return ApiError(400, f"bad request body: {error}")


class Api:
    """All proxies of one server. They listen on loopback alone, unless `everywhere`: then wherever they are told to."""

    def __init__(
        self, rng: random.Random, on_change: Callable[[str], None] | None = None, *, everywhere: bool = False
    ) -> None:
        self._everywhere = everywhere
        self.proxies: dict[str, Proxy] = {}
        self._rng = rng
        self._on_change = on_change or (lambda _: None)

    async def handle(self, method: str, target: str, body: bytes, agent: str) -> Response:
        """Answer one request."""
        # Decoded before it is cut up, as the real one does: a name with a slash can be made, and never be addressed.
        path, _, query = target.partition("?")
        if BROKEN_ESCAPE.search(path):
            return Response(400, b"400 Bad Request", TEXT, matched=False)
        path = unquote(path)
        if (clean := _clean(path)) != path:
            return Response(301, matched=False, location=quote(clean) + (f"?{query}" if query else ""))
        parts = path.split("/")[1:]
        found = self._route(parts)
        if found is None or any(part == "" for part in parts):
            return Response(404, b"404 page not found\n", TEXT, matched=False)
        methods = found
        if method not in methods:
            return Response(405, matched=False)
        if agent.startswith("Mozilla/"):
            return Response(403, b"User agent not allowed\n", TEXT)
        try:
            return await methods[method](*parts[1:2], *parts[3:], body=body)
        except ApiError as error:
            return error.response()

    def _route(self, parts: list[str]) -> dict[str, Callable[..., Awaitable[Response]]] | None:
        match parts:
            case ["proxies"]:
                return {"GET": self._list, "POST": self._create}
            case ["populate"]:
                return {"POST": self._populate}
            case ["reset"]:
                return {"POST": self._reset}
            case ["version"]:
                return {"GET": self._version}
            case ["proxies", _]:
                return {"GET": self._show, "POST": self._update, "PATCH": self._update, "DELETE": self._delete}
            case ["proxies", _, "toxics"]:
                return {"GET": self._toxics, "POST": self._add}
            case ["proxies", _, "toxics", _]:
                change = self._change
                return {"GET": self._toxic, "POST": change, "PATCH": change, "DELETE": self._remove}
            case _:
                return None

    def _proxy(self, name: str) -> Proxy:
        if name not in self.proxies:
            raise ApiError(*NO_PROXY)
        return self.proxies[name]

    # Proxies.

    async def _version(self, *, body: bytes) -> Response:
        return Response(200, b'{"version": "%s"}\n' % VERSION.encode(), "application/json;charset=utf-8")

    async def _list(self, *, body: bytes) -> Response:
        shown = {name: self.proxies[name].as_json() for name in sorted(self.proxies)}
        return Response(200, gojson.write(shown), JSON)

    async def _create(self, *, body: bytes) -> Response:
        try:
            wanted = _proxy_fields(gojson.read_value(body))
        except BodyError as error:
            raise _bad(error) from error
        name, upstream = wanted.get("name"), wanted.get("upstream")
        if not name:
            raise ApiError(400, "missing required field: name")
        if not upstream:
            raise ApiError(400, "missing required field: upstream")
        self._check_listen(wanted)
        if name in self.proxies:
            raise ApiError(409, "proxy already exists")
        proxy = await self._make(wanted)
        return Response(201, gojson.write(proxy.as_json()), JSON)

    def _check_listen(self, wanted: dict[str, Any]) -> None:
        """Raises `ApiError` where the proxy would be open to other machines. Whoever runs anything on this machine may
        ask, and to no host at all `Proxy.start` gives loopback.
        """
        listen = wanted.get("listen") or ""
        host, colon, _ = listen.rpartition(":")
        if self._everywhere or not (colon and host) or is_loopback(host.strip("[]").lower()):
            return
        raise ApiError(
            400,
            f"listen {listen}: open to other machines; expected localhost, 127.x.x.x, [::1] or nothing as its host;"
            " to open it all the same, make the server with ToxiproxyServer(everywhere=True)",
        )

    async def _make(self, wanted: dict[str, Any]) -> Proxy:
        proxy = Proxy(wanted["name"], wanted.get("listen") or "", wanted["upstream"], self._rng)
        if wanted.get("enabled") is not False:
            await self._start(proxy)
        self.proxies[proxy.name] = proxy
        return proxy

    async def _start(self, proxy: Proxy) -> None:
        try:
            await proxy.start()
        except ListenError as error:
            raise ApiError(500, str(error)) from error

    async def _show(self, name: str, *, body: bytes) -> Response:
        return Response(200, gojson.write(self._proxy(name).as_json()), JSON)

    async def _update(self, name: str, *, body: bytes) -> Response:
        proxy = self._proxy(name)
        try:
            wanted = _proxy_fields(gojson.read_value(body))
        except BodyError as error:
            raise _bad(error) from error
        self._check_listen(wanted)
        listen = wanted.get("listen") or proxy.listen
        upstream = proxy.upstream if wanted.get("upstream") is None else wanted["upstream"]
        enabled = proxy.enabled if wanted.get("enabled") is None else bool(wanted["enabled"])
        moved = bool(wanted.get("listen")) and _leads_elsewhere(listen, proxy.listen)
        if moved or upstream != proxy.upstream:
            await proxy.stop()
            proxy.listen, proxy.upstream = listen if moved else proxy.listen, upstream
        if enabled and not proxy.enabled:
            await self._start(proxy)
        elif not enabled and proxy.enabled:
            await proxy.stop()
        self._on_change(f"proxy {name} {'enabled' if proxy.enabled else 'disabled'}")
        return Response(200, gojson.write(proxy.as_json()), JSON)

    async def _delete(self, name: str, *, body: bytes) -> Response:
        proxy = self._proxy(name)
        del self.proxies[name]
        await proxy.stop()
        return Response(204)

    async def _reset(self, *, body: bytes) -> Response:
        for proxy in self.proxies.values():
            for stream, toxics in proxy.toxics.items():
                if toxics:
                    proxy.toxics[stream] = []
                    proxy.changed(stream)
            await self._start(proxy)
        return Response(204)

    async def _populate(self, *, body: bytes) -> Response:
        try:
            value = gojson.read_value(body)
            if not isinstance(value, list):
                struct = 'type []struct { toxiproxy.Proxy; Enabled *bool "json:\\"enabled\\"" }'
                raise BodyError(f"json: cannot unmarshal {gojson.kind_of(value)} into Go value of {struct}")
            wanted = [_proxy_fields(item) for item in value]
        except BodyError as error:
            return _populated(400, [], f"bad request body: {error}")
        for number, fields in enumerate(wanted, start=1):
            for name in ("name", "upstream"):
                if not fields.get(name):
                    return _populated(400, [], f"missing required field: {name} at proxy {number}")
            try:
                self._check_listen(fields)
            except ApiError as error:
                return _populated(error.status, [], f"{error.message} at proxy {number}")
        made: list[Proxy] = []
        for fields in wanted:
            known = self.proxies.get(fields["name"])
            listen = (fields.get("listen") or "").replace("localhost:", "127.0.0.1:")
            if known is not None and (known.listen, known.upstream) == (listen, fields["upstream"]):
                made.append(known)  # left alone, its `enabled` in the request ignored
                continue
            if known is not None:
                await known.stop()
                del self.proxies[known.name]
            try:
                made.append(await self._make(fields))
            except ApiError as error:
                return _populated(500, made, error.message)
        return _populated(201, made, "")

    # Toxics.

    async def _toxics(self, name: str, *, body: bytes) -> Response:
        return Response(200, gojson.write([toxic.as_json() for toxic in self._proxy(name).all_toxics()]), JSON)

    def _find(self, name: str, toxic_name: str) -> tuple[Proxy, Toxic]:
        proxy = self._proxy(name)
        toxic = proxy.find(toxic_name)
        if toxic is None:
            raise ApiError(*NO_TOXIC)
        return proxy, toxic

    async def _toxic(self, name: str, toxic_name: str, *, body: bytes) -> Response:
        return Response(200, gojson.write(self._find(name, toxic_name)[1].as_json()), JSON)

    async def _add(self, name: str, *, body: bytes) -> Response:
        proxy = self._proxy(name)
        try:
            toxic = _new_toxic(gojson.read_value(body))
        except BodyError as error:
            raise _bad(error) from error
        if proxy.find(toxic.name) is not None:
            raise ApiError(409, "toxic already exists")
        stream = toxic.stream.lower()
        proxy.toxics[stream].append(toxic)
        # The stub before a new one is started anew with it, and draws its toxicity again.
        proxy.changed(stream, proxy.toxics[stream][-2:])
        self._on_change(f"toxic {toxic.name} added to {name}")
        return Response(200, gojson.write(toxic.as_json()), JSON)

    async def _change(self, name: str, toxic_name: str, *, body: bytes) -> Response:
        proxy, toxic = self._find(name, toxic_name)
        try:
            value = gojson.read_value(body)
            fields = gojson.fold(value) if isinstance(value, dict) else {}
            attributes = _attributes(toxic.type, fields, dict(toxic.attributes))
            toxicity = gojson.field(fields, "toxicity", float, "float32", ".toxicity")
        except BodyError as error:
            raise _bad(error) from error
        _check_sizes(toxic.type, attributes)
        toxic.attributes = attributes
        toxic.toxicity = toxic.toxicity if toxicity is None else float(toxicity)
        proxy.changed(toxic.stream.lower(), [toxic])
        return Response(200, gojson.write(toxic.as_json()), JSON)

    async def _remove(self, name: str, toxic_name: str, *, body: bytes) -> Response:
        proxy, toxic = self._find(name, toxic_name)
        stream = toxic.stream.lower()
        proxy.toxics[stream].remove(toxic)
        proxy.changed(stream)
        self._on_change(f"toxic {toxic_name} removed from {name}")
        return Response(204)


def _leads_elsewhere(new: str, old: str) -> bool:
    """Whether another address is meant. Raises `ApiError` where the new one is none; the old one may be."""
    try:
        place = resolved(new)
    except ListenError as error:
        raise ApiError(500, str(error)) from error
    try:
        return place != resolved(old)
    except ListenError:
        return True


def _clean(path: str) -> str:
    """The path without doubled slashes and dots, to which the real server sends whoever asks for another one."""
    return "/" + posixpath.normpath(path).strip("/") + ("/" if path.endswith("/") and path.strip("/") else "")


def _populated(status: int, made: list[Proxy], error: str) -> Response:
    shown = [proxy.as_json() for proxy in made] or None
    if not error:
        return Response(status, gojson.write({"proxies": shown}), JSON)
    return Response(status, gojson.write({"error": error, "status": status, "proxies": shown}), JSON)


def _proxy_fields(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        if value is None:
            return {}
        raise BodyError(f"json: cannot unmarshal {gojson.kind_of(value)} into Go value of type toxiproxy.Proxy")
    fields = gojson.fold(value)
    return {
        "name": gojson.field(fields, "name", str, "string", "Proxy.name"),
        "listen": gojson.field(fields, "listen", str, "string", "Proxy.listen"),
        "upstream": gojson.field(fields, "upstream", str, "string", "Proxy.upstream"),
        "enabled": gojson.field(fields, "enabled", bool, "bool", "Proxy.enabled"),
    }


def _new_toxic(value: Any) -> Toxic:
    if not isinstance(value, dict):
        raise BodyError(f"json: cannot unmarshal {gojson.kind_of(value)} into Go value of type struct")
    fields = gojson.fold(value)
    kind = gojson.field(fields, "type", str, "string", ".type") or ""
    stream = gojson.field(fields, "stream", str, "string", ".stream") or "downstream"
    given = gojson.field(fields, "name", str, "string", ".name")
    toxicity = gojson.field(fields, "toxicity", float, "float32", ".toxicity")
    if stream.lower() not in ("upstream", "downstream"):
        raise ApiError(400, "stream was invalid, can be either upstream or downstream")
    if kind not in TYPES:
        raise ApiError(400, "invalid toxic type")
    name = given or f"{kind}_{stream}"
    attributes = _attributes(kind, fields, dict.fromkeys(TYPES[kind].attributes, 0))
    _check_sizes(kind, attributes)
    return Toxic(kind, name, stream, 1.0 if toxicity is None else float(toxicity), attributes)


def _attributes(kind: str, fields: dict[str, Any], known: dict[str, int]) -> dict[str, int]:
    """The attributes with those of the request put in; unknown ones are ignored."""
    given = gojson.field(fields, "attributes", dict, "struct", ".attributes") or {}
    given = gojson.fold(given)
    for name in TYPES[kind].attributes:
        value = gojson.field(given, name, int, "int64", f".attributes.{name}")
        if value is not None:
            known[name] = value
    return known


def _check_sizes(kind: str, attributes: dict[str, int]) -> None:
    if kind != "slicer":
        return
    if attributes["average_size"] <= 0:
        raise ApiError(400, "average_size must be greater than 0")
    if not 0 <= attributes["size_variation"] <= attributes["average_size"]:
        raise ApiError(400, "size_variation must be at least 0 and at most average_size")
