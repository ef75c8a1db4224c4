"""Logging in, and staying: S2 §1, and what TP §1 to §3 add to it. A login that fails: `failing.py`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import SECOND, Connection, Request
from brokercert.trace.names import RuleName
from brokercert.verdict import Finding, Form


@check("LOG-010")
def check_connect(bench: Bench) -> Iterator[Finding]:
    """From the accepted TCP connection to the complete upgrade, every socket of the exclusive scenario; elsewhere
    only that the client connects at all.
    """
    talk = bench.talk
    if talk.started is None:
        return
    heads = [c for c in talk.connections.values() if c.head]
    window = bench.limit("window_first_authorize")
    if not heads:
        seen = f"{len(talk.connections)} TCP connection(s) and no upgrade request" if talk.connections else "nothing"
        watched = bench.end - talk.started
        if watched < window * SECOND and talk.died() is None:
            yield bench.short(f"the client was watched for {seconds(watched)} only, and sent {seen}")
            return
        evidence = [talk.started_record, *(c.accepted_record for c in talk.connections.values())]
        evidence += [talk.exited[1]] if talk.exited else []
        yield bench.breach(
            Form.ABSENCE,
            f"the client sent {seen} in {seconds(watched)}{bench.exit_text()}",
            f"a WebSocket upgrade request within {window:g} s of the client's start",
            evidence,
        )
        return
    if not bench.header.exclusive:
        yield bench.ok(Form.SHOWN, f"connected, {len(heads)} upgrade(s)", [heads[0].head[1]] if heads[0].head else [])
        return
    limit = bench.limit("connect")
    for c in heads:
        if c.upgraded is None:
            continue
        begin = max(c.accepted, c.last_rest or 0)  # a kept-alive connection is free for other work before
        took = c.upgraded[0] - begin
        yield bench.against(
            bench.time("TCP accept to complete upgrade", took, limit),
            observed=f"connection {c.id} was complete {seconds(took)} after its TCP connection was accepted",
            expected=f"a complete upgrade within {limit:g} s",
            evidence=[c.accepted_record, c.upgraded[1]],
        )


@check("LOG-020")
def check_one_authorize(bench: Bench) -> Iterator[Finding]:
    """One logical authorize per socket; a repeat after its ticket's time is the same one."""
    seen = [c for c in bench.talk.upgraded if c.authorizes]
    longest = 0
    for c in seen:
        requests = c.authorizes
        longest = max(longest, c.last_seen(bench.end) - requests[0].t)
        yield from _repeated_authorize(bench, requests)
    if not seen:
        return
    need = bench.micros("window_default")
    if longest < need and all(len(c.authorizes) == 1 for c in seen):
        yield bench.short(f"the longest socket was watched for {seconds(longest)} after its authorize only")
    elif all(len(c.authorizes) == 1 for c in seen):
        yield bench.ok(
            Form.RESTRAINT,
            f"one authorize on each of {len(seen)} socket(s)",
            [c.authorizes[0].record for c in seen],
            spare=longest - need,
        )


def _repeated_authorize(bench: Bench, requests: list[Request]) -> Iterator[Finding]:
    for earlier, later in pairwise(requests):
        evidence = [earlier.record, later.record]
        answer = earlier.answer
        if answer is not None and answer.t < later.t and answer.ticket:
            early = bench.micros("ticket_early")
            if later.t >= answer.t + answer.wait - early:
                yield bench.ok(
                    Form.SHOWN, "authorize was repeated after its ticket's time: the same logical request", evidence
                )
                continue
        unanswered = answer is None or answer.t > later.t
        if unanswered and later.t - earlier.t >= 2 * SECOND:
            yield bench.warn(
                Form.AGAIN,
                f"authorize was sent again on connection {later.conn} after {seconds(later.t - earlier.t)} without an"
                " answer",
                "one authorize on a socket; an unanswered one is given up on a new socket",
                evidence,
            )
            continue
        yield bench.breach(
            Form.AGAIN,
            f"a second authorize on connection {later.conn}, {seconds(later.t - earlier.t)} after the first",
            "one authorize on a socket",
            evidence,
        )


@check("LOG-025")
def check_authorize_waits_for_open(bench: Bench) -> Iterator[Finding]:
    """Where `o` was held back for 3 s at least, authorize came only after it."""
    for conn, start, end in bench.talk.withheld_spans("o"):
        c = bench.talk.connections[conn]
        early = [a for a in c.authorizes if start <= a.t < end]
        if early:
            after = early[0].t - start
            yield bench.breach(
                Form.CONTENT,
                f"authorize was sent {seconds(after)} after the upgrade, with `o` still held back",
                "authorize after the server's open frame `o`",
                [early[0].record],
            )
        elif end - start < bench.micros("withhold"):
            yield bench.short(f"`o` was held back for {seconds(end - start)} only")
        elif c.authorizes:
            yield bench.ok(
                Form.RESTRAINT,
                f"`o` was held back for {seconds(end - start)}, and authorize came {seconds(c.authorizes[0].t - end)}"
                " after it",
                [c.upgraded[1] if c.upgraded else c.accepted_record, c.authorizes[0].record],
            )


