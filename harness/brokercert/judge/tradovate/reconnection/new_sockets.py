"""What a client does on its new socket, and leaves on its old one: S2 §5, TP §5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer, Connection, Request, answers_of
from brokercert.judge.tradovate.model.syncs import one_sync
from brokercert.judge.tradovate.reconnection.doubled import too_many
from brokercert.judge.tradovate.reconnection.losses import Lost, after, losses, taken
from brokercert.verdict import Finding, Form, Verdict


@check("REC-020")
def check_reauthenticates(bench: Bench) -> Iterator[Finding]:
    """On the new socket, authorize precedes any other request, and none comes while its answer is held back."""
    for lost in losses(bench):
        news = after(bench, lost, bench.talk.upgraded)
        if news:
            yield _other_first(bench, news) or _authorized_again(bench, news)


def _other_first(bench: Bench, news: list[Connection]) -> Finding | None:
    """A request that came before authorize, or before its answer."""
    first = next((c.requests[0] for c in news if c.requests and c.requests[0].endpoint != "authorize"), None)
    if first is not None:
        return bench.breach(
            Form.CONTENT,
            f"the first request on new connection {first.conn} was `{first.endpoint}`",
            "authorize before any other request",
            [first.record],
        )
    early = next(_early(bench, news), None)
    if early is not None:
        return bench.breach(
            Form.CONTENT,
            f"`{early.endpoint}` on a new socket with the answer to authorize still held back",
            "authorize answered before any other request",
            [early.record],
        )
    return None


def _early(bench: Bench, news: list[Connection]) -> Iterator[Request]:
    """Requests on these sockets that came while the answer to authorize was held back."""
    for conn, start, end in bench.talk.withheld_spans("authorize"):
        c = bench.talk.connections[conn]
        if c in news:
            yield from c.early((q for q in c.requests if q.endpoint != "authorize"), start, end)


def _authorized_again(bench: Bench, news: list[Connection]) -> Finding:
    done = [c.authorizes[0] for c in news if c.authorizes]
    if done:
        return bench.ok(Form.SHOWN, "authorized again before any other request", [done[0].record])
    return _never_authorized(bench, news)


def _never_authorized(bench: Bench, news: list[Connection]) -> Finding:
    """No authorize came: a breach, once the client was watched for it after the broker's `o`."""
    heard = [c for c in news if c.opens]
    watched = max((c.last_seen(bench.seen) - c.opens[0].t for c in heard), default=0)
    if watched < bench.micros("window_first_authorize"):
        opened = [c.opens[0].record for c in heard if c.last_seen(bench.seen) - c.opens[0].t == watched]
        return bench.short(f"the new socket was watched for {seconds(watched)} only", opened)
    return bench.breach(
        Form.ABSENCE,
        f"no authorize on the new socket in {seconds(watched)} after `o`",
        "the client authorizes on the new socket",
        [heard[0].opens[0].record],
    )


@check("REC-030")
def check_one_sync_again(bench: Bench) -> Iterator[Finding]:
    """One logical sync on the new socket; every lane that lived before the loss syncs again."""
    for lost in losses(bench):
        lanes = _lanes(taken(bench, lost, bench.talk.synced), lost)
        granted = _granted(bench, lost)
        if lanes and granted:
            yield from _synced_again(bench, lost, lanes, granted)
        elif granted and not any(c.syncs for c in bench.talk.connections.values()):
            said = "no socket had sent a sync request before the loss, nor did any after it"
            yield bench.blocked("EVT-020", said, [granted[0][1].record])


def _lanes(synced: list[Connection], lost: Lost) -> list[Connection]:
    """Those of the synced sockets whose sync request came before the loss."""
    return [c for c in synced if c.syncs[0].t < lost.begin]


def _granted(bench: Bench, lost: Lost) -> list[tuple[Connection, Answer]]:
    """The new sockets that were authorized, each with the answer that did it."""
    news = after(bench, lost, bench.talk.authorized)
    return [(c, answer) for c, answer in bench.talk.granted if c in news]


