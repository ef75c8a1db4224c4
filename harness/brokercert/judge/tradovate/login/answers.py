"""The answer to authorize: where it stands in a frame, and whether it is a success (TP §2, §3, §7)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer, Connection, Request
from brokercert.trace.names import RuleName
from brokercert.verdict import Finding, Form


def _work(c: Connection) -> list[Request]:
    """All requests but authorize."""
    return [request for request in c.requests if request.endpoint != "authorize"]


@check("LOG-070")
def check_answer_in_batch(bench: Bench) -> Iterator[Finding]:
    """Where the authorize answer stood last among other messages of a frame, the client goes on with its work on that
    socket.
    """
    for rule in bench.talk.rules:
        c = bench.talk.connections.get(rule.what.conn)
        if rule.what.name == RuleName.LAST_IN_BATCH and c is not None and c.authorized is not None:
            yield _goes_on(bench, c, c.authorized)


def _goes_on(bench: Bench, c: Connection, answer: Answer) -> Finding:
    """Whether a request followed on that socket, of a client whose plain logins it follows."""
    request = next(a for a in c.authorizes if a.answer is answer)
    last = f"authorize (id {request.id}) was answered last in its frame"
    following = next((q for q in _work(c) if q.record > answer.record), None)
    if following is not None:
        said = f"{last}, and `{following.endpoint}` followed {seconds(following.t - answer.t)} later"
        return bench.ok(Form.SHOWN, said, [answer.record, following.record])
    early = _work(c)
    if early:
        return bench.blocked("EVT-020", "the client did not wait for the answer", [early[0].record])
    control = _control(bench, c)
    if control is None:
        return _no_control(bench, c, answer)
    return bench.breach(
        Form.ABSENCE,
        f"{last}, and nothing followed in {seconds(c.last_seen(bench.end) - answer.t)}; after a plain answer the client"
        " went on",
        "the answer is found wherever it stands in a frame",
        [request.record, answer.record, control.record],
    )


def _control(bench: Bench, c: Connection) -> Request | None:
    """The sync request that followed a plain answer, on another socket."""
    for other, answer in bench.talk.granted:
        if other is not c and other.syncs and other.syncs[0].record > answer.record:
            return other.syncs[0]
    return None


def _no_control(bench: Bench, c: Connection, answer: Answer) -> Finding:
    plain = any(other is not c for other in bench.talk.authorized)
    by = "EVT-020" if plain else "REC-010"
    return bench.blocked(by, "the client did not go on after a plain answer either", [answer.record])


@check("LOG-100")
def check_no_success(bench: Bench) -> Iterator[Finding]:
    """After a 200 answer to authorize that carries a ticket or an error text, nothing but heartbeats and another
    authorize follows on that socket. Judged of a client that does send something after a plain answer.
    """
    hollow = ((c, _hollow(c)) for c in bench.talk.upgraded)
    yield from filter(None, (_after_hollow(bench, c, answer) for c, answer in hollow if answer is not None))


def _hollow(c: Connection) -> Answer | None:
    """The first answer with status 200 that is no success."""
    return next((a.answer for a in c.authorizes if a.answer and a.answer.status == 200 and not a.answer.ok), None)


def _after_hollow(bench: Bench, c: Connection, hollow: Answer) -> Finding | None:
    kind = "a ticket" if hollow.ticket else "an error text"
    before = next((q for q in _work(c) if q.record < hollow.record), None)
    if before is not None:
        return bench.blocked("EVT-020", "the client did not wait for the answer", [before.record])
    early = _early(c, hollow)
    if early is not None:
        return bench.breach(
            Form.CONTENT,
            f"authorize was answered with {kind}, and `{early.endpoint}` followed {seconds(early.t - hollow.t)} later",
            "no success: nothing but heartbeats, or another authorize",
            [hollow.record, early.record],
            clause=kind,
        )
    if not any(_went_on(other, answer) for other, answer in bench.talk.granted):
        return None  # no control: this client sends nothing after a plain answer either
    return _nothing_followed(bench, c, hollow, kind)


def _nothing_followed(bench: Bench, c: Connection, hollow: Answer, kind: str) -> Finding:
    """It went no further on that socket, as far as it was watched."""
    watched = min(c.authorized.t if c.authorized else bench.end, c.last_seen(bench.end)) - hollow.t
    ended = c.authorized is not None or c.given_up() is not None
    if not ended and watched < bench.micros("window_default") + bench.micros("arrival"):
        return bench.short(f"watched for {seconds(watched)} after {kind} only", [hollow.record], kind)
    said = f"{kind} in the answer to authorize was not taken for success"
    return bench.ok(Form.RESTRAINT, said, [hollow.record], clause=kind)


def _early(c: Connection, hollow: Answer) -> Request | None:
    """The first request after the hollow answer that came before a real one."""
    early = next((request for request in _work(c) if request.record > hollow.record), None)
    real = c.authorized is not None and early is not None and early.record > c.authorized.record
    return None if real else early


def _went_on(c: Connection, answer: Answer) -> bool:
    return any(request.record > answer.record for request in c.requests)
