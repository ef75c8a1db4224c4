"""The answer to authorize: where it stands in a frame, and whether it is a success (TP §2, §3, §7).

The law: what a socket does after its answer says something only where the client waits for that answer. So the answer
is held back (a client that goes on meanwhile is EVT-020's matter), and a socket that asks nothing is compared with what
sockets of its own kind did after a plain answer: in the next start of the client, or beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer, Connection, Conversation, Request
from brokercert.judge.tradovate.model.shape import credential_of, endpoint_of
from brokercert.trace.names import RuleName
from brokercert.verdict import Finding, Form

Kind = tuple[str, str]  # of a socket: its path, and the kind of token that it authorizes with
Life = tuple[Kind, int]  # of sockets that live together: their kind, and how many were lost before them
Answered = tuple[Connection, Answer]


def _work(c: Connection) -> list[Request]:
    """All requests but authorize."""
    return [request for request in c.requests if request.endpoint != "authorize"]


def _early(c: Connection, answer: Answer) -> Request | None:
    """The first of its work that it did without waiting for that answer."""
    return next((q for q in _work(c) if q.precedes(answer)), None)


def _first_after(c: Connection, answer: Answer) -> Request | None:
    """The first of its work after that answer."""
    return next((q for q in _work(c) if not q.precedes(answer)), None)


def _kind(c: Connection) -> Kind:
    return endpoint_of(c), credential_of(c)


def _by_kind(sockets: Iterable[Answered]) -> dict[Kind, list[Answered]]:
    kinds: dict[Kind, list[Answered]] = defaultdict(list)
    for c, answer in sockets:
        kinds[_kind(c)].append((c, answer))
    return kinds


def _by_life(sockets: Iterable[Answered], talk: Conversation) -> dict[Life, list[Answered]]:
    losses = [loss.t for c, loss in talk.lost if loss.by != "client"]
    lives: dict[Life, list[Answered]] = defaultdict(list)
    for c, answer in sockets:
        lives[_kind(c), sum(t < c.accepted for t in losses)].append((c, answer))
    return lives


def _plain(bench: Bench, changed: set[Connection]) -> list[Answered]:
    """The sockets with a plain login, in any start of the client: all but those whose answer the scenario changed."""
    return [found for talk in bench.talk.starts for found in talk.granted if found[0] not in changed]


def _goers(sockets: Iterable[Answered]) -> list[Request]:
    """What was sent first after the answer, on each of these sockets on which something was, and nothing before it."""
    firsts = (_first_after(c, answer) for c, answer in sockets if _early(c, answer) is None)
    return [first for first in firsts if first is not None]


@check("LOG-070")
def check_answer_in_batch(bench: Bench) -> Iterator[Finding]:
    """Where the authorize answer stood last among other messages of a frame, the client goes on with its work: as many
    sockets of each kind do as after a plain answer, before a loss and after it.
    """
    talk = bench.talk
    conns = [rule.what.conn for rule in talk.rules if rule.what.name == RuleName.LAST_IN_BATCH]
    struck = [(c, answer) for c, answer in talk.granted if c.id in conns]
    plain = _by_kind(_plain(bench, {c for c, _ in struck}))
    lives = _by_life(struck, talk).items()
    findings = [f for (kind, _), sockets in lives for f in _found(bench, sockets, plain[kind])]
    if struck and not findings:
        findings = [_no_control(bench, struck, any(plain.values()))]
    yield from findings


def _found(bench: Bench, struck: list[Answered], plain: list[Answered]) -> Iterator[Finding]:
    """What became of the sockets of one kind; nothing of one that asks nothing after a plain answer either."""
    early = [(c, first) for c, answer in struck if (first := _early(c, answer)) is not None]
    if early:
        yield bench.blocked("EVT-020", "the client did not wait for the answer", [early[0][1].record])
        return
    went = [(c, answer, first) for c, answer in struck if (first := _first_after(c, answer)) is not None]
    for c, answer, first in went:
        said = f"{_last_of(c, answer)}, and `{first.endpoint}` followed {seconds(first.t - answer.t)} later"
        yield bench.ok(Form.SHOWN, said, [answer.record, first.record])
    control = _goers(plain)
    stuck = [(c, answer) for c, answer in struck if _first_after(c, answer) is None]
    if stuck and len(control) > len(went):
        yield _stuck(bench, *stuck[0], control[len(went)])


def _last_of(c: Connection, answer: Answer) -> str:
    return f"authorize (id {_request_of(c, answer).id}) was answered last in its frame"


def _request_of(c: Connection, answer: Answer) -> Request:
    return next(a for a in c.authorizes if a.answer is answer)


def _stuck(bench: Bench, c: Connection, answer: Answer, control: Request) -> Finding:
    """Nothing followed on that socket, up to the client's own giving up of it or for as long as a first request is
    awaited, where after a plain answer more of its kind go on.
    """
    window = 0 if c.given_up() is not None else bench.micros("window_first_sync")
    watch = bench.owed(answer.t, window, c.last_seen(bench.seen))
    last = _last_of(c, answer)
    return watch.missing(
        f"{last}, and nothing followed in {watch}; after a plain answer the client went on",
        "the answer is found wherever it stands in a frame",
        [_request_of(c, answer).record, answer.record, control.record],
        short=f"{last}; watched for {watch} after it only",
    )


def _no_control(bench: Bench, struck: list[Answered], plain: bool) -> Finding:
    by = "EVT-020" if plain else "REC-010"
    return bench.blocked(by, "the client did not go on after a plain answer either", [struck[0][1].record])


@check("LOG-100")
def check_no_success(bench: Bench) -> Iterator[Finding]:
    """After a 200 answer to authorize that carries a ticket or an error text, nothing but heartbeats and another
    authorize follows on that socket. Judged of a socket whose kind does send something after a plain answer. The
    time of a ticket is waited out before the next authorize, and an hour after a captcha. Judged of a client that has
    one socket.
    """
    starts = list(bench.starts)
    hasty = [found for one in starts if _has_one_socket(one) for found in _before_its_time(one)]
    if hasty:
        yield hasty[0]
        return
    hollow = [(one, c, answer) for one in starts for c in one.talk.upgraded if (answer := _hollow(c)) is not None]
    plain = _by_kind(_plain(bench, {c for _, c, _ in hollow if c.authorized is None}))
    impatient = next((early for _, c, answer in hollow if (early := _early(c, answer)) is not None), None)
    if impatient is not None:  # what it sends after an answer may have been on its way
        yield bench.blocked("EVT-020", "the client did not wait for the answer", [impatient.record])
        return
    yield from filter(None, (_after_hollow(one, c, answer, plain[_kind(c)]) for one, c, answer in hollow))


def _has_one_socket(bench: Bench) -> bool:
    """Else the next authorize may be another socket's."""
    shape = bench.talk.shape
    return shape is not None and shape.steady and shape.sockets == 1