def _synced_again(
    bench: Bench, lost: Lost, lanes: list[Connection], granted: list[tuple[Connection, Answer]]
) -> Iterator[Finding]:
    """Whether each of the lanes has a successor among the new sockets, with one sync."""
    again = [c for c, _ in granted if c.syncs]
    praise = (Verdict.PASS, Verdict.NOT_OBSERVED)
    wrong = [finding for finding in one_sync(bench, again) if finding.verdict not in praise]
    yield from wrong
    missing = _lanes_missing(lanes, again)
    if missing:
        first = granted[0][1]
        watch = bench.owed(first.t, bench.micros("window_first_sync"))
        yield watch.missing(
            f"{len(missing)} of {len(lanes)} lane(s) did not sync again in {watch} after the new socket was authorized",
            "each lane that lived before the loss syncs again",
            [missing[0].syncs[0].record, lost.loss.record, first.record],
            short=f"watched for {watch} after the new authorize answer only",
            seen=[first.record],
        )
    elif not wrong:
        yield _once_each(bench, again)


def _once_each(bench: Bench, again: list[Connection]) -> Finding:
    """No second sync came on any of these, once they were watched for one."""
    short = "the new socket was watched for a part of the window only"
    answered = [answer.t for c in again for answer in answers_of(c.syncs)]
    if not answered:
        return bench.short(short)
    watch = bench.barred(max(answered), bench.micros("window_single_sync"))
    said = f"one sync on each of {len(again)} new socket(s)"
    return watch.kept(said, [c.syncs[0].record for c in again], short=short, seen=[])


def _lanes_missing(lanes: list[Connection], again: list[Connection]) -> list[Connection]:
    """Lanes without a successor: first the ones of the same filter, then, for the rest, any left over.

    A client may spread its shards otherwise after a loss; what counts here is that as many lanes sync again.
    """
    left = list(again)
    missing = []
    for c in lanes:
        same = next((x for x in left if _filter(x) == _filter(c)), None)
        if same is None:
            missing.append(c)
        else:
            left.remove(same)
    return missing[: max(0, len(missing) - len(left))]


def _filter(c: Connection) -> Any:
    return c.target.lower(), msgspec.json.encode(c.syncs[0].untied, order="sorted")


@check("REC-060")
def check_no_overlap(bench: Bench) -> Iterator[Finding]:
    """Once a lane's new socket is authorized, its old one carries no request more than 1 s later; and of no lane more
    sockets live than a healthy start has.
    """
    doubled = list(too_many(bench))
    yield from doubled
    back = [(lost, granted) for lost in losses(bench) if (granted := _granted(bench, lost))]
    overlap = next((found for lost, granted in back if (found := _overlap(bench, lost, granted)) is not None), None)
    if overlap is not None:
        yield overlap
    elif not doubled:
        yield from _apart(bench, [granted[0][1] for _, granted in back])


def _apart(bench: Bench, firsts: list[Answer]) -> Iterator[Finding]:
    """No overlap was seen after these answers to the first authorize of each way back."""
    judged = [first.record for first in firsts if not bench.barred(first.t, bench.micros("window_default")).short]
    if judged:
        yield bench.ok(Form.RESTRAINT, "nothing on the old socket once the new one was authorized", judged)
    elif any(_granted(bench, lost) for lost in losses(bench)):
        yield bench.short("the new socket was watched for a part of the window only")


def _overlap(bench: Bench, lost: Lost, granted: list[tuple[Connection, Answer]]) -> Finding | None:
    """A request on an old socket when its lane had a new one."""
    olds = _lanes(bench.talk.synced if bench.lanes.shape is None else taken(bench, lost, bench.talk.synced), lost)
    # Several lanes come back one after the other: only what comes after the last of them is an overlap.
    settled = max((answer.t for _, answer in granted[: len(olds)]), default=0)
    late = [q for c in olds for q in c.requests if q.t > settled + bench.micros("lane_overlap")]
    if not late:
        return None
    return bench.breach(
        Form.AGAIN,
        f"`{late[0].endpoint}` on old connection {late[0].conn}, {seconds(late[0].t - settled)} after the new"
        " socket was authorized",
        "old and new sockets of a lane do not carry requests together",
        [granted[0][1].record, late[0].record],
    )
