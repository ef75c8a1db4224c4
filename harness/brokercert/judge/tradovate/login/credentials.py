"""Credentials: what becomes of tokens and of the answers to authorize (S2 §1, §5 and Error handling; TP §2, §7)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import CREDENTIAL, SECOND, TOKEN_ENDPOINTS, Connection, Request
from brokercert.trace.names import FaultName
from brokercert.verdict import Finding, Form

ONE_USE = SECOND  # authorizes on different sockets closer than this are one use of a token


def bad_tokens(bench: Bench, how: str) -> dict[str, tuple[int, int]]:
    """Labels of the tokens that became bad in this way (`expired`, `revoked`) -> (since when, record)."""
    return {
        label: (fault.t, number)
        for _, number, fault in bench.talk.faults
        if fault.name == f"{FaultName.TOKEN}{how}"
        for label in CREDENTIAL.findall(fault.detail)
    }


def token_of(request: Request) -> str:
    """The label of the token that an authorize carried, empty where it was none of the broker's."""
    found = CREDENTIAL.search(request.text)
    return found.group() if found else ""


def _uses(bench: Bench, bad: dict[str, tuple[int, int]]) -> list[Request]:
    """Authorizes with a token that was bad by then; on several sockets at once they are one, and so are those of one
    socket that left before the refusal can have been read.
    """
    uses: list[Request] = []
    arrival = bench.micros("arrival")
    for request in sorted((a for c in bench.talk.upgraded for a in c.authorizes), key=lambda a: a.record):
        known = bad.get(token_of(request))
        if known is None or request.t < known[0]:
            continue
        refused = [u.answer.t for u in uses if u.conn == request.conn and u.answer]
        if not uses or request.t - uses[-1].t >= ONE_USE or any(request.t - t >= arrival for t in refused):
            uses.append(request)
    return uses


def _fresh(bench: Bench, bad: dict[str, tuple[int, int]], since: int) -> Connection | None:
    """The first socket after `since` that was authorized by a token that is none of the bad ones."""
    for c in bench.talk.authorized:
        if c.authorized is not None and c.authorized.t >= since:
            accepted = next(a for a in c.authorizes if a.answer is c.authorized)
            if token_of(accepted) not in bad:
                return c
    return None


def _replaced(
    bench: Bench, bad: dict[str, tuple[int, int]], uses_most: int, since: int, what: str
) -> Iterator[Finding]:
    """The bad token is used so often at most, and a fresh one authorizes a socket in the end."""
    uses = _uses(bench, bad)
    told = [number for _, number in bad.values()][:1]
    if len(uses) > uses_most:
        again = uses[uses_most]
        first = f", {seconds(again.t - uses[0].t)} after it had been refused" if uses_most else ""
        yield bench.breach(
            Form.AGAIN,
            f"the {what} token {token_of(again)} was sent on connection {again.conn}{first}",
            "a fresh token before the next authorize",
            [*told, *(u.record for u in uses[: uses_most + 1])],
            [bench.count(f"uses of the {what} token", len(uses), uses_most)],
        )
        return
    fresh = _fresh(bench, bad, since)
    if fresh is not None and fresh.authorized is not None:
        tried = "after one refusal" if uses else "without a refusal"
        yield bench.ok(Form.SHOWN, f"authorized with a fresh token, {tried}", [*told, fresh.authorized.record])
        return
    begin = uses[0].answer.t if uses and uses[0].answer else since
    watched = bench.end - begin
    if watched < bench.micros("window_recovery") and bench.talk.exited is None:
        yield bench.short(f"watched for {seconds(watched)} without a fresh token only")
        return
    if not uses and not [c for c in bench.talk.upgraded if c.accepted > since]:
        return  # it never came so far: whoever demands an attempt says so
    yield bench.breach(
        Form.ABSENCE,
        f"no fresh token in {seconds(watched)}{bench.exit_text()}",
        "an authorize with a fresh token",
        [*told, *(u.record for u in uses)],
    )


@check("LOG-050")
def check_expired_at_login(bench: Bench) -> Iterator[Finding]:
    """A token that had expired before the login is refused once at most: the next authorize carries a fresh one."""
    bad = bad_tokens(bench, "expired")
    if bad:
        yield from _replaced(bench, bad, 1, 0, "expired")


@check("REC-070")
def check_replaced_while_away(bench: Bench) -> Iterator[Finding]:
    """A token that expired during the outage is not used again; one that was revoked is refused once at most."""
    for how, most in (("expired", 0), ("revoked", 1)):
        bad = bad_tokens(bench, how)
        lost = [c.loss.t for c in bench.talk.authorized if c.loss is not None and not bench.unprovoked(c)]
        if bad and lost:
            yield from _replaced(bench, bad, most, min(lost), how)


