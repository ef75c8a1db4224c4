"""What a client says that it processed, against what it was sent: REC-080 (S2 §5; TP §11, row 12)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from brokercert.judge.told import Report
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.props import props_of
from brokercert.judge.tradovate.reconnection.doubled import equal_sockets, healthy_count
from brokercert.judge.tradovate.reconnection.state import synced_anew
from brokercert.verdict import Finding, Form

Event = tuple[str, str, str]  # entity type, id, event type
Place = tuple[str, str]  # connection, message on it


@check("REC-080")
def check_nothing_processed_twice(bench: Bench) -> Iterator[Finding]:
    """Of the events that came after a reconnect, none is reported more often than it was sent, and no message of a
    connection twice.
    """
    anew = synced_anew(bench)
    if not anew:
        return
    sent = _sent_after(bench, anew)
    said = _said_of(bench, sent.times)
    twice = [*_events_twice(bench, min(anew), sent, said.events), *_messages_twice(bench, said.messages)]
    yield from twice
    if not twice:
        yield _none_twice(bench, anew, sent, said)


def _none_twice(bench: Bench, anew: list[int], sent: _Sent, said: _Said) -> Finding:
    """A pass, where anything was reported at all."""
    late = [reports for reports in said.messages.values() if reports[0].record > max(anew)]
    if not said.events and not late:
        return bench.short(f"{len(sent.times)} events came after the reconnect, and none was reported", anew)
    reported = len(said.events) or len(late)
    return bench.ok(
        Form.RESTRAINT,
        f"of {len(sent.times)} events after the reconnect none was processed twice ({reported} reported)",
        [*anew, *(reports[0].record for reports in [*said.events.values(), *late][:1])],
    )


@dataclass(slots=True)
class _Sent:
    """How often each event was sent to one client's worth of sockets, and in which record last."""

    times: Counter[Event] = field(default_factory=Counter)
    carried: dict[Event, int] = field(default_factory=dict)


def _sent_after(bench: Bench, anew: list[int]) -> _Sent:
    """Events after the new syncs, of what was not known before: no snapshot has it, so that reports are of them.

    An event of one content that came on several equal sockets came as often as on so many of them as a healthy client
    has: what a doubled socket brings once more is no other event.
    """
    known = {prop.key[:2] for prop in props_of(bench.talk) if prop.record < min(anew)}
    sent = _Sent()
    on_sockets: dict[tuple[Event, bytes], Counter[int]] = {}
    for prop in props_of(bench.talk):
        if prop.record > max(anew) and prop.key[:2] not in known:
            on_sockets.setdefault((prop.key, prop.content), Counter())[prop.conn] += 1
            sent.carried[prop.key] = prop.record
    groups = list(_groups(bench))
    for (event, _), counts in on_sockets.items():
        sent.times[event] += sum(_times_of(counts, conns, most) for conns, most in groups)
    return sent


def _groups(bench: Bench) -> Iterator[tuple[set[int], int]]:
    """Equal sockets, and how many of them a healthy client has; each other socket is one of its own."""
    equal = equal_sockets(bench)
    for key, sockets in equal.items():
        yield {c.id for c, _ in sockets}, healthy_count(bench, key, sockets) or len(sockets)
    known = {c.id for sockets in equal.values() for c, _ in sockets}
    yield from (({conn}, 1) for conn in bench.talk.connections if conn not in known)


def _times_of(counts: Counter[int], conns: set[int], most: int) -> int:
    """How often it came on the `most` sockets of these that it came on most often."""
    return sum(sorted((counts[conn] for conn in conns), reverse=True)[:most])


@dataclass(slots=True)
class _Said:
    """The reports of each event, and of each message."""

    events: dict[Event, list[Report]] = field(default_factory=dict)
    messages: dict[Place, list[Report]] = field(default_factory=dict)


def _said_of(bench: Bench, sent: Mapping[Event, int]) -> _Said:
    said = _Said()
    for report in bench.talk.told.processed:
        body = report.body
        # A line that names an entity is one of perhaps several about a message, though it may name that message too.
        if body.get("entityType") is None and "connection" in body and "message" in body:
            said.messages.setdefault((str(body["connection"]), str(body["message"])), []).append(report)
        key = (str(body.get("entityType")).lower(), str(body.get("id")), str(body.get("eventType")).lower())
        if key in sent:
            said.events.setdefault(key, []).append(report)
    return said


def _events_twice(bench: Bench, anew: int, sent: _Sent, said: dict[Event, list[Report]]) -> Iterator[Finding]:
    wrong = [(key, reports) for key, reports in said.items() if len(reports) > sent.times[key]]
    for key, reports in wrong[:1]:
        yield bench.breach(
            Form.AGAIN,
            f"{key[0]} {key[1]} {key[2]} was sent {_times(sent.times[key])} after the reconnect and processed "
            f"{_times(len(reports))}{_more(len(wrong))}",
            "each event processed once",
            [anew, sent.carried[key], *(report.record for report in reports[:5])],
            [bench.count("times that one event was processed", len(reports), sent.times[key])],
        )


def _messages_twice(bench: Bench, said: dict[Place, list[Report]]) -> Iterator[Finding]:
    again = [(place, reports) for place, reports in said.items() if len(reports) > 1]
    for (connection, message), reports in again[:1]:
        yield bench.breach(
            Form.CONTENT,
            f"message {message} of connection {connection} was processed {_times(len(reports))}{_more(len(again))}",
            "each message processed once",
            [report.record for report in reports[:5]],
        )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _more(count: int) -> str:
    return f" ({count - 1} more like it)" if count > 1 else ""
