"""Messages of a block put into one frame a connection: answers and events alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from brokercert_mock.port.ground import Ground
from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.told import Told


class Sender(Protocol):
    """A connection on which messages can be sent."""

    def send_messages(self, messages: Sequence[Any]) -> None: ...


class Batches:
    """The batch of one broker that is being made, if any."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._batch: dict[Sender, list[Any]] | None = None

    @contextmanager
    def batch(self, *, arrays: bool) -> Iterator[None]:
        """All messages within (answers too) in one frame a connection. A batch within a batch is part of it."""
        if self._batch is not None:
            yield
            return
        self._batch = {}
        try:
            yield
        finally:
            collected, self._batch = self._batch, None
            for conn, messages in collected.items():
                conn.send_messages(_merged(messages) if arrays else messages)
            self._ground.tell_rule(Told.BATCH.value, 0, "arrays" if arrays else "")

    def collects(self, conn: Sender, messages: Sequence[Any]) -> bool:
        """Whether a batch took these messages, to send them at its end."""
        if self._batch is None:
            return False
        self._batch.setdefault(conn, []).extend(messages)
        return True


def _merged(messages: Sequence[Any]) -> list[Any]:
    """Props events of one type and change that stand together as one, whose `entity` is an array."""
    result: list[Any] = []
    for message in messages:
        data, before = message.get("d"), result[-1] if result else None
        if message.get("e") != "props":
            result.append(message)
        elif before is not None and before.get("e") == "props" and _same(before["d"], data):
            result[-1] = frames.event("props", before["d"] | {"entity": [*before["d"]["entity"], data["entity"]]})
        else:
            result.append(frames.event("props", data | {"entity": [data["entity"]]}))
    return result


def _same(one: Any, other: Any) -> bool:
    return (one["entityType"], one["eventType"]) == (other["entityType"], other["eventType"])
