"""The plain client at the level *reports*: a line for each event, as the variants beside (`timed_*`) see fit."""

from __future__ import annotations

import json
import os
from typing import Any

from common import Client
from websockets.asyncio.client import ClientConnection


def say(line: str) -> None:
    """At once, past every buffer."""
    os.write(1, line.encode() + b"\n")


class Reporter(Client):
    async def on_frame(self, ws: ClientConnection, text: str) -> None:
        for message in self.messages(text):
            if message.get("e") == "props":
                self.processed(message["d"])

    def processed(self, event: dict[str, Any]) -> None:
        self.tell(self.line(event))

    def tell(self, line: str) -> None:
        say(line)

    def line(self, event: dict[str, Any]) -> str:
        told = {"entityType": event["entityType"], "id": event["entity"]["id"], "eventType": event["eventType"]}
        return json.dumps({"event": "processed", **told})
