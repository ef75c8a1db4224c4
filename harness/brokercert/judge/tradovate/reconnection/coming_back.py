"""Reconnection: S2 §5, TP §10 and §11.

Rules for a client that holds several sockets work per lane: the succession of synced sockets that do the same work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from brokercert.judge.attempts import Attempt, attempts_of, attempts_within_limits, delays_of, unseen_spans
from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.events.subscribing import one_sync
from brokercert.judge.tradovate.model.conversation import SECOND, Connection, Loss
from brokercert.trace.names import WindowName
from brokercert.verdict import Finding, Form

CLOSING_ALLOWANCE = 5 * SECOND  # what the broker's own closing may take at the most
SERIES_ENDS = 60 * SECOND  # of stability
SHOULD_CODES = ("close 1000",)
QUIET_BEFORE_FIN = 10 * SECOND
RECENT_EVENT = 5 * SECOND
CLIENT_CLOSING = 30 * SECOND  # how long a close handshake of the client's may hang (libraries wait 10 to 30 s)
ONE_LOSS = 2 * SECOND  # losses of several sockets closer than this are one


def losses(bench: Bench) -> list[tuple[Connection, Loss]]:
    """The first loss of every series, each with the first socket that it hit: authorized and not refused."""
    result: list[tuple[Connection, Loss]] = []
    last = -SERIES_ENDS
    found = [
        (c, c.loss)
        for c in bench.talk.authorized
        if c.loss is not None and c.loss.t <= bench.end and not c.refused and not bench.unprovoked(c)
    ]
    for c, loss in sorted(found, key=lambda item: item[1].t):
        if loss.t - last >= SERIES_ENDS or not result:
            result.append((c, loss))
        last = loss.t
    return result


def _allowance(c: Connection, loss: Loss) -> int:
    """What the broker's own closing took after its first sign."""
    if loss.by != "broker":
        return 0
    after = [t - loss.t for t, _, by, _ in c.ended if by == "broker"]
    return min([CLOSING_ALLOWANCE, *after]) if after else 0


def _is_should(c: Connection, loss: Loss) -> bool:
    """Losses that REC-015 judges: close frame 1000, and FIN without a close frame after a quiet time."""
    if loss.by == "client":
        return False  # the client's own giving up, whatever code it says good-bye with
    if loss.how.startswith(SHOULD_CODES):
        return True
    if loss.how != "fin" or loss.by != "broker":
        return False
    last_data = max((t for t, _, _ in c.data_sent), default=0)
    return loss.t - last_data >= QUIET_BEFORE_FIN


def _first_sign(c: Connection, loss: Loss) -> int:
    """From when the clock runs: for the client's own giving up, its FIN or RST."""
    if loss.by != "client":
        return loss.t
    ends = [t for t, _, by, _ in c.ended if by == "client" and t - loss.t <= CLIENT_CLOSING]
    return ends[0] if ends else loss.t


@check("REC-010")
def check_reconnect_in_time(bench: Bench) -> Iterator[Finding]:
    """After a loss (FIN within 5 s of an event, RST, close frame 1001, 1011, 1012, `c[...]`, the client's own giving
    up) the first attempt comes within 10 s.
    """
    for c, loss in losses(bench):
        if not _is_should(c, loss):
            yield from _attempt_in_time(bench, c, loss)


@check("REC-015")
def check_reconnect_after_normal_end(bench: Bench) -> Iterator[Finding]:
    """Likewise after close frame 1000, and after a FIN that follows 10 s of nothing but `h`."""
    for c, loss in losses(bench):
        if _is_should(c, loss):
            yield from _attempt_in_time(bench, c, loss)


def _attempt_in_time(bench: Bench, c: Connection, loss: Loss) -> Iterator[Finding]:
    limit = bench.limit("reconnect")
    sign = _first_sign(c, loss)
    # A client that opens its new socket before it leaves the old one has tried already.
    since = min(sign, loss.t, c.silent[0] if c.silent else sign)
    attempts = [a for a in attempts_of(bench.talk, since) if a.conn != c.id]
    allowance = _allowance(c, loss)
    due = sign + round(limit * SECOND)
    unseen = next(((t, end) for t, end in unseen_spans(bench.talk) if t < due and end > sign), None)
    if unseen and (not attempts or attempts[0].t > due):
        # It may have tried in vain, and be waiting for its next turn.
        yield bench.short(
            f"{loss.how}: connects left no record from {seconds(max(unseen[0], sign) - sign)} to "
            f"{seconds(unseen[1] - sign)} after it",
            [loss.record],
            clause=loss.how,
        )
        return
    if not attempts:
        watched = bench.end - sign
        if watched < limit * SECOND + allowance and bench.talk.exited is None:
            yield bench.short(f"{loss.how}: watched for {seconds(watched)} only", [loss.record])
            return
        yield bench.breach(
            Form.ABSENCE,
            f"{loss.how}: no attempt to reconnect in {seconds(watched)}{bench.exit_text()}",
            f"a first attempt within {limit:g} s",
            [loss.record],
            clause=loss.how,
        )
        return
    took = max(0, attempts[0].t - sign)
    yield bench.against(
        bench.time(f"{loss.how} to first attempt", max(0, took - allowance), limit),
        observed=f"{loss.how}: first attempt after {seconds(took)}"
        + (f", {seconds(allowance)} of it the broker's closing" if allowance else ""),
        expected=f"a first attempt within {limit:g} s",
        evidence=[loss.record, attempts[0].record],
        clause=loss.how,
    )


