"""Entities as they stand in a record, whoever told it: an event or an answer on the wire, a snapshot, the ledger.

A part of reading, for what is shown of a difference; it decides nothing. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from brokercert.judge.tradovate.model.conversation import data_of, objects_in
from brokercert.judge.tradovate.model.differences import FORMS, ident_of
from brokercert.trace import Body, Trace
from brokercert.trace import records as r

EventName = tuple[Any, Any, Any]  # entity type, event type, id
Told = tuple[str, dict[str, Any]]  # entity type in the singular, entity
MOST_TOLD = 6  # entities of a record that are shown in full: an order, its versions and commands
OF_AN_ORDER = ("orderVersion", "command")  # where quantity and price of an order stand


def entities_of(record: Body) -> Iterator[Told]:
    """All entities in a record, of the types that are compared or that they hang on."""
    match record:
        case r.Frame(text=str(text)) if text.startswith("a"):
            yield from entities_in(text)
        case r.SubjectReport(event="snapshot"):
            entities = record.body.get("entities")
            yield from _collections(entities) if isinstance(entities, dict) else ()
        case r.Ledger():
            yield from _collections(record.state)
        case _:
            pass


def entities_in(text: str) -> Iterator[Told]:
    """Those of an `a[...]` frame."""
    for message in objects_in(text):
        for event in _listed(message.get("d")):
            if isinstance(event, dict):
                yield from _of_event(event) if "entityType" in event else _of_answer(event)


def _of_event(event: Mapping[str, Any]) -> Iterator[Told]:
    kind = FORMS.get(str(event["entityType"]).lower())
    return ((kind, one) for one in _listed(event.get("entity")) if kind and isinstance(one, dict))


def _of_answer(answer: Mapping[str, Any]) -> Iterator[Told]:
    """Those of an answer that holds lists of entities, as a snapshot does."""
    return _collections({key: value for key, value in answer.items() if isinstance(value, list)})


def _listed(entity: Any) -> list[Any]:
    """What stands in an event's `entity`, which may be an array."""
    return entity if isinstance(entity, list) else [entity]


def told_of(record: Body, kind: str, ident: str) -> str:
    """What a record says of one entity; nothing where it is no record of entities."""
    if not isinstance(record, r.Frame | r.SubjectReport | r.Ledger):
        return ""
    found = list(about(entities_of(record), shown_as(kind), ident))
    if not found:
        return f"; no {kind} {ident} in it"
    shown = "; ".join(f"{name} {msgspec.json.encode(entity).decode()}" for name, entity in found[:MOST_TOLD])
    more = f"; and {len(found) - MOST_TOLD} more" if len(found) > MOST_TOLD else ""
    return f"; in it: {shown}{more}"


def shown_as(kind: str) -> set[str]:
    """The types that say something of an entity of that type."""
    return {kind, *(OF_AN_ORDER if kind == "order" else ())}


def about(told: Iterator[Told], kinds: set[str], ident: str) -> Iterator[Told]:
    """What of these types was told of the entity of that id."""
    return ((kind, entity) for kind, entity in told if kind in kinds and is_of(kind, entity, ident))


def events_named(trace: Trace) -> Iterator[EventName]:
    """What the broker's events were about, as it stands in them, be it odd."""
    for text in _broker_texts(trace):
        if '"props"' in text:
            for message in objects_in(text):
                yield from _names(data_of(message))


def _broker_texts(trace: Trace) -> Iterator[str]:
    frames = (record for record in trace.records if isinstance(record, r.Frame))
    return (frame.text for frame in frames if frame.sender == "broker" and frame.text)


def _names(event: Mapping[str, Any]) -> Iterator[EventName]:
    for one in _listed(event.get("entity")):
        if isinstance(one, dict):
            yield event.get("entityType"), event.get("eventType"), one.get("id")


def is_of(kind: str, entity: Mapping[str, Any], ident: str) -> bool:
    """Whether it is the entity of that id, or says something of the order of that id."""
    return ident_of(entity.get("orderId" if kind in OF_AN_ORDER else "id")) == ident


def _collections(groups: Mapping[str, Any]) -> Iterator[Told]:
    """Lists of entities, and objects of them by id, by type."""
    for key, value in groups.items():
        kind = FORMS.get(key.lower())
        if kind:
            yield from ((kind, one) for one in _whole(value))


def _whole(value: Any) -> Iterator[dict[str, Any]]:
    """The entities of a list, or of an object by id, each with its id."""
    if isinstance(value, dict):
        yield from _keyed(value)
    elif isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def _keyed(entities: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for ident, one in entities.items():
        if isinstance(one, dict):
            yield one if "id" in one else {"id": ident, **one}
