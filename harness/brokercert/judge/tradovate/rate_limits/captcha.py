"""Tickets that only a person can redeem: TP §7.2."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.told import Asked, Outcome, Report
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Request
from brokercert.judge.tradovate.model.sends import sends_of
from brokercert.judge.tradovate.rate_limits.penalties import Penalty, penalties
from brokercert.verdict import Finding, Form


@check("RLP-040")
def check_captcha_not_retried(bench: Bench) -> Iterator[Finding]:
    """A ticket with `p-captcha: true` is not retried: only a person can solve it."""
    window = bench.micros("window_captcha")
    for p in penalties(bench, captcha=True):
        inside = [q for q in _retries(bench, p) if q.t - p.answer.t < window]
        if inside:
            yield bench.breach(
                Form.AGAIN,
                f"`{inside[0].endpoint}` was sent again {seconds(inside[0].t - p.answer.t)} after a captcha ticket",
                "no retry: wait about an hour and tell the user",
                [p.answer.record, inside[0].record],
            )
            continue
        watch = bench.barred(p.answer.t, window)
        yield watch.kept(
            f"no retry in {watch} after the captcha ticket",
            [p.answer.record],
            short=f"watched for {watch} after the captcha ticket only",
        )
        if "report" in bench.header.offers:
            yield _captcha_told(bench, p)


def _retries(bench: Bench, p: Penalty) -> list[Request]:
    """What repeats the request, in order of time."""
    again = [p.retry] if p.retry else []
    # A new socket that syncs at once is the same retry by another way, unless the broker had ended the old one.
    if p.request.endpoint == "user/syncrequest" and (p.conn.given_up() or p.conn.loss is None):
        again += _syncs_after(bench, p)
    return sorted(again, key=lambda q: q.t)


def _syncs_after(bench: Bench, p: Penalty) -> list[Request]:
    """The sync requests on the sockets that were accepted after the ticket."""
    return [sync for c in bench.talk.synced if c.accepted > p.answer.t for sync in c.syncs]


def _failure_told(bench: Bench, asked: list[Asked], since: int) -> Report | Outcome | None:
    """The first that the client told of a failure since then: an `error`, or how one of these requests ended."""
    outcomes = [one.outcome for one in asked if one.outcome and not one.outcome.ok]
    reports: list[Report | Outcome] = [*bench.talk.told.errors, *outcomes]
    return next((report for report in reports if report.t >= since), None)


def _captcha_told(bench: Bench, p: Penalty) -> Finding:
    """Of a request of the user's, its outcome tells; of any, an `error` report does."""
    talk = bench.talk
    asked = [one for one in talk.told.requests() if p.request in sends_of(talk, one)]
    told = _failure_told(bench, asked, p.answer.t)
    if told is not None:
        evidence = [p.answer.record, told.record]
        return bench.ok(Form.SHOWN, "the user was told of the captcha", evidence, clause="reported")
    return _nobody_told(bench, p, asked)


def _nobody_told(bench: Bench, p: Penalty, asked: list[Asked]) -> Finding:
    """Neither of these requests' outcomes nor an `error` report told of it in time."""
    watch = bench.barred(p.answer.t, bench.micros("window_captcha"))
    if watch.short:
        return bench.short(f"watched for {watch} only", [p.answer.record], clause="reported")
    silent = bench.breach(
        Form.ABSENCE,
        f"nobody was told of the captcha in {watch}",
        "an `error` report, or an outcome that is an error: a person must solve it",
        [p.answer.record],
        clause="reported",
    )
    told = bench.talk.told
    late = told.late_answers("outcome", *(one.id for one in asked)) if asked else []
    return unless_held(bench, silent, [*told.late_answers("error"), *late])
