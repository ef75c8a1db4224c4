"""What is wrong with a report that is JSON and yet not as the process protocol has it: the field, what is there, and
what was expected. The schema (`brokercert schema`) says the same in full; this names the first thing that is wrong.

The law: it is the adapter's fault, so nothing here fails a row. What can be read all the same is read; a snapshot that
cannot be compared is none. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

ENTITIES = ("order", "fill", "position", "cashBalance", "account")  # those whose forms the schema tells
COLLECTIONS = frozenset(form.lower() for kind in ENTITIES for form in (kind, f"{kind}s"))
SHOWN = 40  # characters of a value that is not as it should be
LONG: dict[type, str] = {list: "a list", dict: "an object"}  # what is said of a longer one


def misfit(body: Mapping[str, Any], commands: Mapping[int, str]) -> str:
    """What is wrong with a report, or an empty text. `commands` are those given before it, by id."""
    of_event = OF_EVENT.get(str(body.get("event")))
    return of_event(body, commands) if of_event is not None else ""


def _snapshot(body: Mapping[str, Any], commands: Mapping[int, str]) -> str:
    return _not_of(body, commands, "snapshot") or unreadable(body) or _rows(body["entities"])


def _outcome(body: Mapping[str, Any], commands: Mapping[int, str]) -> str:
    status, error, ok = body.get("status"), body.get("error"), body.get("ok")
    if why := _not_of(body, commands, "request"):
        return why
    if type(status) is not int or status < 0:
        return _wrong("status", body, "a whole number, 0 for a request that was never answered")
    if not isinstance(error, str):
        return _wrong("error", body, "a text, an empty one where there is no error")
    return "" if ok is None or isinstance(ok, bool) else _wrong("ok", body, "true or false")


def _error(body: Mapping[str, Any], commands: Mapping[int, str]) -> str:
    text = body.get("text")
    return "" if isinstance(text, str) and text.strip() else _wrong("text", body, "what the user was told")


def unreadable(body: Mapping[str, Any]) -> str:
    """Why nothing can be compared with a snapshot, or an empty text."""
    entities = body.get("entities")
    if not isinstance(entities, dict):
        return _wrong("entities", body, "an object with a list of entities for each type")
    for kind, entries in _collections(entities):
        if entries is None:
            continue
        if not isinstance(entries, list | dict):
            return _wrong(kind, entities, "a list of entities, or an object of them by id", "entities.")
        if isinstance(entries, list) and (why := _without_id(kind, entries)):
            return why
    return ""


ORDERS = ({"orderStatus", "orderId"}, {"orderStatus", "cumulativeFillQty"})  # fields of other brokers' orders
UPDATES = (("orderId", "timestamp"), ("id", "orderTime", "reportType"))  # and how their updates are named


def _collections(entities: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Those whose forms the schema tells."""
    return ((kind, entries) for kind, entries in entities.items() if kind.lower() in COLLECTIONS)


def _without_id(kind: str, entries: Sequence[Any]) -> str:
    for place, one in enumerate(entries):
        # Other brokers' orders are known by their fields.
        known = isinstance(one, dict) and any(names <= one.keys() for names in ORDERS)
        if isinstance(one, dict) and not _is_id(one.get("id")) and not known:
            return _wrong("id", one, "the broker's number of it", f"entities.{kind}[{place}].")
    return ""


def _rows(entities: Mapping[str, Any]) -> str:
    for kind, entries in _collections(entities):
        if entries is None:
            return _wrong(kind, entities, "a list of entities, or an object of them by id", "entities.")
        for place, one in entries.items() if isinstance(entries, dict) else enumerate(entries):
            if not isinstance(one, dict):
                return _wrong(f"entities.{kind}[{place}]", {f"entities.{kind}[{place}]": one}, "an entity, an object")
    return ""


def _processed(body: Mapping[str, Any], commands: Mapping[int, str]) -> str:
    named = next((names for names in UPDATES if set(names) <= body.keys()), None)
    if named is not None:
        lacking = next((name for name in named if not isinstance(body[name], str)), "")
        return _wrong(lacking, body, "a text") if lacking else ""
    if "entityType" not in body and {"connection", "message"} & body.keys():
        lacking = next((name for name in ("connection", "message") if type(body.get(name)) is not int), "")
        return _wrong(lacking, body, "a whole number, counted from 1") if lacking else ""
    return _entity_event(body)


def _entity_event(body: Mapping[str, Any]) -> str:
    if not isinstance(body.get("entityType"), str):
        return _wrong("entityType", body, "the event's, or `connection` and `message` instead")
    if not _is_id(body.get("id")):
        return _wrong("id", body, "the entity's number")
    # Any word: a client that says faithfully what a hostile event was called is not to blame.
    return "" if isinstance(body.get("eventType"), str) else _wrong("eventType", body, "the event's")


# What is wrong with a report, by its event: a function of its body and of the commands given before it.
OF_EVENT: dict[str, Callable[[Mapping[str, Any], Mapping[int, str]], str]] = {
    "snapshot": _snapshot,
    "outcome": _outcome,
    "processed": _processed,
    "error": _error,
}


def _not_of(body: Mapping[str, Any], commands: Mapping[int, str], command: str) -> str:
    ident = body.get("id")
    known = type(ident) is int and commands.get(ident) == command
    return "" if known else _wrong("id", body, f"that of a command `{command}` which was given")


def _is_id(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or (isinstance(value, str) and value != "")


def _wrong(name: str, where: Mapping[str, Any], expected: str, path: str = "") -> str:
    if name not in where:
        return f"`{path}{name}` is missing; expected {expected}"
    return f"`{path}{name}` is {_shown(where[name])}; expected {expected}"


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode("utf-8", "replace")
    if len(text) <= SHOWN:
        return text
    return LONG.get(type(value), f"{text[:SHOWN]}…")
