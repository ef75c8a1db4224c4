"""What is wrong with a report that is JSON and yet not as the process protocol has it: the field, what is there, and
what was expected. The schema (`brokercert schema`) says the same in full; this names the first thing that is wrong.

The law: it is the adapter's fault, so nothing here fails a row. What can be read all the same is read; a snapshot that
cannot be compared is none. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

ENTITIES = ("order", "fill", "position", "cashBalance", "account")  # those whose forms the schema tells
COLLECTIONS = frozenset(form.lower() for kind in ENTITIES for form in (kind, f"{kind}s"))
SHOWN = 40  # characters of a value that is not as it should be


def misfit(body: Mapping[str, Any], commands: Mapping[int, str]) -> str:
    """What is wrong with a report, or an empty text. `commands` are those given before it, by id."""
    match body.get("event"):
        case "snapshot":
            return _not_of(body, commands, "snapshot") or unreadable(body) or _rows(body["entities"])
        case "outcome":
            status, error, ok = body.get("status"), body.get("error"), body.get("ok")
            if why := _not_of(body, commands, "request"):
                return why
            if type(status) is not int or status < 0:
                return _wrong("status", body, "a whole number, 0 for a request that was never answered")
            if not isinstance(error, str):
                return _wrong("error", body, "a text, an empty one where there is no error")
            return "" if ok is None or isinstance(ok, bool) else _wrong("ok", body, "true or false")
        case "processed":
            return _processed(body)
        case "error":
            text = body.get("text")
            return "" if isinstance(text, str) and text else _wrong("text", body, "what the user was told")
    return ""


def unreadable(body: Mapping[str, Any]) -> str:
    """Why nothing can be compared with a snapshot, or an empty text."""
    entities = body.get("entities")
    if not isinstance(entities, dict):
        return _wrong("entities", body, "an object with a list of entities for each type")
    for kind, entries in entities.items():
        if kind.lower() not in COLLECTIONS or entries is None:
            continue
        if not isinstance(entries, list | dict):
            return _wrong(kind, entities, "a list of entities, or an object of them by id", "entities.")
        for place, one in enumerate(entries if isinstance(entries, list) else ()):
            # What other brokers' orders are known by.
            if isinstance(one, dict) and not _is_id(one.get("id")) and not ("orderStatus" in one and "orderId" in one):
                return _wrong("id", one, "the broker's number of it", f"entities.{kind}[{place}].")
    return ""


def _rows(entities: Mapping[str, Any]) -> str:
    for kind, entries in entities.items():
        if kind.lower() not in COLLECTIONS:
            continue
        if entries is None:
            return _wrong(kind, entities, "a list of entities, or an object of them by id", "entities.")
        for place, one in entries.items() if isinstance(entries, dict) else enumerate(entries):
            if not isinstance(one, dict):
                return _wrong(f"entities.{kind}[{place}]", {f"entities.{kind}[{place}]": one}, "an entity, an object")
    return ""


def _processed(body: Mapping[str, Any]) -> str:
    if {"orderId", "timestamp"} <= body.keys():
        lacking = next((name for name in ("orderId", "timestamp") if not isinstance(body[name], str)), "")
        return _wrong(lacking, body, "a text") if lacking else ""
    if "entityType" not in body and {"connection", "message"} & body.keys():
        lacking = next((name for name in ("connection", "message") if type(body.get(name)) is not int), "")
        return _wrong(lacking, body, "a whole number, counted from 1") if lacking else ""
    if not isinstance(body.get("entityType"), str):
        return _wrong("entityType", body, "the event's, or `connection` and `message` instead")
    if not _is_id(body.get("id")):
        return _wrong("id", body, "the entity's number")
    # Any word: a client that says faithfully what a hostile event was called is not to blame.
    return "" if isinstance(body.get("eventType"), str) else _wrong("eventType", body, "the event's")


def _not_of(body: Mapping[str, Any], commands: Mapping[int, str], command: str) -> str:
    ident = body.get("id")
    known = type(ident) is int and commands.get(ident) == command
    return "" if known else _wrong("id", body, f"that of a command `{command}` which was given")


def _is_id(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or (isinstance(value, str) and value != "")


def _wrong(name: str, where: Mapping[str, Any], expected: str, path: str = "") -> str:
    if name not in where:
        return f"`{path}{name}` is missing; expected {expected}"
    value = where[name]
    shown = msgspec.json.encode(value).decode("utf-8", "replace")
    if len(shown) > SHOWN:
        shown = "a list" if isinstance(value, list) else "an object" if isinstance(value, dict) else f"{shown[:SHOWN]}…"
    return f"`{path}{name}` is {shown}; expected {expected}"
