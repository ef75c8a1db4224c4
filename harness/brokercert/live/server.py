"""The live page's own port: the page over HTTP, and one WebSocket that carries news out and hand-made actions in.

The library's server does all of HTTP: it answers GET alone, which is all that a page needs; what changes anything goes
over the socket. Four locks, since any web page that a developer has open could knock at a port of this machine: it
listens on loopback only; the Host must be a loopback name (a foreign name that was made to lead here is refused);
the URL's token must be known, which is printed once and never written. A page of any other Origin is refused.

Each viewer is served by a task of its own that looks at what is new ten times a second and waits until the browser has
taken it: a page that sleeps costs nothing, and what was dropped meanwhile is counted for it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from brokercert_mock.port.origins import Origin, Origins
from brokercert_mock.port.panel import ActionError, Panel, perform
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

if TYPE_CHECKING:
    from brokercert.live.feed import Feed

EVERY = 0.1  # seconds between two looks: as fast as a person sees
LARGEST = 64 * 1024  # bytes of a message from a page
VIEWERS = 8  # pages at once
OPEN = "open the URL that brokercert serve printed"
CLOSE_WITHIN = 1.0  # seconds that a page has to answer a close: one in a tab that sleeps does not

# A browser opens connections that it then does not use; the library would print a traceback for each.
_LOGGER = logging.getLogger("brokercert.live")
_LOGGER.addFilter(lambda record: record.msg != "opening handshake failed")


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    """A page's message: do an action to a target. `id` comes back with the answer."""

    do: str
    id: int = 0
    on: str = ""
    give: dict[str, str] = {}


class LivePage:
    """One broker's page.

    `page` renders it, given the nonce of its content security policy. `redact` makes secrets labels. `clock` gives
    seconds since the feed's time 0. `facts` are shown at its head: name -> text.
    """

    def __init__(
        self,
        feed: Feed,
        panel: Panel,
        *,
        page: Callable[[str, str], str],
        redact: Callable[[str], str],
        clock: Callable[[], float],
        facts: dict[str, str],
    ) -> None:
        self._feed, self._panel = feed, panel
        self._page, self._redact, self._clock = page, redact, clock
        self._facts = facts
        self._token = secrets.token_urlsafe(18)
        self._server: Server | None = None
        self._viewers = 0
        self._stated_at, self._stated = float("-inf"), ""
        self.port = 0

    @property
    def url(self) -> str:
        """The page, with its token."""
        return f"http://127.0.0.1:{self.port}/?token={self._token}"

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes a free one. OSError where it is taken."""
        sock = socket.create_server(("127.0.0.1", port))
        self.port = sock.getsockname()[1]
        # Not all of this machine: a page of another port of it is another server's. A program that is no browser sends
        # no Origin. It has the token.
        own = frozenset(Origin.read(f"http://{host}") for host in self._hosts())
        self._origins = Origins(own, here=False, advice=OPEN)
        self._server = await serve(
            self._view,
            sock=sock,
            process_request=self._answer_get,
            compression=None,
            max_size=LARGEST,
            close_timeout=CLOSE_WITHIN,
            logger=_LOGGER,
            server_header=None,
        )

    async def close(self) -> None:
        """Stop listening and send every page away."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _hosts(self) -> tuple[str, str]:
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    # HTTP.

    def _answer_get(self, connection: ServerConnection, request: Request) -> Response | None:
        """None: go on to the WebSocket."""
        target = urlsplit(request.path)
        hosts = request.headers.get_all("Host")
        if len(hosts) != 1 or hosts[0] not in self._hosts():  # two: nobody can say which one was meant
            return connection.respond(HTTPStatus.MISDIRECTED_REQUEST, f"expected Host {self._hosts()[0]}\n")
        foreign = self._origins.refusal(request.headers.get_all("Origin"))
        if foreign is not None:
            return connection.respond(HTTPStatus.FORBIDDEN, foreign)
        if not secrets.compare_digest(parse_qs(target.query).get("token", [""])[0].encode(), self._token.encode()):
            return connection.respond(HTTPStatus.FORBIDDEN, f"{OPEN}\n")
        if target.path == "/live":
            return None
        if target.path != "/":
            return connection.respond(HTTPStatus.NOT_FOUND, "expected / or /live\n")
        nonce = secrets.token_urlsafe(18)
        response = connection.respond(HTTPStatus.OK, self._page(self._panel.title, nonce))
        del response.headers["Content-Type"]
        response.headers.update(
            {
                "Content-Type": "text/html; charset=utf-8",
                "Content-Security-Policy": _policy(nonce, hosts[0]),
                "Cache-Control": "no-store",
                "Referrer-Policy": "no-referrer",
                "X-Content-Type-Options": "nosniff",
            }
        )
        return response

    # The socket.

    async def _view(self, ws: ServerConnection) -> None:
        if self._viewers >= VIEWERS:
            await ws.close(1013, f"{VIEWERS} pages are open already")
            return
        self._viewers += 1
        sending = asyncio.create_task(self._send_news(ws))
        try:
            async for message in ws:
                await ws.send(self.carry_out(message))
        except ConnectionClosed:
            return  # a page that was closed in the middle
        finally:
            self._viewers -= 1
            sending.cancel()

    async def _send_news(self, ws: ServerConnection) -> None:
        seen, shown = 0, ""
        try:
            await ws.send(self._redact(_json({"facts": self._facts, "actions": self._actions()})))
            while True:
                news: dict[str, Any] = {"now": self._clock()}
                state = self._state()
                if state != shown:
                    news["state"], shown = msgspec.Raw(state.encode()), state
                if self._feed.total != seen:
                    news |= {"lines": self._feed.since(seen), "total": self._feed.total}
                    seen = self._feed.total
                if len(news) > 1:
                    await ws.send(_json(news))
                await asyncio.sleep(EVERY)
        except ConnectionClosed:
            return

    def carry_out(self, message: str | bytes) -> str:
        """Do what a page asks, and say what was done or what is wrong with it."""
        try:
            asked = msgspec.json.decode(message, type=_Asked)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return _json({"answer": 0, "ok": False, "text": f"not understood: {error}"})
        try:
            text = perform(self._panel, asked.do, asked.on, asked.give)
        except ActionError as error:
            return _json({"answer": asked.id, "ok": False, "text": self._redact(str(error))})
        return _json({"answer": asked.id, "ok": True, "text": self._redact(text)})

    def _actions(self) -> list[dict[str, Any]]:
        return [
            {
                "name": action.name,
                "label": action.label,
                "on": action.on,
                "help": action.help,
                "fields": [asdict(field) for field in action.fields],
            }
            for action in self._panel.actions()
        ]

    def _state(self) -> str:
        """What the broker thinks now, as JSON; the same text for pages that look at the same time."""
        now = self._clock()
        if now - self._stated_at >= EVERY / 2:
            self._stated_at, self._stated = now, self._redact(_json(self._picture()))
        return self._stated

    def _picture(self) -> dict[str, Any]:
        connections = [
            {**asdict(seen), "stage": "" if seen.ended is not None else self._panel.stage(seen.id)}
            for seen in self._feed.connections()
        ]
        return {
            "connections": connections,
            "connections_left_out": self._feed.accepted - len(connections),
            "tables": [asdict(table) for table in self._panel.tables()],
        }


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _policy(nonce: str, host: str) -> str:
    """Nothing is loaded but what the page holds, it talks to this port alone, and no text ever becomes markup."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:;"
        f" connect-src ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'"
    )
