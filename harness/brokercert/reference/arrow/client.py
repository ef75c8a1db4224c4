"""The client as its user has it: connect, disconnect, events, handlers, tracking. Sockets and timers; decisions are the
core's (`ladder`, `heart`, `orders`).

    client = OrderUpdatesClient(config)
    client.on("connect", lambda: ...); client.on_all_orders(lambda update: ...)
    client.connect()
    outcome = await client.track("240123000123456")
    await client.disconnect()
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus, WebSocketException

from brokercert.reference.arrow.config import Config
from brokercert.reference.arrow.heart import HEARTBEAT, Heart
from brokercert.reference.arrow.ladder import Ladder
from brokercert.reference.arrow.orders import OVER, OrderView
from brokercert.reference.rest import RestError

EVENTS = ("connect", "disconnect", "reconnect", "noreconnect", "error", "close", "message", "orderUpdate")
ALL = "*"
CLOSE_WAIT = 1.0  # seconds that a good-bye may take: a dead server answers none
OPEN_WAIT = 10.0  # seconds that an upgrade may take
REFUSED = (401, 403)
FETCH_AGAIN = 2.0  # seconds until missed updates are asked for once more, where that failed

Handler = Callable[..., None]


class OrderUpdatesClient:
    """One socket, kept open. Each of `failures` is called with what the user should know."""

    ladder_class: type[Ladder] = Ladder
    heart_class: type[Heart] = Heart
    view_class: type[OrderView] = OrderView

    def __init__(self, config: Config) -> None:
        self.config = config
        self.view = self.view_class(config.clear_after, config.remembered)
        self.view.edition = config.edition
        self.ladder = self.ladder_class(config.reconnect_max_delay, config.reconnect_max_tries)
        self.ladder.immediate, self.ladder.first = config.immediate, config.edition.first_delay
        self._handlers: dict[str, list[Handler]] = {name: [] for name in EVENTS}
        self._order_handlers: dict[str, list[Handler]] = {}
        self._socket: ClientConnection | None = None
        self._running: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._tracked: dict[str, list[asyncio.Future[str]]] = {}
        self._wake = asyncio.Event()
        self.failures: list[Handler] = []

    # The page's surface.

    def connect(self) -> None:
        """Connect, and stay connected; nothing where it does so already."""
        if self._running is None or self._running.done():
            self._running = asyncio.get_running_loop().create_task(self.keep())

    async def disconnect(self) -> None:
        """End the connection for good, with everything that was started for it."""
        running, self._running = self._running, None
        socket, self._socket = self._socket, None
        for task in [*self._tasks, *([running] if running else [])]:
            task.cancel()
        if running is not None:
            await asyncio.wait({running})
        if socket is not None:
            await socket.close()
        self._order_handlers.clear()
        for futures in self._tracked.values():
            for future in futures:
                future.cancel()

    @property
    def connected(self) -> bool:
        return self._socket is not None

    def on(self, event: str, handler: Handler) -> None:
        """One of `EVENTS`. Raises ValueError for another."""
        if event not in self._handlers:
            raise ValueError(f"event {event!r}; expected one of {', '.join(EVENTS)}")
        self._handlers[event].append(handler)

    def on_order_update(self, order_id: str, handler: Handler) -> None:
        self._order_handlers.setdefault(order_id, []).append(handler)

    def on_all_orders(self, handler: Handler) -> None:
        self.on_order_update(ALL, handler)

    def on_connection_status(self, handler: Callable[[str], None]) -> None:
        """Told `connected`, `disconnected` or `reconnecting`."""
        for event, status in (("connect", "connected"), ("disconnect", "disconnected"), ("reconnect", "reconnecting")):
            self.on(event, lambda *_, status=status: handler(status))

    async def track(self, order_id: str, within: float | None = None) -> str:
        """Until the order is over: its last status, or `timeout` after so many seconds (None: as configured)."""
        known = self.view.orders.get(order_id)
        if known is not None and known["orderStatus"] in OVER:
            return str(known["orderStatus"])
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._tracked.setdefault(order_id, []).append(future)
        try:
            async with asyncio.timeout(self.config.track_timeout if within is None else within):
                return await future
        except TimeoutError:
            return "timeout"
        finally:
            self._tracked[order_id].remove(future)

    # Staying connected.

    async def keep(self) -> None:
        """One connection after the other, until there is no reason for a further one."""
        renewed = False
        while True:
            try:
                socket = await self.open()
            except (OSError, TimeoutError, WebSocketException) as error:
                self.trigger("error", type(error).__name__)
                if isinstance(error, InvalidStatus) and error.response.status_code in REFUSED:
                    self.fail("login refused: log in again")
                    if not renewed:  # once: what was just renewed is not mended by renewing
                        renewed = await self.renew()
            else:
                renewed = False
                await self.live(socket)
            if not await self.pause():
                return

    async def open(self) -> ClientConnection:
        return await connect(
            self.url(),
            proxy=None,
            compression=None,
            ping_interval=None,
            open_timeout=OPEN_WAIT,
            close_timeout=CLOSE_WAIT,
            max_queue=None,
        )

    def url(self) -> str:
        pairs = self.config.edition.credentials(self.config)
        return f"{self.config.url}?{'&'.join(f'{name}={self.encoded(value)}' for name, value in pairs)}"

    def encoded(self, value: str) -> str:
        return quote(value, safe="")

    async def live(self, socket: ClientConnection) -> None:
        """An open connection, to its end."""
        loop = asyncio.get_running_loop()
        self._socket = socket
        opened, lasting = loop.time(), self.config.edition.lasting
        if not lasting:
            self.ladder.succeeded()
        heart = self.heart_class(self.config.pong_every, self.config.read_timeout, loop.time())
        self.trigger("connect")
        self.spawn(self.catch_up(socket))
        beating = loop.create_task(self.beat(socket, heart))
        try:
            async for message in socket:
                heart.heard(loop.time())
                self.on_message(message)
        except ConnectionClosed as error:
            self.on_broken(error)
        finally:
            beating.cancel()
            self._socket = None
        if loop.time() - opened >= lasting > 0:
            self.ladder.succeeded()
        await self.on_lost(socket)

    async def on_lost(self, socket: ClientConnection) -> None:
        if socket.protocol.close_rcvd is not None:
            self.trigger("close", socket.close_code)
        self.trigger("disconnect")

    def on_broken(self, error: ConnectionClosed) -> None:
        if not isinstance(error, ConnectionClosedOK):
            self.trigger("error", type(error).__name__)

    async def pause(self) -> bool:
        """Wait until the next attempt is due. False: there is none."""
        if not self.config.auto_reconnect:
            return False
        delay = self.ladder.next()
        if delay is None:
            self.trigger("noreconnect")
            return False
        self.trigger("reconnect", self.ladder.attempt, delay)
        await asyncio.sleep(delay)
        return True

    async def beat(self, socket: ClientConnection, heart: Heart) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(0.0, min(heart.wake(), self.view.next_clearing()) - loop.time(), 0.001))
            now = loop.time()
            self.view.clear(now)
            if heart.silent(now):
                await socket.close()
                return
            if heart.due(now):
                with suppress(ConnectionClosed):
                    await socket.send(HEARTBEAT)

    async def renew(self) -> bool:
        """A new session in place of the one that was refused."""
        config = self.config
        try:
            fresh = await config.edition.renewed(config)
        except (RestError, KeyError, TypeError):
            self.fail("the session could not be renewed")
            return False
        if fresh is None:
            return False
        self.config = replace(config, session=fresh[0], token=fresh[1])
        return True

    async def catch_up(self, socket: ClientConnection) -> None:
        """What was missed while away, from the Orders REST API."""
        config = self.config
        while config.rest_url and self._socket is socket:
            try:
                orders = await config.edition.orders(config)
                for order in self.view.fetched(orders, asyncio.get_running_loop().time()):
                    self.on_state(order)
                return
            except (RestError, KeyError, TypeError):
                await asyncio.sleep(FETCH_AGAIN)

    # Messages.

    def on_message(self, message: str | bytes) -> None:
        """Text that is an update is taken; anything else is none of ours."""
        self.trigger("message", message)
        if isinstance(message, bytes):
            return
        try:
            value = json.loads(message)
        except (ValueError, RecursionError):
            return
        update = self.config.edition.read(value) if isinstance(value, dict) else None
        if update is not None:
            self.on_update(update)

    def on_update(self, update: Mapping[str, Any]) -> None:
        taken, why = self.view.take(update, asyncio.get_running_loop().time())
        if taken == "invalid":
            self.fail(f"an update was not applied: {why}")
        elif taken == "applied":
            self.trigger("orderUpdate", update)
            self.handle(update)
            self.on_state(update)

    def handle(self, update: Mapping[str, Any]) -> None:
        """The handlers of this order, and those of all."""
        for name in (update["orderId"], ALL):
            for handler in list(self._order_handlers.get(name, [])):
                handler(update)

    def on_state(self, order: Mapping[str, Any]) -> None:
        """An order's state is known, pushed or fetched."""
        if order["orderStatus"] in OVER:
            for future in self._tracked.get(order["orderId"], []):
                if not future.done():
                    future.set_result(str(order["orderStatus"]))

    def trigger(self, event: str, *details: Any) -> None:
        for handler in list(self._handlers[event]):
            handler(*details)

    def fail(self, text: str) -> None:
        """Something that the user should know."""
        for handler in self.failures:
            handler(text)

    def spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
