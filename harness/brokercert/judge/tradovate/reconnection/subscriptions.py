"""Subscriptions beside the sync: market data and charts (TP §4). A subscription ends with its socket."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from brokercert.judge.check import Watch, seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer, Connection, Request
from brokercert.judge.tradovate.reconnection.losses import Lost, before, losses
from brokercert.verdict import Finding, Form

SUBSCRIBES = {  # endpoint -> what cancels it
    "md/subscribequote": "md/unsubscribequote",
    "md/subscribedom": "md/unsubscribedom",
    "md/subscribehistogram": "md/unsubscribehistogram",
    "md/getchart": "md/cancelchart",
}


Key = tuple[str, str, bytes]  # endpoint, query, body


def _key(request: Request) -> Key:
    """What is subscribed to: the same again has the same key."""
    return request.endpoint, request.query, msgspec.json.encode(request.untied, order="sorted")


def _logical(c: Connection) -> list[Request]:
    """The socket's subscriptions, without those that retry one that was answered by a ticket or refused."""
    taken: list[Request] = []
    for request in c.requests:
        if request.endpoint in SUBSCRIBES:
            retried = next((q for q in taken if _is_retried(q, request)), None)
            if retried is not None:
                taken.remove(retried)
            taken.append(request)
    return taken


def _is_retried(q: Request, request: Request) -> bool:
    return _is_turned_down(q, request.t) and _key(q) == _key(request)


def _is_turned_down(q: Request, until: int) -> bool:
    return q.answer is not None and not q.answer.ok and q.answer.t <= until


def _live(c: Connection, until: int) -> list[Request]:
    """The subscriptions that stood at that time: answered with success, and not cancelled."""
    taken = [q for q in _logical(c) if q.t < until and q.succeeded]
    return [request for request in taken if not _is_cancelled(c, request, until)]


def _is_cancelled(c: Connection, request: Request, until: int) -> bool:
    cancels = [q for q in c.requests if q.endpoint == SUBSCRIBES[request.endpoint] and request.t <= q.t < until]
    return any(q.endpoint == "md/cancelchart" or _key(q)[2] == _key(request)[2] for q in cancels)


@check("REC-035")
def check_subscriptions_back(bench: Bench) -> Iterator[Finding]:
    """Every subscription that stood before the loss is requested once on the new sockets, within 20 s of their sync; a
    client that had asked for none has nothing to bring back.
    """
    for lost in losses(bench):
        olds = before(bench, lost, bench.talk.authorized)
        had = [request for c in olds for request in _live(c, lost.begin)]
        if had:
            yield from _brought_back(bench, lost, had)
        elif _could_subscribe(bench, lost, olds):
            yield bench.not_applicable("the client had subscribed to nothing beside its sync")


def _could_subscribe(bench: Bench, lost: Lost, olds: list[Connection]) -> bool:
    """Whether a socket of before was authorized for long enough that a subscription would have been seen."""
    watched = max((lost.loss.t - c.authorized.t for c in olds if c.authorized), default=0)
    return watched >= bench.micros("arrival")


def _brought_back(bench: Bench, lost: Lost, had: list[Request]) -> Iterator[Finding]:
    """What became of each subscription on the sockets of after the loss; nothing where there is none."""
    until = _next_loss(bench, lost)
    news = [(c, answer) for c, answer in bench.talk.granted if lost.begin < c.accepted <= until]
    if not news:
        return
    watch = bench.owed(_ready(news), bench.micros("window_default"), until)
    again = [request for c, _ in news for request in _logical(c)]
    for key in dict.fromkeys(map(_key, had)):  # each once, in order
        yield _came_back(bench, lost, watch, _alike(had, key), _alike(again, key))


def _next_loss(bench: Bench, lost: Lost) -> int:
    """Up to when the sockets of after the loss bring back what it took: those after the next subscribe anew.

    That loss may be the client's own doing. Where there is none, it is the end of the observation.
    """
    return min((loss.t for c, loss in bench.talk.lost if c.accepted > lost.begin), default=bench.end)


def _ready(news: list[tuple[Connection, Answer]]) -> int:
    """From when all of these can subscribe as before: each from its sync, where it has one, else its authorize."""
    return max((c.synced or authorized).t for c, authorized in news)


def _alike(requests: list[Request], key: Key) -> list[Request]:
    return [request for request in requests if _key(request) == key]


def _came_back(bench: Bench, lost: Lost, watch: Watch, old: list[Request], new: list[Request]) -> Finding:
    """Of one subscription: its requests before the loss, and those after it."""
    key = _key(old[0])
    name = f"`{key[0]}` {key[2].decode()}"
    evidence = [old[0].record, lost.loss.record, *(q.record for q in new[:3])]
    expected = "each subscription comes back once"
    if len(new) > len(old):
        said = f"{name} was requested {len(new)} times after the loss, {len(old)} time(s) before"
        return bench.breach(Form.AGAIN, said, expected, evidence)
    if len(new) == len(old) and watch.time >= watch.window:
        said = f"{name} came back once, {seconds(new[0].t - lost.loss.t)} after the loss"
        return bench.ok(Form.RESTRAINT, said, evidence)
    return watch.missing(
        f"{name} was not requested in {watch} after the new sync",
        expected,
        evidence,
        short=f"the new socket was watched for {watch} only",
    )
