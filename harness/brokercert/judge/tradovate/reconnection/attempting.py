"""Trying again after a loss: how soon, and how often (S2 §5, TP §10)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.attempts import Attempt, attempts_of, unseen_spans
from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.back_off import back_off
from brokercert.judge.tradovate.reconnection.losses import Lost, losses
from brokercert.verdict import Finding

SHOULD_CODES = ("close 1000",)


@check("REC-010")
def check_reconnect_in_time(bench: Bench) -> Iterator[Finding]:
    """After a loss (FIN within 5 s of an event, RST, close frame 1001, 1011, 1012, `c[...]`, the client's own giving
    up) the first attempt comes within 10 s.
    """
    for lost in losses(bench):
        quiet = _quiet_before_fin(lost)
        if _is_normal(lost) or quiet >= bench.micros("fin_after_quiet"):
            continue  # REC-015 asks for it
        if quiet < bench.micros("fin_after_event"):
            yield _attempt_in_time(bench, lost)
        else:
            said = f"fin: it came {seconds(quiet)} after the last event, of which neither this row nor REC-015 speaks"
            yield bench.short(said, [lost.loss.record], clause="fin")


@check("REC-015")
def check_reconnect_after_normal_end(bench: Bench) -> Iterator[Finding]:
    """Likewise after close frame 1000, and after a FIN that follows 10 s of nothing but `h`."""
    for lost in losses(bench):
        if _is_normal(lost) or _quiet_before_fin(lost) >= bench.micros("fin_after_quiet"):
            yield _attempt_in_time(bench, lost)


def _is_normal(lost: Lost) -> bool:
    """Close frame 1000; not where the client said good-bye with it, for that is its own giving up."""
    return lost.loss.by != "client" and lost.loss.how.startswith(SHOULD_CODES)


def _quiet_before_fin(lost: Lost) -> int:
    """How long nothing but `h` had come before the broker's FIN; 0 for every other end."""
    if lost.loss.how != "fin" or lost.loss.by != "broker":
        return 0
    return lost.loss.t - max((said.t for said in lost.conn.data_sent), default=0)


def _attempt_in_time(bench: Bench, lost: Lost) -> Finding:
    sign = _first_sign(bench, lost)
    first = _first_attempt(bench, lost, sign)
    unseen = _unseen(bench, sign)
    if unseen is not None and (first is None or first.t > sign + bench.micros("reconnect")):
        # It may have tried in vain, and be waiting for its next turn.
        since, until = (seconds(t - sign) for t in unseen)
        said = f"{lost.loss.how}: connects left no record from {since} to {until} after it"
        return bench.short(said, [lost.loss.record], clause=lost.loss.how)
    return _never_tried(bench, lost, sign) if first is None else _tried(bench, lost, sign, first)


def _first_attempt(bench: Bench, lost: Lost, sign: int) -> Attempt | None:
    """A client that opens its new socket before it leaves the old one has tried already."""
    attempts = attempts_of(bench.talk, min(sign, lost.begin))
    return next((attempt for attempt in attempts if attempt.conn != lost.conn.id), None)


def _never_tried(bench: Bench, lost: Lost, sign: int) -> Finding:
    how, allowance = lost.loss.how, _allowance(bench, lost)
    watch = bench.barred(sign, bench.micros("reconnect") + allowance)
    return watch.missing(
        f"{how}: no attempt to reconnect in {watch}",
        f"a first attempt within {bench.limit('reconnect'):g} s",
        [lost.loss.record],
        clause=how,
        short=f"{how}: watched for {watch} only",
    )


def _tried(bench: Bench, lost: Lost, sign: int, first: Attempt) -> Finding:
    limit, how, allowance = bench.limit("reconnect"), lost.loss.how, _allowance(bench, lost)
    took = max(0, first.t - sign)
    return bench.against(
        bench.time(f"{how} to first attempt", max(0, took - allowance), limit),
        observed=f"{how}: first attempt after {seconds(took)}"
        + (f", {seconds(allowance)} of it the broker's closing" if allowance else ""),
        expected=f"a first attempt within {limit:g} s",
        evidence=[lost.loss.record, first.record],
        clause=how,
    )


def _first_sign(bench: Bench, lost: Lost) -> int:
    """From when the clock runs: for the client's own giving up, its FIN or RST."""
    if lost.loss.by != "client":
        return lost.loss.t
    most = bench.micros("client_closing")
    ends = [end.t for end in lost.conn.ended if end.by == "client" and end.t - lost.loss.t <= most]
    return ends[0] if ends else lost.loss.t


def _allowance(bench: Bench, lost: Lost) -> int:
    """What the broker's own closing took after its first sign."""
    if lost.loss.by != "broker":
        return 0
    after = [end.t - lost.loss.t for end in lost.conn.ended if end.by == "broker"]
    return min([bench.micros("closing_allowance"), *after]) if after else 0


def _unseen(bench: Bench, sign: int) -> tuple[int, int] | None:
    """(from, to) of the first time in which an attempt that was due left no record."""
    due = sign + bench.micros("reconnect")
    spans = ((max(since, sign), until) for since, until in unseen_spans(bench.talk) if since < due and until > sign)
    return next(spans, None)


@check("REC-050")
def check_back_off(bench: Bench) -> Iterator[Finding]:
    """Repeated failures are met with back-off: attempts stay inside the limits, and their delays grow or are long."""
    yield from back_off(bench)
