"""Tokens that expire: before the login, and while a socket lives (S2 §1, §5; TP §2)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.asides import RestCall
from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import TOKEN_ENDPOINTS, Connection, Loss, Request
from brokercert.judge.tradovate.model.tokens import Replacement, bad_tokens, replaced, token_of
from brokercert.verdict import Finding, Form, Verdict


@check("LOG-050")
def check_expired_at_login(bench: Bench) -> Iterator[Finding]:
    """A token that had expired before the login is refused once at most: the next authorize carries a fresh one."""
    bad = bad_tokens(bench, "expired")
    if bad:
        yield from replaced(bench, Replacement(bad, "expired", since=0, most=1))


@check("LOG-055")
def check_expired_while_connected(bench: Bench) -> Iterator[Finding]:
    """When the token of a live socket expires, the socket is kept, authorize is not sent again on it, and REST
    requests made afterwards carry another token.
    """
    bad = bad_tokens(bench, "expired")
    praised = False
    for c in bench.talk.working():
        ended = _end_of_token(c, bad)
        wrong = _replaced_before(bench, c, bad) if ended is None else _wrong(bench, c, bad, ended)
        if wrong is not None:
            yield wrong
            return
        if ended is None or _lost_before(c, ended):
            continue
        finding = _lived_on(bench, c, ended)
        passed = finding.verdict is Verdict.PASS
        if not (passed and praised):  # of several sockets one praise is enough
            yield finding
        praised = praised or passed


def _end_of_token(c: Connection, bad: dict[str, Moment]) -> Moment | None:
    """When the token that authorized it became bad."""
    granted = next((a for a in c.authorizes if c.authorized is not None and a.answer is c.authorized), None)
    return bad.get(token_of(granted)) if granted is not None else None


def _lost_before(c: Connection, ended: Moment) -> bool:
    """The broker or the network had ended it when its token's time was over."""
    return c.loss is not None and c.loss.by != "client" and c.loss.t <= ended.t


def _replaced_before(bench: Bench, c: Connection, bad: dict[str, Moment]) -> Finding | None:
    """The client may have replaced its token before it authorized; that one's end is not recorded."""
    again = _again(bench, c)
    return _twice(bench, c, again[0]) if bad and c.authorized and c.loss is None and again else None


def _wrong(bench: Bench, c: Connection, bad: dict[str, Moment], ended: Moment) -> Finding | None:
    """What a client must not do when the token of a live socket ends; nothing where it did not."""
    if _lost_before(c, ended):
        return None
    gone, answer = c.given_up(), c.authorized
    if gone is not None and answer is not None and gone.t > answer.t:
        return _dropped(bench, c, ended, gone)
    again = _again(bench, c)
    return _twice(bench, c, again[0]) if again else _called(bench, bad, ended)


def _called(bench: Bench, bad: dict[str, Moment], ended: Moment) -> Finding | None:
    """A breach, where REST was called with the token that had expired."""
    stale = _stale(bench, bad)
    if not stale:
        return None
    return bench.breach(
        Form.AGAIN,
        f"`{stale[0].endpoint}` was called over REST with the token that had expired"
        f" {seconds(stale[0].t - ended.t)} before",
        "REST requests carry a renewed or new token",
        [ended.record, stale[0].record],
        clause="REST",
    )


def _dropped(bench: Bench, c: Connection, ended: Moment, gone: Loss) -> Finding:
    after = gone.t - ended.t
    when = f"{seconds(after)} after" if after >= 0 else f"{seconds(-after)} before"
    begun = [c.authorized.record] if c.authorized and gone.record < ended.record else []
    return bench.breach(
        Form.ENDING,
        f"the client ended connection {c.id} ({gone.how}) {when} its token's end{bench.exit_text()}",
        "a socket stays open when its token expires",
        [*begun, ended.record, gone.record],
        clause="not dropped",
    )


def _stale(bench: Bench, bad: dict[str, Moment]) -> list[RestCall]:
    """REST requests with a token after its end, but those that ask for a new one."""
    return [call for call in _calls(bench) if call.bearer in bad and call.t > bad[call.bearer].t]


def _calls(bench: Bench) -> list[RestCall]:
    """All REST requests but those that ask for a new token."""
    return [call for call in bench.talk.asides.rest if call.endpoint not in TOKEN_ENDPOINTS]


def _lived_on(bench: Bench, c: Connection, ended: Moment) -> Finding:
    watched = c.last_seen(bench.seen) - ended.t
    if watched < bench.micros("window_default"):
        return bench.short(f"watched for {seconds(watched)} after the token's end only", [ended.record])
    calls = [call for call in _calls(bench) if call.t > ended.t]
    made = f"{len(calls)} REST request(s) with a good token" if calls else "no REST request made"
    said = f"the socket lived on for {seconds(watched)} after its token's end; {made}"
    return bench.ok(Form.RESTRAINT, said, [ended.record])


def _again(bench: Bench, c: Connection) -> list[Request]:
    """Authorizes on a socket that knew already that it was authorized: its token's end is what may cause them."""
    known = c.authorized.t + bench.micros("arrival") if c.authorized else bench.end
    return [a for a in c.authorizes if a.t >= known]


def _twice(bench: Bench, c: Connection, again: Request) -> Finding:
    return bench.breach(
        Form.AGAIN,
        f"a second authorize on connection {c.id}, {seconds(again.t - c.authorizes[0].t)} after the first",
        "one authorize on a socket, whatever becomes of its token",
        [c.authorizes[0].record, again.record],
        clause="one authorize",
    )
