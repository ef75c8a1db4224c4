"""The props events that a broker sent, entity by entity, in the order of its frames (TP §4).

A part of reading, for the checks that ask what a client was told; it decides nothing. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from brokercert.judge.moments import Said
from brokercert.judge.tradovate.model.conversation import Connection, Conversation, data_of, messages_of, objects_in


@dataclass(slots=True, frozen=True)
class Prop:
    """One entity of one event. `array`: its event's `entity` was an array; `company`: messages in its frame."""

    t: int
    record: int
    conn: int
    kind: str  # as sent: `order`, `cashBalance`
    change: str  # Created, Updated, Deleted
    entity: dict[str, Any]
    array: bool
    company: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What a report names: type, id, change."""
        return self.kind.lower(), str(self.entity.get("id")), self.change.lower()

    @property
    def content(self) -> bytes:
        """All of it, in whichever order its fields came."""
        return msgspec.json.encode([*self.key, self.entity], order="sorted")


def props_of(talk: Conversation) -> Iterator[Prop]:
    """All of them, connection by connection."""
    for c in talk.connections.values():
        yield from props_on(c)


def props_on(c: Connection) -> Iterator[Prop]:
    """Those of one connection."""
    for said in c.data_sent:
        if said.text.startswith("a[") and '"props"' in said.text:
            yield from _props_of_frame(said, c.id)


def _props_of_frame(said: Said, conn: int) -> Iterator[Prop]:
    """Those of one frame."""
    company = len(messages_of(said.text) or ())
    for message in objects_in(said.text):
        if message.get("e") == "props":
            yield from _props_in(data_of(message), conn, said, company)


def _props_in(data: dict[str, Any], conn: int, said: Said, company: int) -> Iterator[Prop]:
    """Those of one event."""
    entity, kind, change = data.get("entity"), str(data.get("entityType")), str(data.get("eventType"))
    array = isinstance(entity, list)
    for one in entity if isinstance(entity, list) else [entity]:
        if isinstance(one, dict):
            yield Prop(said.t, said.record, conn, kind, change, one, array, company)
