"""The events that a client raises: AR Connection Events, as a table with one rule a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from brokercert.judge.arrow.bench import BOOK3, ArrowBench, Series, check
from brokercert.judge.arrow.model import UpdateSocket
from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment
from brokercert.judge.told import Report
from brokercert.verdict import Finding, Form


def _near(bench: ArrowBench, name: str, since: int, until: int) -> list[Report]:
    """The events of that name that were raised in that time, or a little before it began."""
    return [x for x in bench.talk.raised(name) if since - bench.micros("raised_early") <= x.t <= until]


def _missing(bench: ArrowBench, name: str, when: str, evidence: list[int]) -> Finding:
    said = f"`{name}` was not raised {when}"
    return bench.breach(Form.ABSENCE, said, f"`{name}` as the table says", evidence, clause=name)


def _spans(bench: ArrowBench) -> Iterator[tuple[Series, int]]:
    """Every series that can be judged, with the moment up to which its loss may be told of: when the client tried
    again, or gave up.
    """
    for one in bench.series():
        if bench.owed_until - one.loss >= bench.micros("raised_within"):
            yield one, (one.attempts[0].t if one.attempts else bench.owed_until)


def _may_take_leave(bench: ArrowBench, one: Series) -> bool:
    """The scenario ended so soon after the loss that the client may still have been taking its leave."""
    return bench.owed_until - one.loss <= bench.micros("goodbye")


def _lived(bench: ArrowBench, c: UpdateSocket, opened: Moment) -> bool:
    """Long enough for its `connect` to be raised."""
    return c.last_seen(bench.seen) - opened.t > bench.micros("raised_within")


def _connect(bench: ArrowBench) -> Iterator[Finding]:
    soon = bench.micros("raised_within")
    for c, opened in bench.opened:
        if _lived(bench, c, opened) and not _near(bench, "connect", opened.t, opened.t + soon):
            yield _missing(bench, "connect", f"for connection {c.id}", [opened.record])
    yield from _connects(bench)


def _connects(bench: ArrowBench) -> Iterator[Finding]:
    """That there were more of them than connections."""
    connects = bench.talk.raised("connect")
    if len(connects) > len(bench.talk.upgraded):
        yield bench.breach(
            Form.AGAIN,
            f"`connect` was raised {len(connects)} times, for {len(bench.talk.upgraded)} connection(s)",
            "once a connection",
            [x.record for x in connects],
            clause="connect",
        )


def _disconnect(bench: ArrowBench) -> Iterator[Finding]:
    for one, until in _spans(bench):
        told = _near(bench, "disconnect", one.loss, until)
        if not told and not _may_take_leave(bench, one):
            yield _missing(bench, "disconnect", f"when connection {one.lost.id} was lost", [one.record])
        elif len(told) > 1 and not bench.edition.lenient:
            yield bench.breach(
                Form.AGAIN,
                f"`disconnect` was raised {len(told)} times for one loss",
                "once a loss",
                [one.record, *(x.record for x in told)],
                clause="disconnect",
            )


def _close(bench: ArrowBench) -> Iterator[Finding]:
    for one, until in _spans(bench):
        if not _was_closed(one) or _may_take_leave(bench, one):
            continue
        if not _near(bench, "close", one.loss, max(until, one.loss + bench.micros("raised_within"))):
            yield _missing(bench, "close", f"when connection {one.lost.id} was closed", [one.record])


def _was_closed(one: Series) -> bool:
    """The broker closed it, and the client had not given it up before."""
    return one.lost.broker_close is not None and not one.by_client


def _reconnect(bench: ArrowBench) -> Iterator[Finding]:
    early = bench.micros("raised_early")
    told_of: dict[int, int] = {}  # an attempt's record -> that of the one `reconnect` that tells of it
    for one, _ in _spans(bench):
        began = Moment(one.loss, one.record)
        for attempt in one.attempts:
            before, began = began, Moment(attempt.t, attempt.record)
            if attempt.record in told_of:
                continue  # it follows the loss of another socket too
            said = _near(bench, "reconnect", before.t, attempt.t + early)
            own = [x for x in said if x.record not in told_of.values()]
            if not own:
                when = f"before the attempt at {seconds(attempt.t)}"
                yield _missing(bench, "reconnect", when, [before.record, attempt.record])
                break
            told_of[attempt.record] = own[0].record


def _error(bench: ArrowBench) -> Iterator[Finding]:
    soon = bench.micros("raised_within")
    for one, _ in _spans(bench):
        for attempt in one.attempts[: one.failed]:
            if attempt.t < bench.owed_until - soon and not _near(bench, "error", attempt.t, attempt.over + soon):
                when = f"for the attempt that failed at {seconds(attempt.t)}"
                yield _missing(bench, "error", when, [attempt.record])
                break


def _message(bench: ArrowBench) -> Iterator[Finding]:
    sent = list(_due_texts(bench))
    unsaid = len(sent) - len(bench.talk.raised("message"))
    if unsaid > 0 and not bench.edition.lenient:
        yield _missing(bench, "message", f"for {unsaid} of {len(sent)} messages", sent[:3])


def _order_update(bench: ArrowBench) -> Iterator[Finding]:
    end = bench.owed_until - bench.micros("raised_within")
    updates = [update for update in bench.talk.valid_heard() if update.t < end]
    told = {bench.talk.key_told(x.body) for x in bench.talk.raised("orderUpdate")}
    unsaid = [u for u in updates if u.key not in told]
    if unsaid:
        when = f"for {len(unsaid)} of {len(updates)} updates"
        yield _missing(bench, "orderUpdate", when, [u.record for u in unsaid[:3]])


def _noreconnect(bench: ArrowBench) -> Iterator[Finding]:
    ended = bench.talk.raised("noreconnect")
    on = [one for one in bench.series() if ended and one.back and one.loss < ended[0].t < one.attempts[-1].t]
    if on:
        evidence = [on[0].record, ended[0].record, on[0].attempts[-1].record]
        yield bench.breach(Form.AGAIN, "`noreconnect` was raised while attempts went on", "after the last", evidence)


def _read(c: UpdateSocket, t: int) -> bool:
    """The client could have read it: it had not said good-bye."""
    return c.client_close is None or c.client_close.t > t


# The page's table, row by row.
EVENTS: dict[str, Callable[[ArrowBench], Iterator[Finding]]] = {
    "connect": _connect,
    "disconnect": _disconnect,
    "reconnect": _reconnect,
    "error": _error,
    "close": _close,
    "message": _message,
    "orderUpdate": _order_update,
    "noreconnect": _noreconnect,
}
COUNTED = tuple(name for name in EVENTS if name != "noreconnect")  # AOR-020 counts that one


@check("AOC-030")
def check_events(bench: ArrowBench) -> Iterator[Finding]:
    """The client raises its events when, and as often as, the page's table says."""
    yield from raised_by_the_table(bench)


@check("AOC-330", BOOK3)
def check_events3(bench: ArrowBench) -> Iterator[Finding]:
    """The client raises its events when the page's table says; `message` may be missing."""
    yield from raised_by_the_table(bench)


def raised_by_the_table(bench: ArrowBench) -> Iterator[Finding]:
    """Each event of the table, as often as the edition wants it."""
    wrong = list(chain.from_iterable(rule(bench) for rule in EVENTS.values()))
    yield from wrong
    if not wrong and (bench.talk.raised("connect") or any(_due_texts(bench))):
        raised = {name: bench.talk.raised(name) for name in COUNTED}
        said = "raised: " + ", ".join(f"{name} {len(reports)}" for name, reports in raised.items())
        yield bench.ok(Form.SHOWN, said, [report.record for reports in raised.values() for report in reports])


def _due_texts(bench: ArrowBench) -> Iterator[int]:
    """The records of texts of which a `message` was due."""
    end = bench.owed_until - bench.micros("raised_within")
    for c in bench.talk.upgraded:
        yield from (said.record for said in c.texts if c.heard(said.t) and said.t < end and _read(c, said.t))
