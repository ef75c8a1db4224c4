"""Subscriptions beside the sync: market data and charts (TP §4). A subscription ends with its socket."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from brokercert.judge.check import Watch, seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer, Connection, Request, value_in
from brokercert.judge.tradovate.model.differences import same
from brokercert.judge.tradovate.model.sends import error_of
from brokercert.judge.tradovate.reconnection.losses import Lost, after, losses, taken
from brokercert.verdict import Finding, Form, Verdict

BEGINS, ENDS = "md/subscribe", "md/unsubscribe"  # and what of: quotes, depth, ...
GET_CHART, CANCEL_CHART = "md/getchart", "md/cancelchart"
CHART_IDS = ("realtimeId", "historicalId")  # of the answer; a chart is cancelled by one of them

Key = tuple[str, str, bytes]  # endpoint, query, body


def _subscribes(request: Request) -> bool:
    return request.endpoint.startswith(BEGINS) or request.endpoint == GET_CHART


def _key(request: Request) -> Key:
    """What is subscribed to: the same again has the same key. From when on a chart is wanted makes it no other one."""
    body = request.untied
    if request.endpoint == GET_CHART and isinstance(body, dict):
        body = {name: value for name, value in body.items() if name != "timeRange"}
    return request.endpoint, request.query, msgspec.json.encode(body, order="sorted")


def _logical(c: Connection) -> list[Request]:
    """The socket's subscriptions, without those that retry one that was answered by a ticket or refused."""
    taken: list[Request] = []
    for request in c.requests:
        if _subscribes(request):
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
    later = [q for q in c.requests if request.t <= q.t < until]
    if request.endpoint == GET_CHART:
        return any(q.endpoint == CANCEL_CHART and _is_of(request.answer, q) for q in later)
    ends = ENDS + request.endpoint.removeprefix(BEGINS)
    return any(q.endpoint == ends and _key(q)[2] == _key(request)[2] for q in later)


def _is_of(answer: Answer | None, cancel: Request) -> bool:
    """Whether it cancels the chart that was answered so; any, where the answer had no id to cancel it by."""
    idents = [value_in(answer.data if answer else None, name) for name in CHART_IDS]
    named = value_in(cancel.body, "subscriptionId")
    return not any(idents) or any(ident is not None and same(ident, named) for ident in idents)


@check("REC-035")
def check_subscriptions_back(bench: Bench) -> Iterator[Finding]:
    """Every subscription that stood before the loss is requested once on the new sockets, within 20 s of their sync; a
    client that had asked for none has nothing to bring back. One that was refused, or not answered, never stood: then
    the row was not shown.
    """
    found = [finding for lost in losses(bench) for finding in _after(bench, lost)]
    # Of several losses one shows it, if after none of them something was missing or too much.
    judged = [finding for finding in found if finding.verdict is not Verdict.NOT_OBSERVED]
    yield from judged or found


def _after(bench: Bench, lost: Lost) -> Iterator[Finding]:
    """What is said of one loss."""
    olds = taken(bench, lost, bench.talk.authorized)
    had = [request for c in olds for request in _live(c, lost.begin)]
    if had:
        yield from _brought_back(bench, lost, had)
    elif _could_subscribe(bench, lost, olds):
        yield _had_nothing(bench, lost, olds)


def _had_nothing(bench: Bench, lost: Lost, olds: list[Connection]) -> Finding:
    """It had asked for nothing, or had nothing left of what it had asked for."""
    asked = [q for c in olds for q in _logical(c) if q.t < lost.begin]
    vain = next((q for q in asked if not q.succeeded), None)
    if vain is not None:
        said = f"the client asked for {_name(_key(vain))}, and it was {_in_vain(vain)}: it had no subscription to lose"
        return bench.short(said, [vain.record, *([vain.answer.record] if vain.answer else [])])
    if asked:
        return bench.not_applicable("the client had cancelled all that it had subscribed to beside its sync")
    return bench.not_applicable("the client had subscribed to nothing beside its sync")


def _in_vain(request: Request) -> str:
    """How the broker turned it down."""
    if request.answer is None:
        return "not answered before the loss"
    if request.answer.ticket:
        return "answered by a ticket"
    return f"refused by the broker ({error_of(request.answer)})"


def _could_subscribe(bench: Bench, lost: Lost, olds: list[Connection]) -> bool:
    """Whether a socket of before was authorized for long enough that a subscription would have been seen."""
    watched = max((lost.loss.t - c.authorized.t for c in olds if c.authorized), default=0)
    return watched >= bench.micros("arrival")


def _brought_back(bench: Bench, lost: Lost, had: list[Request]) -> Iterator[Finding]:
    """What became of each subscription on the sockets of after the loss; nothing where there is none."""
    until = _next_loss(bench, lost)
    sockets = after(bench, lost, bench.talk.authorized)
    news = [(c, answer) for c, answer in bench.talk.granted if c in sockets and c.accepted <= until]
    if not news:
        return
    ready = _ready(news)
    watch = bench.owed(ready.t, bench.micros("window_default"), until)
    again = [request for c, _ in news for request in _logical(c)]
    for key in dict.fromkeys(map(_key, had)):  # each once, in order
        yield _came_back(bench, lost, ready, watch, _alike(had, key), _alike(again, key))


def _next_loss(bench: Bench, lost: Lost) -> int:
    """Up to when the sockets of after the loss bring back what it took: those after the next subscribe anew.

    That loss may be the client's own doing. Where there is none, it is the end of the observation.
    """
    return min((loss.t for c, loss in bench.talk.lost if c.accepted > lost.begin), default=bench.end)


def _ready(news: list[tuple[Connection, Answer]]) -> Answer:
    """From when all of these can subscribe as before: each from its sync, where it has one, else its authorize."""
    return max((c.synced or authorized for c, authorized in news), key=lambda answer: answer.t)


def _alike(requests: list[Request], key: Key) -> list[Request]:
    return [request for request in requests if _key(request) == key]


def _came_back(
    bench: Bench, lost: Lost, ready: Answer, watch: Watch, old: list[Request], new: list[Request]
) -> Finding:
    """Of one subscription: its requests before the loss, and those after it. `watch` is from `ready` on."""
    key = _key(old[0])
    name = _name(key)
    evidence = [old[0].record, lost.loss.record, ready.record, *(q.record for q in new[:3])]
    expected = "each subscription comes back once"
    if len(new) > len(old):
        said = f"{name} was requested {len(new)} times after the loss, {len(old)} time(s) before"
        return bench.breach(Form.AGAIN, said, expected, evidence)
    if len(new) == len(old):
        said = f"{name} came back once, {seconds(new[0].t - lost.loss.t)} after the loss"
        if watch.time < watch.window:
            # Whether it comes a second time was not seen, be it that the client ended.
            return bench.short(f"{said}; the new socket was watched for {watch} only", evidence)
        return bench.ok(Form.RESTRAINT, said, evidence)
    return watch.missing(
        f"{name} was not requested in {watch} after the new sync",
        expected,
        evidence,
        short=f"the new socket was watched for {watch} only",
    )


def _name(key: Key) -> str:
    return f"`{key[0]}` {key[2].decode()}"
