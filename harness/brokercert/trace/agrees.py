"""Whether a trace agrees with itself: what no writer of ours can have written shows that a file was altered.

The law: only what holds of every trace that this tool wrote is asked for, so that no correct run is refused. It proves
nothing more. A file that was altered with care agrees with itself: that needs the run's record, or a signature.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from brokercert.trace import records as r

Side = tuple[int, str]  # a connection, and who numbers what is sent on it
Numbered = r.Frame | r.RestRequest


def read_once(data: bytes) -> Any:
    """The JSON of a line, or of a document. Raises `ValueError` where an object has a key twice: two readers may read
    that differently.
    """
    return json.loads(data, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name!r} stands there twice")
        found[name] = value
    return found


def contradiction(records: Sequence[r.Body]) -> tuple[int, str] | None:
    """The place, from 0, of a record that cannot stand there, and why. None: the records agree."""
    return next(_contradictions(records), None)


def _contradictions(records: Sequence[r.Body]) -> Iterator[tuple[int, str]]:
    yield from _order(records)
    last = records[-1] if records else None
    # Of a run that broke or was cut short, what was to be told later may be missing.
    whole = isinstance(last, r.Finished) and last.state == "completed"
    for told in _by_side(records).values():
        yield from _numbers(told, whole)


def _order(records: Sequence[r.Body]) -> Iterator[tuple[int, str]]:
    """Connections are numbered as they are accepted, and nothing follows the end."""
    accepted = 0
    for place, record in enumerate(records):
        if isinstance(record, r.Finished) and place + 1 < len(records):
            yield place + 1, "a record after `finished`; expected that one to be the last"
        if isinstance(record, r.Accepted):
            accepted += 1
            if record.conn != accepted:
                yield place, f"connection {record.conn} was accepted; expected connection {accepted}"


def _by_side(records: Sequence[r.Body]) -> dict[Side, list[tuple[int, Numbered]]]:
    """What is numbered, by connection and by who sent it."""
    told: dict[Side, list[tuple[int, Numbered]]] = defaultdict(list)
    for place, record in enumerate(records):
        if isinstance(record, r.Frame):
            told[record.conn, record.sender].append((place, record))
        elif isinstance(record, r.RestRequest):
            told[record.conn, "REST"].append((place, record))
    return told


def _numbers(told: Sequence[tuple[int, Numbered]], whole: bool) -> Iterator[tuple[int, str]]:
    """Numbers run from 1 without gaps, and times go up with them. Frames of one moment may be told in any order: those
    of a burst are told after it.
    """
    for (_, one), (place, other) in pairwise(told):
        if other.t < one.t:
            yield place, f"time {other.t}: {_named(other)}; expected {one.t} or later, as before it"
    ordered = sorted(told, key=lambda pair: pair[1].ordinal)
    before: Numbered | None = None
    messages = 0
    for place, one in ordered:
        last = before.ordinal if before is not None else 0
        first = one.first_message if isinstance(one, r.Frame) else 0
        if first and first <= messages:
            yield place, f"first_message {first}: {_named(one)}; expected more than {messages}, as before it"
        messages = max(messages, first)
        if one.ordinal <= last or (whole and one.ordinal > last + 1):
            yield place, f"ordinal {one.ordinal}: {_named(one)}; expected {last + 1}"
        if before is not None and one.t < before.t:
            yield place, f"time {one.t}: {_named(one)}; expected {before.t} or later, as ordinal {before.ordinal}"
        before = one


def _named(record: Numbered) -> str:
    if isinstance(record, r.Frame):
        return f"a frame of the {record.sender} on connection {record.conn}"
    return f"a request on connection {record.conn}"
