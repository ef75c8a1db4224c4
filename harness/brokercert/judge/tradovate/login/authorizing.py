"""Authorize: when it comes, how often, and how long it takes (S2 §1, TP §1 to §3)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from brokercert.judge.check import Watch, seconds
from brokercert.judge.moments import Moment, records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer, Connection, Request
from brokercert.verdict import Finding, Form, Verdict


@check("LOG-020")
def check_one_authorize(bench: Bench) -> Iterator[Finding]:
    """One logical authorize per socket; a repeat after its ticket's time is the same one."""
    seen = [c for c in bench.talk.upgraded if c.authorizes]
    repeats = [pair for c in seen for pair in pairwise(c.authorizes)]
    for earlier, later in repeats:
        yield _repeated(bench, earlier, later)
    if seen and not repeats:
        yield _one_each(bench, seen)


def _one_each(bench: Bench, seen: list[Connection]) -> Finding:
    watched, since = max((c.last_seen(bench.seen) - c.authorizes[0].t, c.authorizes[0].record) for c in seen)
    need = bench.micros("window_default")
    if watched < need:
        return bench.short(f"the longest socket was watched for {seconds(watched)} after its authorize only", [since])
    said = f"one authorize on each of {len(seen)} socket(s)"
    return bench.ok(Form.RESTRAINT, said, [c.authorizes[0].record for c in seen], spare=watched - need)


def _repeated(bench: Bench, earlier: Request, later: Request) -> Finding:
    """What the second of two authorizes on a socket is: the same one after its ticket's time, or a second one."""
    evidence, answer = [earlier.record, later.record], earlier.answer
    if answer is not None and _after_penalty(bench, answer, later):
        said = "authorize was repeated after its ticket's time: the same logical request"
        return bench.ok(Form.SHOWN, said, evidence)
    took = later.t - earlier.t
    unanswered = answer is None or answer.t > later.t
    if unanswered and took >= bench.micros("authorize_again"):
        return bench.warn(
            Form.AGAIN,
            f"authorize was sent again on connection {later.conn} after {seconds(took)} without an answer",
            "one authorize on a socket; an unanswered one is given up on a new socket",
            evidence,
        )
    said = f"a second authorize on connection {later.conn}, {seconds(took)} after the first"
    return bench.breach(Form.AGAIN, said, "one authorize on a socket", evidence)


def _after_penalty(bench: Bench, answer: Answer, later: Request) -> bool:
    """The answer was a ticket, and the request came when its time was over."""
    if answer.t >= later.t or not answer.ticket:
        return False
    return later.t >= answer.t + answer.wait - bench.micros("ticket_early")


@check("LOG-025")
def check_authorize_waits_for_open(bench: Bench) -> Iterator[Finding]:
    """Where `o` was held back for 3 s at least, authorize came only after it."""
    held = [(bench.talk.connections[conn], start, end) for conn, start, end in bench.talk.withheld_spans("o")]
    whole = {bench.lanes.lane(c) for c, start, end in held if end - start >= bench.micros("withhold")} - {None}
    for c, start, end in held:
        found = _without_open(bench, c, start, end)
        # A socket that was given up and followed by another one before all were let go is no gap in what was seen.
        if found is not None and not (found.verdict is Verdict.NOT_OBSERVED and bench.lanes.lane(c) in whole):
            yield found


def _without_open(bench: Bench, c: Connection, start: int, end: int) -> Finding | None:
    """Whether authorize waited for the `o` that was held back from `start` to `end`."""
    early = next((request for request in c.authorizes if start <= request.t < end), None)
    if early is not None:
        return bench.breach(
            Form.CONTENT,
            f"authorize was sent {seconds(early.t - start)} after the upgrade, with `o` still held back",
            "authorize after the server's open frame `o`",
            [early.record],
        )
    if end - start < bench.micros("withhold"):
        begun = records_of(c.upgraded) or [c.accepted_record]
        return bench.short(f"`o` was held back for {seconds(end - start)} only", begun)
    if not c.authorizes:
        return None
    first = c.authorizes[0]
    said = f"`o` was held back for {seconds(end - start)}, and authorize came {seconds(first.t - end)} after it"
    begun = records_of(c.upgraded) or [c.accepted_record]
    return bench.ok(Form.RESTRAINT, said, [*begun, first.record])