@check("LOG-030")
def check_authenticate(bench: Bench) -> Iterator[Finding]:
    """From `o` to authorize, plus from the answer to the first request: every socket of the exclusive scenario;
    elsewhere only that the client authorizes with a valid token.
    """
    talk = bench.talk
    up = talk.upgraded
    if not up:
        return
    if not any(c.authorizes for c in up):
        window = bench.micros("window_first_authorize")
        heard = [c for c in up if c.opens]  # a client may wait for `o` as long as none came
        if not heard:
            return
        watched = max(c.last_seen(bench.end) - c.opens[0][0] for c in heard)
        if watched < window and talk.died() is None and not any(c.given_up() for c in heard):
            yield bench.short(f"watched for {seconds(watched)} after `o` only, without an authorize")
            return
        said = sum(len(c.other) + len(c.requests) for c in up)
        yield bench.breach(
            Form.ABSENCE,
            f"no authorize in {seconds(bench.end - heard[0].opens[0][0])} after `o` ({said} other message(s))"
            f"{bench.exit_text()}",
            "authorize with the token that the client was given",
            [heard[0].opens[0][1], *(number for c in up for _, number, _ in c.other[:2])],
        )
        return
    refused = [c for c in up if c.refused]
    scripted = {record.conn for _, _, record in talk.rules}
    wrong = [c for c in refused if c.id not in scripted]
    if wrong and not talk.authorized:
        yield bench.breach(
            Form.CONTENT,
            f"authorize on connection {wrong[0].id} carried a token that the broker never issued, or not in a form of"
            " it",
            "the token that the client was given, raw or as a JSON string",
            [wrong[0].authorizes[0].record],
        )
        return
    if not bench.header.exclusive:
        first = next(c for c in up if c.authorizes)
        yield bench.ok(Form.SHOWN, "authorized", [first.authorizes[0].record])
        return
    limit = bench.limit("authenticate")
    for c in up:
        took = _authentication_time(c)
        if took is None:
            continue
        parts, evidence = took
        yield bench.against(
            bench.time("`o` to authorize, plus answer to first request", sum(parts), limit),
            observed=f"connection {c.id}: `o` to authorize {seconds(parts[0])}, answer to first request"
            f" {seconds(parts[1])}",
            expected=f"a sum of at most {limit:g} s",
            evidence=evidence,
        )


def _authentication_time(c: Connection) -> tuple[tuple[int, int], list[int]] | None:
    """The client's own two shares of logging in, or None where the socket was not authorized."""
    answer = c.authorized
    if answer is None:
        return None
    request = next(a for a in c.authorizes if a.answer is answer)
    first = c.authorizes[0]
    waits = sum(a.answer.wait for a in c.authorizes if a.answer and a.answer.ticket)
    opened = c.opened
    before = 0 if opened is None or first.t <= opened else request.t - opened - waits
    after = 0
    evidence = [number for _, number in c.opens[:1]] + [request.record]
    if c.syncs:
        following = next((q for q in c.requests if q.t >= answer.t and q.endpoint != "authorize"), None)
        if following is not None:
            after = following.t - answer.t
            evidence += [answer.record, following.record]
    return (max(0, before), after), evidence


@check("LOG-060")
def check_stable(bench: Bench) -> Iterator[Finding]:
    """For 60 s after authentication, with a healthy server, the client ends no connection by itself. One that was
    begun after the client had been asked to stop is OFF-010's matter.
    """
    talk = bench.talk
    window = bench.micros("window_stability")
    working = talk.working()
    asked = min((t for t, _, _ in talk.stops), default=bench.end)
    watched = 0
    for c in working:
        answer = c.authorized
        if answer is None or answer.t > asked:
            continue
        until = c.disturbed[0] if c.disturbed and c.disturbed[0] > answer.t else bench.end
        watched = max(watched, c.last_seen(until) - answer.t)
        if bench.unprovoked(c):
            gone = c.given_up()
            assert gone is not None
            yield bench.breach(
                Form.ENDING,
                f"the client ended connection {c.id} ({gone.how}) {seconds(gone.t - answer.t)} after it was"
                f" authorized, with the server healthy{bench.exit_text()}",
                "a connection that stays up while the server is healthy",
                [answer.record, gone.record, *([talk.exited[1]] if talk.died() and talk.exited else [])],
            )
            return
    if not watched:
        return
    if watched < window:
        yield bench.short(f"watched for {seconds(watched)} after authentication only")
    else:
        yield bench.ok(Form.RESTRAINT, f"stable for {seconds(watched)} after authentication", spare=watched - window)


@check("LOG-070")
def check_answer_in_batch(bench: Bench) -> Iterator[Finding]:
    """Where the authorize answer stood last among other messages of a frame, the client goes on with its work on that
    socket.
    """
    talk = bench.talk
    for _, _, rule in talk.rules:
        if rule.name != RuleName.LAST_IN_BATCH or rule.conn not in talk.connections:
            continue
        c = talk.connections[rule.conn]
        answer = c.authorized
        if answer is None:
            continue
        request = next(a for a in c.authorizes if a.answer is answer)
        following = [q for q in c.requests if q.record > answer.record and q.endpoint != "authorize"]
        if following:
            yield bench.ok(
                Form.SHOWN,
                f"authorize (id {request.id}) was answered last in its frame, and `{following[0].endpoint}` followed"
                f" {seconds(following[0].t - answer.t)} later",
                [answer.record, following[0].record],
            )
            continue
        early = [q for q in c.requests if q.endpoint != "authorize"]
        if early:
            yield bench.blocked("EVT-020", "the client did not wait for the answer", [early[0].record])
            continue
        control = [k for k in talk.synced if k is not c and k.authorized and k.syncs[0].record > k.authorized.record]
        if not control:
            plain = [k for k in talk.authorized if k is not c]
            by = "EVT-020" if plain else "REC-010"
            yield bench.blocked(by, "the client did not go on after a plain answer either", [answer.record])
            continue
        yield bench.breach(
            Form.ABSENCE,
            f"authorize (id {request.id}) was answered last in its frame, and nothing followed in"
            f" {seconds(c.last_seen(bench.end) - answer.t)}; after a plain answer the client went on",
            "the answer is found wherever it stands in a frame",
            [request.record, answer.record, control[0].syncs[0].record],
        )
