"""Tickets that only a person can redeem: TP §7.2."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.told import Asked
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Request
from brokercert.judge.tradovate.model.tickets import SYNC, same_body
from brokercert.judge.tradovate.rate_limits.penalties import Penalty, asked_for, failure_told, penalties
from brokercert.verdict import Finding, Form


@check("RLP-040")
def check_captcha_not_retried(bench: Bench) -> Iterator[Finding]:
    """A ticket with `p-captcha: true` is not retried in the hour after it: only a person can solve it. After a loss of
    its socket, which the broker or the network made, that is a recommendation.
    """
    for one in bench.starts:
        yield from _of_start(one)


def _of_start(bench: Bench) -> Iterator[Finding]:
    blamed: set[Request] = set()  # what they drew in answer is no stimulus of ours
    for p in penalties(bench, captcha=True):
        rest = p.answer.t + bench.micros("captcha_rest")
        again = next((q for q in _retries(bench, p) if q.t < rest), None)
        if again is not None:
            yield _retried(bench, p, again)
            continue
        anew = next((q for q in _anew(bench, p) if q.t < rest), None)
        if anew is not None:
            blamed.add(anew)
            yield _synced_anew(bench, p, anew)
            continue
        if p.request in blamed:
            continue
        watch = bench.barred(p.answer.t, bench.micros("window_captcha"))
        yield watch.kept(
            f"no retry in {watch} after the captcha ticket{p.note}",
            [p.answer.record],
            short=f"watched for {watch} after the captcha ticket only",
        )
        if "report" in bench.header.offers:
            yield _captcha_told(bench, p)


def _retried(bench: Bench, p: Penalty, again: Request) -> Finding:
    new = "" if again.conn == p.request.conn else f", on connection {again.conn}"
    return bench.breach(
        Form.AGAIN,
        f"`{again.endpoint}` was sent again {seconds(again.t - p.answer.t)} after a captcha ticket{new}{p.note}",
        "no retry: wait about an hour and tell the user",
        [p.answer.record, again.record],
    )


def _retries(bench: Bench, p: Penalty) -> list[Request]:
    """What repeats the request, in order of time."""
    again = [p.retry] if p.retry else []
    # A new socket that asks the same is the same retry by another way, unless the broker had ended the old one.
    if p.request.endpoint == SYNC and (p.conn.given_up() is not None or p.conn.loss is None):
        again += _same_elsewhere(bench, p)
    return sorted(again, key=lambda q: q.t)


def _anew(bench: Bench, p: Penalty) -> list[Request]:
    """The same sync request after the broker or the network had ended the socket of the ticket."""
    loss = p.conn.loss
    if p.request.endpoint != SYNC or loss is None or loss.by == "client":
        return []
    return sorted((q for q in _same_elsewhere(bench, p) if q.t > loss.t), key=lambda q: q.t)


def _synced_anew(bench: Bench, p: Penalty, anew: Request) -> Finding:
    """A recommendation: the page asks for the state after a loss, and the ticket for an hour's rest."""
    return bench.warn(
        Form.AGAIN,
        f"`{anew.endpoint}` was sent on connection {anew.conn}, {seconds(anew.t - p.answer.t)} after a captcha"
        f" ticket, whose socket had been lost{p.note}",
        "no sync request before about an hour is over, on a new socket either",
        [p.answer.record, anew.record],
        clause="after a loss",
    )


def _same_elsewhere(bench: Bench, p: Penalty) -> list[Request]:
    """The same sync request, on sockets that were accepted after the ticket and took that one's place, or may have."""
    news = (*bench.lanes.heirs(p.conn), *bench.lanes.doubtful(p.conn, p.answer.t))
    return [sync for c in news if c.accepted > p.answer.t for sync in c.syncs if same_body(sync, p.request)]


def _captcha_told(bench: Bench, p: Penalty) -> Finding:
    """Of a request of the user's, its outcome tells; of any, an `error` report does."""
    asked = asked_for(bench, p.request)
    told = failure_told(bench, asked, p.answer.t)
    if told is not None:
        evidence = [p.answer.record, told.record]
        return bench.ok(Form.SHOWN, "the user was told of the captcha", evidence, clause="reported")
    return _nobody_told(bench, p, asked)


def _nobody_told(bench: Bench, p: Penalty, asked: list[Asked]) -> Finding:
    """Neither of these requests' outcomes nor an `error` report told of it in time."""
    watch = bench.owed(p.answer.t, bench.micros("window_captcha"))
    silent = watch.missing(
        f"nobody was told of the captcha in {watch}",
        "an `error` report, or an outcome that is an error: a person must solve it",
        [p.answer.record],
        clause="reported",
        short=f"watched for {watch} only",
    )
    if watch.short:
        return silent
    told = bench.talk.told
    late = told.late_answers("outcome", *(one.id for one in asked)) if asked else []
    return unless_held(bench, silent, [*told.late_answers("error"), *late])
