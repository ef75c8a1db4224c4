"""A proxy: a name, where it listens, where it leads, its toxics and its live links."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Sequence
from functools import partial

from brokercert.engine.machine.descriptors import SHORT
from brokercert.toxiproxy.link import Link
from brokercert.toxiproxy.toxics import Toxic

ANY = "127.0.0.1:0"  # where a proxy listens that was told no address; the real one takes every interface
DIAL = 10.0  # seconds for reaching the upstream


class ListenError(Exception):
    """A listen address that cannot be used; the text is the real server's."""


def split_address(text: str) -> tuple[str, int]:
    """Host and port of `host:port`. Raises `ListenError`."""
    host, colon, port = text.rpartition(":")
    if not colon:
        raise ListenError(f"address {text}: missing port in address")
    return host.strip("[]"), _port(port)


def resolved(text: str) -> tuple[str, int]:
    """The same with this machine's usual name as its address. Raises `ListenError`."""
    host, port = split_address(text)
    return "127.0.0.1" if host.lower() == "localhost" else host, port


def _port(text: str) -> int:
    """A port by its number or by its service's name; none is any."""
    if text.isascii() and text.isdigit():
        if int(text[:6]) > 65535:
            raise ListenError(f"address {text}: invalid port")
        return int(text)
    try:
        return socket.getservbyname(text, "tcp") if text else 0
    except (OSError, ValueError) as error:
        raise ListenError(f"lookup tcp/{text}: unknown port") from error


class Proxy:
    """One proxy of a server."""

    def __init__(self, name: str, listen: str, upstream: str, rng: random.Random) -> None:
        self.name, self.listen, self.upstream = name, listen, upstream
        self.enabled = False
        self.toxics: dict[str, list[Toxic]] = {"upstream": [], "downstream": []}
        self._rng = rng
        self._server: asyncio.Server | None = None
        self._links: dict[Link, asyncio.Task[None]] = {}
        self._dials: set[asyncio.Task[None]] = set()
        self._stops = 0  # so far: a connection that was accepted before the last one has ended with it

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "listen": self.listen,
            "upstream": self.upstream,
            "enabled": self.enabled,
            "Logger": {},
            "toxics": [toxic.as_json() for toxic in self.all_toxics()],
        }

    def all_toxics(self) -> list[Toxic]:
        return [*self.toxics["upstream"], *self.toxics["downstream"]]

    def find(self, name: str) -> Toxic | None:
        return next((toxic for toxic in self.all_toxics() if toxic.name == name), None)

    async def start(self) -> None:
        """Listen. Raises `ListenError`."""
        if self.enabled:
            return
        try:
            host, port = resolved(self.listen or ANY)
        except ListenError as error:
            raise ListenError(f"listen tcp: {error}") from error
        try:
            accept = partial(self._accept, self._stops)
            self._server = await asyncio.start_server(accept, host or "127.0.0.1", port, limit=1 << 20)
        except OSError as error:
            text = "bind: address already in use" if error.errno in (98, 48) else f"bind: {error.strerror}"
            raise ListenError(f"listen tcp {host}:{port}: {text}") from error
        except UnicodeError as error:  # a host that can be no name
            raise ListenError(f"listen tcp {host}:{port}: lookup {host}: no such host") from error
        bound = self._server.sockets[0].getsockname()
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.listen = f"{shown}:{bound[1]}"
        self.enabled = True

    async def stop(self) -> None:
        """Stop listening and end every connection with FIN; what is under way is lost."""
        self.enabled = False
        self._stops += 1
        await self._stop_listening()
        for link in self._links:
            link.close()
        for task in self._dials:
            task.cancel()
        await asyncio.gather(*self._links.values(), *self._dials, return_exceptions=True)

    async def _stop_listening(self) -> None:
        """In two turns of the loop. A connection that was accepted in this one gets its transport in the next one; if
        its server was closed by then, asyncio drops the connection without closing it, and the client waits.
        """
        server, self._server = self._server, None
        if server is None:
            return
        try:
            for listener in server.sockets:
                asyncio.get_running_loop().remove_reader(listener)
            await asyncio.sleep(0)
        finally:
            server.close()

    def changed(self, stream: str, resampled: Sequence[Toxic] = ()) -> None:
        """The toxics of a direction changed: live connections take it at once."""
        for link in list(self._links):
            link.rebuild(stream, resampled)

    async def _accept(self, stops: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection that was accepted after so many stops."""
        if stops != self._stops:
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._dials.add(task)
        try:
            host, port = split_address(self.upstream)
            async with asyncio.timeout(DIAL):
                server = await asyncio.open_connection(host, port, limit=1 << 20)
        except (OSError, TimeoutError, UnicodeError, ListenError) as error:
            writer.close()  # a refused upstream is a clean end for the client
            self._tell_shortage(error)
            return
        except asyncio.CancelledError:
            writer.close()  # by `stop`, which awaits us; asyncio's streams (3.11) trip over a cancelled handler
            return
        finally:
            self._dials.discard(task)
        if stops != self._stops:
            writer.close()
            server[1].close()
            return
        link = Link((reader, writer), server, lambda stream: self.toxics[stream], self._rng)
        self._links[link] = task
        try:
            await link.run()
        finally:
            del self._links[link]

    def _tell_shortage(self, error: Exception) -> None:
        """An upstream that could not be dialled for want of a descriptor is our doing: told as a failed accept is."""
        if self._server is not None and isinstance(error, OSError) and error.errno in SHORT:
            context = {"message": "no room to dial an upstream", "exception": error, "socket": self._server.sockets[0]}
            asyncio.get_running_loop().call_exception_handler(context)
