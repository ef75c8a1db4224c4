"""A login that is refused, or never answered: S2 §1, TP §2, §3."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.attempts import attempts_of, attempts_within_limits
from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import SECOND, Connection, Request
from brokercert.trace.names import RuleName
from brokercert.verdict import Finding, Form


@check("LOG-040")
def check_refusal_recognised(bench: Bench) -> Iterator[Finding]:
    """After a refused token: nothing but heartbeats on that socket, the same token not hammered, attempts inside the
    limits. Staying, closing and leaving for good are all legal.
    """
    talk = bench.talk
    refused = [c for c in talk.upgraded if c.refused]
    if not refused:
        return
    first = min(c.refused.t for c in refused if c.refused)
    arrival = bench.micros("arrival")
    clean = True
    for c in refused:
        assert c.refused is not None
        late = [q for q in c.requests if q.t > c.refused.t + arrival]
        if late:
            clean = False
            yield bench.breach(
                Form.AGAIN,
                f"`{late[0].endpoint}` was sent on connection {c.id}, {seconds(late[0].t - c.refused.t)} after its"
                " token had been refused",
                "nothing but heartbeats on a socket whose token was refused",
                [c.refused.record, late[0].record],
                clause="nothing follows",
            )
    for finding in _hammered(bench, [a for c in talk.upgraded for a in c.authorizes]):
        clean = False
        yield finding
    attempts = attempts_of(talk, first)
    for finding in attempts_within_limits(bench, attempts, sockets=max(1, _at_once(refused))):
        clean = False
        yield finding
    if not clean:
        return
    watched = bench.end - first
    gone = talk.exited is not None
    if watched < bench.micros("window_refused") and not gone:
        yield bench.short(f"watched for {seconds(watched)} after the refusal only")
        return
    after = "left" if gone else f"made {len(attempts)} further attempt(s) in {seconds(watched)}"
    yield bench.ok(
        Form.RESTRAINT,
        f"after the refusal the client {after}",
        [c.refused.record for c in refused[:3] if c.refused],
        spare=watched - bench.micros("window_refused"),
    )


def _at_once(connections: list[Connection]) -> int:
    """How many of these sockets lived together at the most."""
    return max(
        sum(o.accepted <= c.accepted and (o.loss is None or o.loss.t > c.accepted) for o in connections)
        for c in connections
    )


def _hammered(bench: Bench, requests: list[Request]) -> Iterator[Finding]:
    """The same refused token at most three times in 60 s; on different sockets within 1 s it counts once."""
    span, most = bench.micros("refused_token_window"), round(bench.limit("refused_token_repeats"))
    by_token: dict[str, list[Request]] = {}
    for request in requests:
        answer = request.answer
        if answer is not None and answer.status not in (401, 403):
            continue
        by_token.setdefault(_token_of(request), []).append(request)
    for token, uses in by_token.items():
        uses.sort(key=lambda q: q.t)
        counted: list[Request] = []
        for use in uses:
            if not counted or use.t - counted[-1].t >= SECOND or use.conn == counted[-1].conn:
                counted.append(use)
        for place, use in enumerate(counted):
            inside = [q for q in counted[place:] if q.t - use.t < span]
            if len(inside) > most:
                yield bench.breach(
                    Form.AGAIN,
                    f"the refused token {token} was sent {len(inside)} times in {seconds(inside[-1].t - inside[0].t)}",
                    f"the same refused token at most {most} times in {span / SECOND:g} s",
                    [q.record for q in inside],
                    [bench.count("uses of one refused token", len(inside), most)],
                    clause="not hammered",
                )
                break


def _token_of(request: Request) -> str:
    body = request.body
    return (body if isinstance(body, str) else request.text).strip().strip('"')


@check("LOG-080")
def check_authentication_timeout(bench: Bench) -> Iterator[Finding]:
    """An unanswered authorize, and an `o` that never comes, are given up in time and tried again on a new socket."""
    talk = bench.talk
    for conn, since, begun, what in _unanswered(bench):
        c = talk.connections[conn]
        if what == "`o`" and c.authorized is not None:
            yield bench.ok(
                Form.SHOWN, "the client does not wait for `o`: it authorized without it", [c.authorized.record]
            )
            continue
        gone = c.given_up()
        nexts = [x for x in talk.connections.values() if x.head and x.accepted > since and x is not c]
        ends = [(gone.t, gone.record)] if gone else []
        left = min([*ends, *((x.accepted, x.accepted_record) for x in nexts)], default=None)
        limit, should = bench.limit("give_up"), bench.limit("give_up_should")
        if left is None:
            watched = bench.end - since
            if watched < limit * SECOND:
                yield bench.short(f"{what} was awaited for {seconds(watched)} only")
                continue
            yield bench.breach(
                Form.ABSENCE,
                f"the client still waited for {what} after {seconds(watched)}{bench.exit_text()}",
                f"given up within {limit:g} s",
                [begun],
                [bench.time(f"wait for {what}", watched, limit)],
                clause=what,
            )
            continue
        given_up = left[0]
        measured = bench.time(f"wait for {what}", given_up - since, limit)
        evidence = [begun, left[1]]
        yield bench.against(
            measured,
            observed=f"{what} was given up after {seconds(given_up - since)}",
            expected=f"given up within {limit:g} s",
            evidence=evidence,
            clause=what,
        )
        if should + measured.error < measured.value <= limit:
            yield bench.warn(
                Form.TIME,
                f"{what} was given up after {seconds(given_up - since)}",
                f"given up within {should:g} s",
                evidence,
                [bench.time(f"wait for {what}", given_up - since, should)],
                clause=what,
            )
        yield _retried(bench, c, left, what)


def _unanswered(bench: Bench) -> Iterator[tuple[int, int, int, str]]:
    """(connection, since when, record, what) of everything that a client awaited in vain."""
    for _, _, rule in bench.talk.rules:
        if rule.conn not in bench.talk.connections:
            continue
        c = bench.talk.connections[rule.conn]
        if rule.name == RuleName.OPEN_NEVER and c.upgraded:
            yield c.id, *c.upgraded, "`o`"
        elif rule.name == RuleName.unanswered("authorize") and c.authorizes:
            yield c.id, c.authorizes[0].t, c.authorizes[0].record, "the answer to authorize"


def _retried(bench: Bench, c: Connection, left: tuple[int, int], what: str) -> Finding:
    given_up, record = left
    again = [x for x in bench.talk.authorized if x.accepted > c.accepted and x is not c]
    if again:
        answer = again[0].authorized
        assert answer is not None
        return bench.ok(
            Form.SHOWN,
            f"authorized on a new socket {seconds(answer.t - given_up)} after giving up",
            [answer.record],
            (),
            what,
        )
    waited = bench.end - given_up
    if waited < bench.micros("window_recovery") and bench.talk.died() is None:
        return bench.short(f"watched for {seconds(waited)} after giving up only", (), what)
    return bench.breach(
        Form.ABSENCE,
        f"no new socket was authorized in {seconds(waited)} after {what} was given up{bench.exit_text()}",
        "a new attempt that authorizes",
        [record],
        clause=what,
    )