def _news(bench: Bench, since: int) -> list[Connection]:
    """Upgraded sockets of after a loss."""
    return [c for c in bench.talk.upgraded if c.accepted > since]


@check("REC-020")
def check_reauthenticates(bench: Bench) -> Iterator[Finding]:
    """On the new socket, authorize precedes any other request, and none comes while its answer is held back."""
    for old, loss in losses(bench):
        begin = min(loss.t, old.silent[0] if old.silent else loss.t)
        news = _news(bench, begin)
        if not news:
            continue
        first_wrong = next((c for c in news if c.requests and c.requests[0].endpoint != "authorize"), None)
        if first_wrong is not None:
            yield bench.breach(
                Form.CONTENT,
                f"the first request on new connection {first_wrong.id} was `{first_wrong.requests[0].endpoint}`",
                "authorize before any other request",
                [first_wrong.requests[0].record],
            )
            continue
        early = _early(bench, news)
        if early is not None:
            yield bench.breach(
                Form.CONTENT,
                f"`{early[0]}` on a new socket with the answer to authorize still held back",
                "authorize answered before any other request",
                [early[1]],
            )
            continue
        done = [c for c in news if c.authorizes]
        if done:
            yield bench.ok(Form.SHOWN, "authorized again before any other request", [done[0].authorizes[0].record])
            continue
        heard = [c for c in news if c.opens]
        watched = max((c.last_seen(bench.end) - c.opens[0][0] for c in heard), default=0)
        if watched >= bench.micros("window_first_authorize"):
            yield bench.breach(
                Form.ABSENCE,
                f"no authorize on the new socket in {seconds(watched)} after `o`",
                "the client authorizes on the new socket",
                [heard[0].opens[0][1]],
            )
        else:
            yield bench.short(f"the new socket was watched for {seconds(watched)} only")


def _early(bench: Bench, news: list[Connection]) -> tuple[str, int] | None:
    for conn, start, end in bench.talk.withheld_spans("authorize"):
        c = bench.talk.connections[conn]
        for request in c.requests:
            if c not in news or request.endpoint == "authorize" or c.granted_before(request):
                continue
            if c.sent_meanwhile(request, start, end):
                return request.endpoint, request.record
    return None


@check("REC-030")
def check_one_sync_again(bench: Bench) -> Iterator[Finding]:
    """One logical sync on the new socket; every lane that lived before the loss syncs again."""
    for old, loss in losses(bench):
        begin = min(loss.t, old.silent[0] if old.silent else loss.t)
        lanes_before = [
            c
            for c in bench.talk.synced
            if c.syncs[0].t < begin and (c.loss is None or c.loss.t >= loss.t - ONE_LOSS) and c.accepted < begin
        ]
        if not lanes_before:
            continue
        news = [c for c in _news(bench, begin) if c.authorized]
        if not news:
            continue
        again = [c for c in news if c.syncs]
        wrong = [finding for finding in one_sync(bench, again) if finding.verdict not in ("pass", "not observed")]
        yield from wrong
        missing = _lanes_missing(lanes_before, again)
        first = news[0].authorized
        assert first is not None
        watched = bench.end - first.t
        if missing:
            if watched < bench.micros("window_first_sync") and bench.talk.died() is None:
                yield bench.short(f"watched for {seconds(watched)} after the new authorize answer only")
                continue
            yield bench.breach(
                Form.ABSENCE,
                f"{len(missing)} of {len(lanes_before)} lane(s) did not sync again in {seconds(watched)} after the new"
                f" socket was authorized{bench.exit_text()}",
                "each lane that lived before the loss syncs again",
                [missing[0].syncs[0].record, loss.record, first.record],
            )
            continue
        if wrong:
            continue
        answered = [s.answer.t for c in again for s in c.syncs if s.answer]
        if not answered or bench.end - max(answered) < bench.micros("window_single_sync"):
            yield bench.short("the new socket was watched for a part of the window only")
        else:
            yield bench.ok(
                Form.RESTRAINT, f"one sync on each of {len(again)} new socket(s)", [c.syncs[0].record for c in again]
            )


