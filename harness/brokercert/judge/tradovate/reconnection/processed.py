"""What a client says that it processed, against what it was sent: REC-080 (S2 §5; TP §11, row 12)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from brokercert.judge.told import Report
from brokercert.judge.tradovate.beliefs.stimuli import synced_anew
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.props import props_of
from brokercert.verdict import Finding, Form


@check("REC-080")
def check_nothing_processed_twice(bench: Bench) -> Iterator[Finding]:
    """Of the events that came after a reconnect, none is reported more often than it was sent, and no message of a
    connection twice.
    """
    anew = synced_anew(bench)
    if not anew:
        return
    sent: Counter[tuple[str, str, str]] = Counter()
    carried: dict[tuple[str, str, str], int] = {}
    known = {prop.key[:2] for prop in props_of(bench.talk) if prop.record < min(anew)}
    for prop in props_of(bench.talk):
        # What was not known before is in no snapshot, so that reports of it are of these events.
        if prop.record > max(anew) and prop.key[:2] not in known:
            sent[prop.key] += 1
            carried[prop.key] = prop.record
    said: dict[tuple[str, str, str], list[Report]] = {}
    ordinals: dict[tuple[str, str], list[Report]] = {}
    for report in bench.talk.told.processed:
        body = report.body
        # A line that names an entity is one of perhaps several about a message, though it may name that message too.
        if body.get("entityType") is None and "connection" in body and "message" in body:
            ordinals.setdefault((str(body["connection"]), str(body["message"])), []).append(report)
        key = (str(body.get("entityType")).lower(), str(body.get("id")), str(body.get("eventType")).lower())
        if key in sent:
            said.setdefault(key, []).append(report)
    wrong = [(key, reports) for key, reports in said.items() if len(reports) > sent[key]]
    again = [(key, reports) for key, reports in ordinals.items() if len(reports) > 1]
    if wrong:
        key, reports = wrong[0]
        yield bench.breach(
            Form.AGAIN,
            f"{key[0]} {key[1]} {key[2]} was sent {_times(sent[key])} after the reconnect and processed "
            f"{_times(len(reports))}{_more(len(wrong))}",
            "each event processed once",
            [min(anew), carried[key], *(report.record for report in reports[:5])],
            [bench.count("times that one event was processed", len(reports), sent[key])],
        )
    if again:
        (connection, message), reports = again[0]
        yield bench.breach(
            Form.CONTENT,
            f"message {message} of connection {connection} was processed {_times(len(reports))}{_more(len(again))}",
            "each message processed once",
            [report.record for report in reports[:5]],
        )
    if wrong or again:
        return
    late = [reports for reports in ordinals.values() if reports[0].record > max(anew)]
    if not said and not late:
        yield bench.short(f"{len(sent)} events came after the reconnect, and none was reported", anew)
    else:
        yield bench.ok(
            Form.RESTRAINT,
            f"of {len(sent)} events after the reconnect none was processed twice ({len(said) or len(late)} reported)",
            [*anew, *(reports[0].record for reports in [*said.values(), *late][:1])],
        )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _more(count: int) -> str:
    return f" ({count - 1} more like it)" if count > 1 else ""