@check("LOG-055")
def check_expired_while_connected(bench: Bench) -> Iterator[Finding]:
    """When the token of a live socket expires, the socket is kept, authorize is not sent again on it, and REST
    requests made afterwards carry another token.
    """
    bad = bad_tokens(bench, "expired")
    judged = False
    for c in bench.talk.working():
        answer = c.authorized
        if answer is None:
            continue
        label = token_of(next(a for a in c.authorizes if a.answer is answer))
        ended = bad.get(label)
        lost = c.loss is not None and c.loss.by != "client"
        if ended is None:
            # The client may have replaced its token before it authorized; that one's end is not recorded.
            if bad and c.loss is None and _again(bench, c):
                yield _twice(bench, c)
                return
            continue
        since, number = ended
        if lost and c.loss is not None and c.loss.t <= since:
            continue
        gone = c.given_up()
        if gone is not None and gone.t > answer.t:
            when = f"{seconds(gone.t - since)} after" if gone.t >= since else f"{seconds(since - gone.t)} before"
            yield bench.breach(
                Form.ENDING,
                f"the client ended connection {c.id} ({gone.how}) {when} its token's end{bench.exit_text()}",
                "a socket stays open when its token expires",
                [*([answer.record] if gone.record < number else []), *sorted((number, gone.record))],
                clause="not dropped",
            )
            return
        if _again(bench, c):
            yield _twice(bench, c)
            return
        stale = [
            call
            for call in bench.talk.asides.rest
            if call.bearer in bad and call.t > bad[call.bearer][0] and call.endpoint not in TOKEN_ENDPOINTS
        ]
        if stale:
            yield bench.breach(
                Form.AGAIN,
                f"`{stale[0].endpoint}` was called over REST with the token that had expired"
                f" {seconds(stale[0].t - since)} before",
                "REST requests carry a renewed or new token",
                [number, stale[0].record],
                clause="REST",
            )
            return
        watched = c.last_seen(bench.end) - since
        if watched < bench.micros("window_default"):
            yield bench.short(f"watched for {seconds(watched)} after the token's end only", [number])
        elif not judged:
            judged = True
            calls = [call for call in bench.talk.asides.rest if call.t > since and call.endpoint not in TOKEN_ENDPOINTS]
            made = f"{len(calls)} REST request(s) with a good token" if calls else "no REST request made"
            yield bench.ok(
                Form.RESTRAINT, f"the socket lived on for {seconds(watched)} after its token's end; {made}", [number]
            )


def _again(bench: Bench, c: Connection) -> list[Request]:
    """Authorizes on a socket that knew already that it was authorized: its token's end is what may cause them."""
    known = c.authorized.t + bench.micros("arrival") if c.authorized else bench.end
    return [a for a in c.authorizes if a.t >= known]


def _twice(bench: Bench, c: Connection) -> Finding:
    again = _again(bench, c)[0]
    return bench.breach(
        Form.AGAIN,
        f"a second authorize on connection {c.id}, {seconds(again.t - c.authorizes[0].t)} after the first",
        "one authorize on a socket, whatever becomes of its token",
        [c.authorizes[0].record, again.record],
        clause="one authorize",
    )


@check("LOG-090")
def check_no_leak(bench: Bench) -> Iterator[Finding]:
    """No token, password or secret stands in a URL or in anything that the client prints, over 20 s at least."""
    asides = bench.talk.asides
    for where in dict.fromkeys(leak.where for leak in asides.leaks):
        here = [leak for leak in asides.leaks if leak.where == where]
        yield bench.breach(
            Form.CONTENT,
            f"{here[0].what} in {where}" + (f", {len(here)} times" if len(here) > 1 else ""),
            "credentials in no URL and in no output",
            [leak.record for leak in here[:3]],
            clause=where,
        )
    if asides.leaks or not bench.talk.upgraded:
        return
    watched = bench.end - (bench.talk.started or 0)
    if watched < bench.micros("window_default"):
        yield bench.short(f"watched for {seconds(watched)} only")
    elif asides.dropped:
        yield bench.short(f"{asides.dropped} lines of output were more than is kept, and were not looked at")
    else:
        said = f"no credential in any URL, nor in {asides.lines} line(s) of output"
        yield bench.ok(Form.RESTRAINT, said, spare=watched - bench.micros("window_default"))


@check("LOG-100")
def check_no_success(bench: Bench) -> Iterator[Finding]:
    """After a 200 answer to authorize that carries a ticket or an error text, nothing but heartbeats and another
    authorize follows on that socket. Judged of a client that does send something after a plain answer.
    """
    talk = bench.talk
    arrival = bench.micros("arrival")
    for c in talk.upgraded:
        hollow = next((a.answer for a in c.authorizes if a.answer and a.answer.status == 200 and not a.answer.ok), None)
        if hollow is None:
            continue
        kind = "a ticket" if hollow.ticket else "an error text"
        granted = c.authorized.t if c.authorized else bench.end
        early = [
            q
            for q in c.requests
            if q.record > hollow.record
            and not (c.authorized and q.record > c.authorized.record)
            and q.endpoint != "authorize"
        ]
        before = [q for q in c.requests if q.record < hollow.record and q.endpoint != "authorize"]
        if before:
            yield bench.blocked("EVT-020", "the client did not wait for the answer", [before[0].record])
            continue
        if early:
            yield bench.breach(
                Form.CONTENT,
                f"authorize was answered with {kind}, and `{early[0].endpoint}` followed"
                f" {seconds(early[0].t - hollow.t)} later",
                "no success: nothing but heartbeats, or another authorize",
                [hollow.record, early[0].record],
                clause=kind,
            )
            continue
        goes_on = [
            k for k in talk.authorized if any(k.authorized and q.record > k.authorized.record for q in k.requests)
        ]
        if not goes_on:
            continue
        watched = min(granted, c.last_seen(bench.end)) - hollow.t
        if c.authorized is None and c.given_up() is None and watched < bench.micros("window_default") + arrival:
            yield bench.short(f"watched for {seconds(watched)} after {kind} only", [hollow.record], kind)
        else:
            yield bench.ok(
                Form.RESTRAINT,
                f"{kind} in the answer to authorize was not taken for success",
                [hollow.record],
                clause=kind,
            )
