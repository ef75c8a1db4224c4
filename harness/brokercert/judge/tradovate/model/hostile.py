"""Which frames of a trace are hostile: found in the frames themselves, and where only their sender knows, as it said.

Malformed JSON, unknown letters and WebSocket violations are read from what was sent. That a field of a well-formed
message is missing or of another type only the schema of the day could tell, so that a run of hostile frames is put
between two records by whoever sends it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from brokercert.judge.moments import Moment, Noted
from brokercert.judge.told import Report
from brokercert.judge.tradovate.model.conversation import (
    Connection,
    Conversation,
    data_of,
    messages_of,
    objects_in,
    value_in,
)
from brokercert.judge.tradovate.model.entity_types import is_unknown
from brokercert.trace import records as r

BEGINS = "hostile"  # rules by which a sender of hostile frames says where they begin and end ...
ENDS = "hostile-end"
UNDELIVERED = "hostile-undelivered"  # ... what it did not send: the client was gone, or reconnected too often ...
MARKER = "marker"  # ... and that the next event is a valid one that stands for all others
LETTERS = ("o", "h", "a", "c")
CLOSE = 8  # opcode; above it are control frames too


@dataclass(slots=True, frozen=True)
class Batch:
    """Frames sent in one go on one connection. `names`: their defects, as the sender said."""

    t: int
    record: int
    names: str
    sent: tuple[Moment, ...]


def batches(talk: Conversation, c: Connection) -> list[Batch]:
    """The hostile batches of a connection, in order."""
    begins, ends = _marks(talk, c, BEGINS), [end.record for end in _marks(talk, c, ENDS)]
    frames = sorted([*c.sent, *(Moment(raw.t, raw.record) for raw in c.raw)], key=lambda frame: frame.record)
    return [_batch(frames, begin, [*ends, talk.count + 1]) for begin in begins]


def _marks(talk: Conversation, c: Connection, name: str) -> list[Noted[r.RuleApplied]]:
    """What the sender said of that connection under that name."""
    return [mark for mark in talk.rules if mark.what.name == name and mark.what.conn == c.id]


def _batch(frames: list[Moment], begin: Noted[r.RuleApplied], ends: list[int]) -> Batch:
    """Of these frames those from `begin` to the next of the records `ends`."""
    end = min(end for end in ends if end > begin.record)
    sent = tuple(frame for frame in frames if begin.record < frame.record < end)
    return Batch(begin.t, begin.record, begin.what.detail, sent)


def undelivered(talk: Conversation) -> str:
    """What could not be delivered, as a note behind an observation; nothing where all was."""
    left = [mark.what.detail for mark in talk.rules if mark.what.name == UNDELIVERED]
    return f" (not delivered: {'; '.join(left)})" if left else ""


def is_malformed(text: str) -> bool:
    return text.startswith(("a", "c")) and messages_of(text) is None


def is_unknown_frame(text: str) -> bool:
    return text[:1] not in LETTERS or holds_unknown(text)


def holds_unknown(text: str) -> bool:
    """Whether it is an `a[...]` with an unknown message."""
    return text.startswith("a") and any(map(is_unknown, messages_of(text) or ()))


@dataclass(slots=True, frozen=True)
class Marker:
    """A valid event that was sent after something hostile, or before it as a control."""

    t: int
    record: int
    conn: int
    kind: str
    id: int


def markers(talk: Conversation) -> Iterator[Marker]:
    """All of them, read from the frames that followed their announcement."""
    for mark in talk.rules:
        if mark.what.name == MARKER and mark.what.conn in talk.connections:
            yield from _markers_after(talk.connections[mark.what.conn], mark.record)


def _markers_after(c: Connection, record: int) -> Iterator[Marker]:
    """Those in the connection's first text message after that record."""
    frame = next((said for said in c.data_sent if said.record > record), None)
    if frame is None:
        return
    for message in objects_in(frame.text):
        data = data_of(message)
        ident = value_in(data.get("entity"), "id")
        if isinstance(ident, int):
            yield Marker(frame.t, frame.record, c.id, str(data.get("entityType")), ident)


def is_told(report: Report, kind: str, ident: int) -> bool:
    """Whether a report is about the creation of that entity. Words count in any letter case."""
    body: dict[str, Any] = report.body
    said, change = body.get("entityType"), body.get("eventType", "Created")
    if body.get("id") != ident or not isinstance(said, str) or not isinstance(change, str):
        return False
    return said.lower().rstrip("s") == kind.lower().rstrip("s") and change.lower() == "created"


def violation_in(data: bytes) -> str:
    """What of RFC 6455 these bytes of a server's break, first things first; empty: nothing."""
    within = False  # a fragmented message
    while len(data) >= 2:
        opcode, fin = data[0] & 0x0F, bool(data[0] & 0x80)
        length, head = _length(data)
        payload, rest = data[head : head + length], data[head + length :]
        wrong = _head_violation(data[0], data[1], length) or _order_violation(opcode, within)
        wrong = wrong or _payload_violation(data[0], payload)
        if wrong or opcode == CLOSE:
            return wrong
        if opcode < CLOSE:
            within = not fin
        data = rest
    return ""


def _length(data: bytes) -> tuple[int, int]:
    """The length of a frame's payload, and that of its head, in bytes."""
    length = data[1] & 0x7F
    if length < 126:
        return length, 2
    head = 4 if length == 126 else 10
    return int.from_bytes(data[2:head], "big"), head


def _head_violation(first: int, second: int, length: int) -> str:
    """What is wrong with a frame's head alone. No extension is ever negotiated: every reserved bit is a violation."""
    opcode, fin = first & 0x0F, bool(first & 0x80)
    if first & 0x70:
        return "a reserved bit is set"
    if opcode not in (0, 1, 2, 8, 9, 10):
        return f"the reserved opcode {opcode}"
    if second & 0x80:
        return "a server's frame is masked"
    if opcode >= 8 and length > 125:
        return "a control frame of more than 125 bytes"
    if opcode >= 8 and not fin:
        return "a control frame in fragments"
    return ""


def _order_violation(opcode: int, within: bool) -> str:
    """What is wrong with a frame where it stands, `within` a fragmented message or not."""
    if opcode == 0 and not within:
        return "a continuation without a beginning"
    if opcode in (1, 2) and within:
        return "a new message before the end of the one before"
    return ""


def _payload_violation(first: int, payload: bytes) -> str:
    """What is wrong with a frame's payload, by its first byte. Text in fragments is not looked at."""
    opcode, fin = first & 0x0F, bool(first & 0x80)
    if opcode == CLOSE:
        return _close_violation(payload)
    if opcode == 1 and fin and not _is_utf8(payload):
        return "text that is no UTF-8"
    return ""


def _close_violation(payload: bytes) -> str:
    if len(payload) == 1:
        return "a close code of one byte"
    code = int.from_bytes(payload[:2], "big") if payload else 1000
    if not _may_close(code):
        return f"the close code {code} on the wire"
    return "" if _is_utf8(payload[2:]) else "a close reason that is no UTF-8"


def _may_close(code: int) -> bool:
    """Whether a close frame may have that code."""
    return code not in (1004, 1005, 1006, 1015) and (1000 <= code <= 1014 or 3000 <= code <= 4999)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
