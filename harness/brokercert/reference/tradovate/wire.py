"""The wire format, client's side (TP §1). Whatever text comes in, `read` gives items and raises nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

HEARTBEAT = "[]"


@dataclass(frozen=True, slots=True)
class Opened:
    """`o`: the session is open."""


@dataclass(frozen=True, slots=True)
class ServerBeat:
    """`h`: the server is there."""


@dataclass(frozen=True, slots=True)
class ServerClosing:
    """`c[code,"reason"]`: the server ends the session."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request."""

    id: int
    status: int
    data: Any


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at the broker."""

    kind: str
    data: Any


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame, or an element of one, that this client does not understand: to be ignored."""

    why: str


Item = Opened | ServerBeat | ServerClosing | Reply | Event | Unreadable


def read(text: str) -> Iterator[Item]:
    """What a server's text frame says, in order."""
    letter, rest = text[:1], text[1:]
    if text == "o":
        yield Opened()
    elif text == "h":
        yield ServerBeat()
    elif letter == "a":
        yield from _elements(rest)
    elif letter == "c":
        yield _closing(rest)
    else:
        yield Unreadable("a frame letter that is not known")


def _decode(text: str | bytes) -> Any:
    """JSON, or None for anything that is none. Too deep a nesting is a RecursionError of the decoder."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return None


def _elements(text: str) -> Iterator[Item]:
    elements = _decode(text)
    if not isinstance(elements, list):
        yield Unreadable("an `a` frame without a JSON array")
        return
    for element in elements:
        yield _element(_decode(element) if isinstance(element, str) else element)


def _element(element: Any) -> Item:
    if not isinstance(element, dict):
        return Unreadable("an element that is no object")
    ident, status, kind = element.get("i"), element.get("s"), element.get("e")
    if type(ident) is int and type(status) is int:
        return Reply(ident, status, element.get("d"))
    if isinstance(kind, str):
        return Event(kind, element.get("d"))
    return Unreadable("an element that is neither answer nor event")


def _closing(text: str) -> Item:
    parts = _decode(text)
    if not isinstance(parts, list) or not parts or type(parts[0]) is not int:
        return Unreadable("a `c` frame without code")
    reason = parts[1] if len(parts) > 1 and isinstance(parts[1], str) else ""
    return ServerClosing(parts[0], reason)


def write_request(endpoint: str, ident: int, query: str = "", body: Any = None) -> str:
    """A request of four lines. A body that is text goes as it is (the token of authorize), anything else as JSON."""
    if body is None:
        text = ""
    elif isinstance(body, str):
        text = body
    else:
        text = msgspec.json.encode(body).decode()
    return f"{endpoint}\n{ident}\n{query}\n{text}"
