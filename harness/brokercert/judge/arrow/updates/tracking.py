"""Tracking an order to its end (AR Message Format, order status)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.arrow.bench import ArrowBench, check
from brokercert.judge.arrow.edition import TERMINAL
from brokercert.judge.check import Breach, seconds
from brokercert.judge.moments import Moment, Said
from brokercert.judge.told import Report
from brokercert.judge.transcript import SECOND
from brokercert.verdict import Finding, Form

TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class _Tracked:
    """What is true of the orders that a client was told to track. Times are microseconds.

    `ends`: order -> its terminal state as it was sent. `unseen`: those that were over while the client was away: it may
    know from the REST API, or run into its time-out.
    """

    began: Moment
    limit: float
    slack: int
    ends: dict[str, Said]
    unseen: dict[str, str]

    def expected(self, order: str, outcome: str) -> str:
        if order in self.unseen and outcome.upper() == self.unseen[order]:
            return self.unseen[order]
        return self.ends[order].text if order in self.ends else TIMEOUT

    def due(self, order: str, soon: int) -> int:
        if order in self.ends:
            return self.ends[order].t + soon
        return self.timeout + self.slack + soon

    def is_early(self, outcome: str, t: int) -> bool:
        """Whether it is a time-out that was told too soon."""
        return outcome == TIMEOUT and t < self.timeout - self.slack

    @property
    def timeout(self) -> int:
        return self.began.t + round(self.limit * SECOND)


def _tracked(bench: ArrowBench, orders: list[str], began: Moment) -> _Tracked:
    limit = bench.told_number("TRACK_TIMEOUT", bench.limit("track_timeout"))
    ends: dict[str, Said] = {}
    for order, update in bench.talk.ends():
        if order in orders:
            ends.setdefault(order, Said(update.t, update.record, str(update.body["orderStatus"])))
    unseen = {
        ident: str(order["orderStatus"])
        for ledger in bench.talk.told.ledgers.values()
        for ident, order in ledger.what.get("order", {}).items()
        if ident not in ends and order["orderStatus"] in TERMINAL
    }
    slack = round((limit * bench.limit("tolerance") + bench.limit("timer_slack") + bench.error) * SECOND)
    return _Tracked(began, limit, slack, ends, unseen)


@check("AOU-080")
def check_tracking(bench: ArrowBench) -> Iterator[Finding]:
    """Tracking an order ends with its terminal state, or with a time-out: it never hangs."""
    yield from tracked_to_the_end(bench)


def tracked_to_the_end(bench: ArrowBench) -> Iterator[Finding]:
    """How the tracking of each order ended that the client was told to track."""
    orders = [order for order in bench.talk.own_tracked if order]
    began = min((opened for _, opened in bench.opened), default=None)
    if not orders or began is None:
        return
    true = _tracked(bench, orders, began)
    wrong = [finding for order in orders for finding in _wrongly_ended(bench, true, order)]
    yield from wrong or [_all_ended(bench, len(orders))]


def _all_ended(bench: ArrowBench, orders: int) -> Finding:
    told = bench.talk.reports("tracked")
    outcomes = sorted({str(x.body.get("outcome")) for x in told})
    said = f"{orders} orders tracked to their end: {', '.join(outcomes)}"
    return bench.ok(Form.SHOWN, said, [x.record for x in told])


def _wrongly_ended(bench: ArrowBench, true: _Tracked, order: str) -> Iterator[Finding]:
    told = [x for x in bench.talk.reports("tracked") if str(bench.edition.value(x.body, bench.edition.order)) == order]
    evidence = [true.began.record, *(x.record for x in told)]
    due = true.due(order, bench.micros("raised_within"))
    if not told and bench.owed_until > due:
        said = f"tracking order {order} never ended"
        yield bench.breach(Form.ABSENCE, said, "its terminal state, or a time-out", evidence)
    elif not told:
        yield bench.short(f"watched for {seconds(bench.owed_until - true.began.t)} only", evidence)
    else:
        yield from _wrong_outcome(bench, true, order, told, due)


def _wrong_outcome(bench: ArrowBench, true: _Tracked, order: str, told: list[Report], due: int) -> Iterator[Finding]:
    outcome = str(told[0].body.get("outcome"))
    expected = true.expected(order, outcome)
    evidence = [true.began.record, *(x.record for x in told)]
    if len(told) > 1 or outcome.upper() != expected.upper():
        said = f"{outcome!r}" if len(told) == 1 else f"{len(told)} outcomes"
        yield bench.breach(
            _as_told(outcome, expected, len(told)),
            f"tracking order {order} ended with {said}",
            f"{expected}, once",
            evidence,
        )
    elif told[0].t > due or true.is_early(expected, told[0].t):
        said = f"tracking order {order} ended after {seconds(told[0].t - true.began.t)}"
        yield bench.breach(Form.TIME, said, f"{true.limit:g} s", evidence)


def _as_told(outcome: str, expected: str, times: int) -> Breach:
    """What a wrong outcome rests on: a time-out is told where the terminal state did not come in time."""
    if times > 1:
        return Form.AGAIN
    return Form.ABSENCE if TIMEOUT in (outcome.lower(), expected) else Form.CONTENT