def _lanes_missing(before: list[Connection], after: list[Connection]) -> list[Connection]:
    """Lanes without a successor: first the ones of the same filter, then, for the rest, any left over.

    A client may spread its shards otherwise after a loss; what counts here is that as many lanes sync again.
    """
    left = list(after)
    missing = []
    for c in before:
        same = next((x for x in left if _filter(x) == _filter(c)), None)
        if same is None:
            missing.append(c)
        else:
            left.remove(same)
    return missing[: max(0, len(missing) - len(left))]


def _filter(c: Connection) -> Any:
    body = c.syncs[0].body
    if isinstance(body, dict):
        body = {key: value for key, value in body.items() if key != "p-ticket"}
    return c.target.lower(), msgspec.json.encode(body, order="sorted")


@check("REC-050")
def check_back_off(bench: Bench) -> Iterator[Finding]:
    """Repeated failures are met with back-off: attempts stay inside the limits, and their delays grow or are long."""
    yield from back_off(bench)


def back_off(bench: Bench, kind: WindowName = WindowName.OUTAGE) -> Iterator[Finding]:
    """Attempts during each outage of this kind against the limits."""
    talk = bench.talk
    for _, _, window in talk.windows:
        if not window.name.startswith(kind):
            continue
        start, end = window.since, window.t
        lost = [
            c for c in talk.authorized if c.loss is not None and c.loss.t >= start - ONE_LOSS and c.accepted < start
        ]
        sockets = max(1, len([c for c in lost if c.authorized]))
        attempts = [a for a in attempts_of(talk, start) if a.t < end]
        if not attempts and kind is WindowName.OUTAGE:
            continue  # REC-010 asks for the first; a row about restraint is passed by none
        clean = True
        for finding in attempts_within_limits(bench, attempts, sockets):
            clean = False
            yield finding
        growth = _growth(bench, attempts) if sockets == 1 else None
        if growth is not None:
            clean = False
            yield growth
        if not clean:
            continue
        if end - start < bench.micros("outage"):
            yield bench.short(f"{window.name}: the outage lasted {seconds(end - start)} only")
        else:
            yield bench.ok(
                Form.RESTRAINT,
                f"{window.name}: {len(attempts)} attempt(s) in {seconds(end - start)}",
                [*sorted(c.loss.record for c in lost if c.loss)[:1], *(a.record for a in attempts)],
            )


def _growth(bench: Bench, attempts: list[Attempt]) -> Finding | None:
    """The mean of the last five delays: twice the first that is not zero, or 4.5 s; fewer than five: not judged."""
    tail = round(bench.limit("backoff_tail"))
    delays = delays_of(attempts)
    if len(delays) < tail:
        return None
    first = next((delay for delay in delays if delay > SECOND // 1000), 0)
    mean = sum(delays[-tail:]) / tail
    floor, factor = bench.limit("backoff_floor") * SECOND, bench.limit("backoff_growth")
    if mean >= floor or mean >= factor * first > 0:
        return None
    return bench.breach(
        Form.TIME,
        f"the last {tail} delays are {seconds(round(mean))} long on average, the first was {seconds(first)}",
        f"delays that grow to {factor:g} times the first, or to {floor / SECOND:g} s",
        [a.record for a in [*attempts[:1], *attempts[-tail - 1 :]]],
        [bench.time(f"mean of the last {tail} delays", round(mean), None)],
        clause="delays grow",
    )


@check("REC-060")
def check_no_overlap(bench: Bench) -> Iterator[Finding]:
    """Once a lane's new socket is authorized, its old one carries no request more than 1 s later."""
    talk = bench.talk
    judged: list[int] = []
    for old, loss in losses(bench):
        begin = min(loss.t, old.silent[0] if old.silent else loss.t)
        news = [c for c in _news(bench, begin) if c.authorized]
        if not news:
            continue
        olds = [c for c in talk.synced if c.accepted < begin and c.syncs[0].t < begin]
        new = news[0].authorized
        assert new is not None
        for c in olds:
            late = [q for q in c.requests if q.t > new.t + SECOND]
            # Several lanes come back one after the other: only what comes after the last of them is an overlap.
            settled = max(c2.authorized.t for c2 in news[: len(olds)] if c2.authorized)
            late = [q for q in late if q.t > settled + SECOND]
            if late:
                yield bench.breach(
                    Form.AGAIN,
                    f"`{late[0].endpoint}` on old connection {c.id}, {seconds(late[0].t - settled)} after the new"
                    " socket was authorized",
                    "old and new sockets of a lane do not carry requests together",
                    [new.record, late[0].record],
                )
                return
        if bench.end - new.t >= bench.micros("window_default"):
            judged.append(new.record)
    if judged:
        yield bench.ok(Form.RESTRAINT, "nothing on the old socket once the new one was authorized", judged)
    elif any(c.authorized for _, loss in losses(bench) for c in _news(bench, loss.t)):
        yield bench.short("the new socket was watched for a part of the window only")