def _before_its_time(bench: Bench) -> Iterator[Finding]:
    """Every authorize that came before the ticket of the one before it allows one."""
    asked = [q for q in bench.talk.requests if q.endpoint == "authorize"]
    for one, following in pairwise(asked):
        ticket = one.penalty
        if ticket is None or following.precedes(ticket):
            continue
        took = following.t - ticket.t
        wait = bench.micros("captcha_rest") if ticket.captcha else ticket.wait
        if took < wait - bench.micros("ticket_early"):
            drawn = "a captcha ticket" if ticket.captcha else f"a ticket of {seconds(ticket.wait)}"
            expected = "about an hour is over" if ticket.captcha else "the ticket's time has passed"
            yield bench.breach(
                Form.AGAIN,
                f"authorize was sent again {seconds(took)} after {drawn}",
                f"the next authorize when {expected}",
                [ticket.record, following.record],
                clause="captcha" if ticket.captcha else "not early",
            )


def _hollow(c: Connection) -> Answer | None:
    """The first answer with status 200 that is no success."""
    return next((a.answer for a in c.authorizes if a.answer and a.answer.status == 200 and not a.answer.ok), None)


def _after_hollow(bench: Bench, c: Connection, hollow: Answer, plain: list[Answered]) -> Finding | None:
    kind = "a ticket" if hollow.ticket else "an error text"
    first = _first_after(c, hollow)
    if first is not None and not c.granted_before(first):
        return bench.breach(
            Form.CONTENT,
            f"authorize was answered with {kind}, and `{first.endpoint}` followed {seconds(first.t - hollow.t)} later",
            "no success: nothing but heartbeats, or another authorize",
            [hollow.record, first.record],
            clause=kind,
        )
    if not _goers(plain):
        return None  # no control: such a socket of this client sends nothing after a plain answer either
    return _nothing_followed(bench, c, hollow, kind)


def _nothing_followed(bench: Bench, c: Connection, hollow: Answer, kind: str) -> Finding:
    """It went no further on that socket, as far as it was watched: until it was authorized or given up, or the end."""
    said = f"{kind} in the answer to authorize was not taken for success"
    if c.authorized is not None or (c.given_up() is not None and bench.death() is None):
        return bench.ok(Form.RESTRAINT, said, [hollow.record], clause=kind)
    window = bench.micros("window_default") + bench.micros("arrival")
    watch = bench.barred(hollow.t, window, c.last_seen(bench.seen))
    return watch.kept(said, [hollow.record], kind, short=f"watched for {watch} after {kind} only")
