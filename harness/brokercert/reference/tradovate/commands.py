"""The client at the level *commands*: what it reports of itself, and what it does when asked; one JSON line each.

The law: a report is said where the thing happened, and a request that is asked for has one outcome, whatever becomes
of its socket. A request in flight at a loss is not sent again: the next snapshot tells what became of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from brokercert.reference.tradovate.requests import Outcome, QueueFull

if TYPE_CHECKING:
    from brokercert.reference.tradovate.client import ReferenceClient


class Reports:
    """The lines that it prints; none at the level *wire*."""

    def __init__(self, output: Callable[[str], None], level: str) -> None:
        self._output = output
        self._on = level != "wire"

    def say(self, event: str, **more: Any) -> None:
        if self._on:
            self._output(msgspec.json.encode({"event": event, **more}).decode())

    def processed(self, kind: str, data: Any) -> None:
        """A server's event was taken: a line for each entity in it."""
        if self._on and kind == "props":
            for entity_type, ident, event_type in entities_in(data):
                self.say("processed", entityType=entity_type, id=ident, eventType=event_type)


def entities_in(data: Any) -> Iterator[tuple[str, int, str]]:
    for event in data if isinstance(data, list) else [data]:
        if not isinstance(event, dict):
            continue
        kind, change, entity = event.get("entityType"), event.get("eventType"), event.get("entity")
        if isinstance(kind, str) and isinstance(change, str):
            for one in entity if isinstance(entity, list) else [entity]:
                if isinstance(one, dict) and type(one.get("id")) is int:
                    yield kind, one["id"], change


class Commands:
    """Does what it is asked. Answers are reports, with the id of the command."""

    def __init__(self, client: ReferenceClient, reports: Reports) -> None:
        self._client = client
        self._reports = reports

    async def on_line(self, line: str | bytes) -> None:
        """A line of standard input."""
        try:
            command = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            command = None
        if isinstance(command, dict):
            await self.on_command(command)
        else:
            self._reports.say("error", text="a command that cannot be read")

    async def on_command(self, command: Mapping[str, Any]) -> None:
        """Returns at once; what takes time answers later."""
        ident = command.get("id")
        match command.get("command"):
            case "snapshot":
                self._reports.say("snapshot", id=ident, entities=self._client.state())
            case "request":
                self.request(ident, command)
            case "stop":
                await self._client.stop()
            case name:
                self._reports.say("unsupported", id=ident, command=name)

    def request(self, ident: Any, command: Mapping[str, Any]) -> None:
        """Send a request by the client's own queue, and tell how it ends."""

        def done(outcome: Outcome, _now: float) -> None:
            self._reports.say(
                "outcome", id=ident, status=outcome.status, data=outcome.data, error=outcome.error, ok=outcome.ok
            )

        body = command.get("body")
        priority = command.get("priority")
        try:
            self._client.submit(
                str(command.get("endpoint", "")),
                done,
                query=str(command.get("query", "")),
                body=body,
                priority=priority if isinstance(priority, int) else 5,
                shard=self.shard_of(body),
            )
        except (ConnectionError, QueueFull) as error:
            done(Outcome(0, None, str(error)), 0.0)

    def shard_of(self, body: Any) -> int:
        """The socket that hears of an account's events sends its requests too."""
        account = body.get("accountId") if isinstance(body, dict) else None
        return account % len(self._client.stores) if isinstance(account, int) else 0