@check("LOG-030")
def check_authenticate(bench: Bench) -> Iterator[Finding]:
    """From `o` to authorize, every socket of the exclusive scenario; elsewhere only that the client authorizes with a
    valid token.
    """
    up = bench.talk.upgraded
    asked = [c for c in up if c.authorizes]
    if not asked:
        yield from _never_authorized(bench, up)
        return
    unknown = _unknown_token(bench, up)
    if unknown is not None:
        yield unknown
    elif not bench.header.exclusive:
        yield bench.ok(Form.SHOWN, "authorized", [asked[0].authorizes[0].record])
    else:
        yield from (_time(bench, c, answer) for c in up if (answer := c.authorized) is not None)


def _never_authorized(bench: Bench, up: list[Connection]) -> Iterator[Finding]:
    heard = [c for c in up if c.opens]  # a client may wait for `o` as long as none came
    if not heard:
        return
    window = bench.micros("window_first_authorize")
    watches = ((bench.owed(c.opens[0].t, window, c.last_seen(bench.seen)), c.opens[0]) for c in heard)
    watch, opened = max(watches, key=lambda one: one[0].time)
    gone = [loss for c in heard if (loss := c.given_up()) is not None and loss.t <= bench.owed_until]
    if watch.short and not gone:
        yield bench.short(f"watched for {watch} after `o` only, without an authorize", [opened.record])
    else:
        yield _no_authorize(bench, up, opened, watch)


def _no_authorize(bench: Bench, up: list[Connection], opened: Moment, watch: Watch) -> Finding:
    said = f"{sum(len(c.other) + len(c.requests) for c in up)} other message(s)"
    binary = [one for c in up for one in c.binary_received]
    said += f", {len(binary)} binary frame(s), where the protocol is text" if binary else ""
    return bench.breach(
        Form.ABSENCE,
        f"no authorize in {watch} after `o` ({said}){bench.exit_text()}",
        "authorize with the token that the client was given",
        [opened.record, *(other.record for c in up for other in c.other[:2]), *records_of(*binary[:2])],
    )


def _unknown_token(bench: Bench, up: list[Connection]) -> Finding | None:
    """A breach, where no socket was authorized, and one was refused that no script refused."""
    scripted = {rule.what.conn for rule in bench.talk.rules}
    wrong = next((c for c in up if c.refused and c.id not in scripted), None)
    if wrong is None or bench.talk.authorized:
        return None
    return bench.breach(
        Form.CONTENT,
        f"authorize on connection {wrong.id} carried a token that the broker never issued, or not in a form of it",
        "the token that the client was given, raw or as a JSON string",
        [wrong.authorizes[0].record],
    )


class _Share(NamedTuple):
    """A part of the login's time that is the client's own, and the records that bound it."""

    time: int
    evidence: list[int]


def _time(bench: Bench, c: Connection, answer: Answer) -> Finding:
    limit, share = bench.limit("authenticate"), _before_authorize(c, answer)
    return bench.against(
        bench.time("`o` to authorize", share.time, limit),
        observed=f"connection {c.id}: `o` to authorize {seconds(share.time)}",
        expected=f"authorize within {limit:g} s",
        evidence=[*share.evidence, answer.record],
    )


def _before_authorize(c: Connection, answer: Answer) -> _Share:
    """From `o` to the authorize that was granted, less the penalties; nothing where it came before `o`."""
    request = next(a for a in c.authorizes if a.answer is answer)
    evidence = [*records_of(*c.opens[:1]), request.record]
    if c.opened is None or c.authorizes[0].t <= c.opened:
        return _Share(0, evidence)
    penalties = sum(a.answer.wait for a in c.authorizes if a.answer and a.answer.ticket)
    return _Share(max(0, request.t - c.opened - penalties), evidence)


@check("LOG-035")
def check_first_request(bench: Bench) -> Iterator[Finding]:
    """From the answer to authorize to the first request, every socket that syncs in the exclusive scenario."""
    limit = bench.limit("first_request")
    for c, answer in bench.talk.granted if bench.header.exclusive else ():
        first = _first_after(c, answer)
        if first is not None:
            took = first.t - answer.t
            yield bench.against(
                bench.time("answer to first request", took, limit),
                observed=f"connection {c.id}: answer to first request {seconds(took)}",
                expected=f"a request within {limit:g} s",
                evidence=[answer.record, first.record],
            )


def _first_after(c: Connection, answer: Answer) -> Request | None:
    """The first request behind the answer, on a socket that syncs."""
    later = (q for q in c.requests if q.t >= answer.t and q.endpoint != "authorize")
    return next(later, None) if c.syncs else None
