"""The wire format, broker's side: what a client's text frame asks, and how messages are framed (TP §1)."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import msgspec

_JSON = msgspec.json.Encoder(decimal_format="number")  # money is Decimal, and a JSON number on the wire

NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
SLICE = (
    1 << 16
)  # characters looked through at once: a large snapshot is megabytes, and ASCII but for a few of its names

OPEN = "o"
HEARTBEAT = "h"


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A request of three or four lines. `endpoint` is lower case, `named` as it was written; `id` is an int where it
    is one; `body` decoded JSON, or the text itself where it is none (a bare token).
    """

    at: float
    endpoint: str
    id: int | str
    query: dict[str, list[str]]
    body: Any
    text: str
    named: str = ""

    @property
    def ticket(self) -> str | None:
        return ticket_in(self.body)


def ticket_in(body: Any) -> str | None:
    """The penalty ticket in a request's body."""
    value = body.get("p-ticket") if isinstance(body, dict) else None
    return value if isinstance(value, str) and value else None


def is_heartbeat(text: str) -> bool:
    return text.strip() == "[]"


def parse_request(text: str, at: float) -> ClientRequest | None:
    """A client's text frame as a request; None where it has fewer than three lines or no endpoint.

    Split at the first three newlines only: a body may be pretty-printed. The query and body `undefined` are none: an
    official sample sends that word (TP §1.2).
    """
    parts = text.split("\n", 3)
    if len(parts) < 3 or not parts[0].strip():
        return None
    named = parts[0].strip().lstrip("/")
    ident = parts[1].strip()
    query = parts[2].strip()
    body = parts[3] if len(parts) == 4 else ""
    return ClientRequest(
        at=at,
        endpoint=named.lower(),
        id=int(ident) if ident.lstrip("-").isascii() and ident.lstrip("-").isdigit() and len(ident) < 40 else ident,
        query={} if query in ("", "undefined") else parse_qs(query.lstrip("?"), keep_blank_values=True),
        body=decode_body(body),
        text=body,
        named=named,
    )


def decode_body(text: str) -> Any:
    """A body as JSON, or as its text; None where there is none."""
    stripped = text.strip()
    if stripped in ("", "undefined"):
        return None
    try:
        return msgspec.json.decode(stripped)
    except (msgspec.DecodeError, RecursionError):
        return stripped


def answer(status: int, ident: int | str, data: Any = None) -> dict[str, Any]:
    """`s`, `i`, `d` in the order of the real wire; no `d` where there is nothing to say (TP §3)."""
    message: dict[str, Any] = {"s": status, "i": ident}
    if data is not None:
        message["d"] = data
    return message


def event(kind: str, data: Any) -> dict[str, Any]:
    return {"e": kind, "d": data}


def props(entity_type: str, event_type: str, entity: Any) -> dict[str, Any]:
    return event("props", {"entityType": entity_type, "eventType": event_type, "entity": entity})


def json_text(data: Any) -> str:
    """Data as JSON; decimals as numbers, with all their digits."""
    return _JSON.encode(data).decode()


def pack(messages: Sequence[Any], *, spaced: bool = False) -> str:
    """Messages as one `a[...]` frame. What is not ASCII stands in it in both forms of JSON: raw, and escaped. `spaced`:
    with white space between all tokens, and the members of a message the other way round (RFC 8259 §2, §4).
    """
    text = _spaced(messages) if spaced else json_text(messages)
    return "a" + (text if text.isascii() else _in_both_forms(text))


def _spaced(messages: Sequence[Any]) -> str:
    turned = [dict(reversed(one.items())) if isinstance(one, dict) else one for one in messages]
    return msgspec.json.format(json_text(turned), indent=1)


def _in_both_forms(text: str) -> str:
    """Every second run of characters that are not ASCII escaped: in JSON they stand in strings only."""
    turns = itertools.count()

    def form(run: re.Match[str]) -> str:
        return escaped(run[0]) if next(turns) % 2 else run[0]

    slices = (text[at : at + SLICE] for at in range(0, len(text), SLICE))
    return "".join(part if part.isascii() else NOT_ASCII.sub(form, part) for part in slices)


def escaped(text: str) -> str:
    r"""As JSON escapes it, in units of UTF-16: `\ud83d\ude80`."""
    return json.dumps(text)[1:-1]


def close_frame(code: int, reason: str, *, spaced: bool = False) -> str:
    """`spaced`: with the space that the documented example has."""
    return f"c[{code},{' ' if spaced else ''}{json_text(reason)}]"
