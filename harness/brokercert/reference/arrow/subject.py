"""The reference client as a subject: from its environment, with reports on its output, and commands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from brokercert.reference.arrow.client import EVENTS, OrderUpdatesClient
from brokercert.reference.arrow.config import config_of
from brokercert.reference.arrow.edition import FIRST, Edition


class ArrowSubject:
    """Factory and subject in one: `ArrowSubject(env, output)`. Raises `ConfigError`.

    `wall` and `seed`, which a factory is given, mean nothing to it: it has no calendar and draws nothing.
    """

    client_class: type[OrderUpdatesClient] = OrderUpdatesClient
    edition: Edition = FIRST

    def __init__(
        self, env: Mapping[str, str], output: Callable[[str], None], *, wall: Any = None, seed: int = 1
    ) -> None:
        self.config = config_of(env, self.edition)
        self._output = output
        self._over = asyncio.Event()
        self._tracking: set[asyncio.Task[None]] = set()
        self.client = self.client_class(self.config)

    async def run(self) -> int:
        """Until it is asked to stop."""
        client = self.client
        for event in EVENTS:
            client.on(event, lambda *details, event=event: self._raised(event, details))
        client.failures.append(lambda text: self.say("error", text=text))
        client.on_all_orders(lambda update: self._processed(update))
        for order in self.config.orders:
            client.on_order_update(order, lambda update, order=order: self._handled(order, update))
        client.on("connect", self._track_once)
        client.connect()
        await self._over.wait()
        await client.disconnect()
        for task in self._tracking:
            task.cancel()
        return 0

    async def stop(self) -> None:
        self._over.set()

    async def command(self, line: Mapping[str, Any]) -> None:
        ident = line.get("id")
        match line.get("command"):
            case "snapshot":
                self.client.view.clear(asyncio.get_running_loop().time())
                self.say("snapshot", id=ident, entities={"order": self.orders()})
            case "stop":
                await self.stop()
            case name:
                self.say("unsupported", id=ident, command=name)

    def orders(self) -> list[dict[str, Any]]:
        return [self.edition.told(order) for order in self.client.view.orders.values()]

    def say(self, event: str, **more: Any) -> None:
        if self.config.level != "wire":
            self._output(json.dumps({"event": event, **more}))

    def _raised(self, event: str, details: tuple[Any, ...]) -> None:
        more: dict[str, Any] = {}
        if event == "reconnect":
            more = {"attempt": details[0], "delay": details[1]}
        elif event == "orderUpdate":
            more = self.edition.names(details[0])
        self.say("raised", name=event, **more)

    def _processed(self, update: Mapping[str, Any]) -> None:
        self.say("processed", updateType=update["updateType"], **self.edition.names(update))
        self._handled("*", update)

    def _handled(self, handler: str, update: Mapping[str, Any]) -> None:
        self.say("handled", handler=handler, **self.edition.names(update))

    def _track_once(self) -> None:
        """Tracking begins with the first connection."""
        if not self._tracking:
            for order in self.config.track:
                self._tracking.add(asyncio.get_running_loop().create_task(self._track(order)))

    async def _track(self, order: str) -> None:
        outcome = await self.client.track(order)
        self.say("tracked", **self.edition.called(order), outcome=outcome)
