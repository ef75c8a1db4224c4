"""Subscriptions beside the sync: market data and charts (TP §4). A subscription ends with its socket."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import SECOND, Connection, Request
from brokercert.judge.tradovate.reconnection.coming_back import losses
from brokercert.verdict import Finding, Form

SUBSCRIBES = {  # endpoint -> what cancels it
    "md/subscribequote": "md/unsubscribequote",
    "md/subscribedom": "md/unsubscribedom",
    "md/subscribehistogram": "md/unsubscribehistogram",
    "md/getchart": "md/cancelchart",
}
ONE_LOSS = 2 * SECOND  # losses of several sockets closer than this are one


def _key(request: Request) -> tuple[str, str, bytes]:
    """What is subscribed to: the same again has the same key."""
    body = request.body
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name != "p-ticket"}
    return request.endpoint, request.query, msgspec.json.encode(body, order="sorted")


def _logical(c: Connection) -> list[Request]:
    """The socket's subscriptions, without those that retry one that was answered by a ticket or refused."""
    taken: list[Request] = []
    for request in c.requests:
        if request.endpoint not in SUBSCRIBES:
            continue
        again = [
            q for q in taken if _key(q) == _key(request) and q.answer and not q.answer.ok and q.answer.t <= request.t
        ]
        if again:
            taken.remove(again[0])
        taken.append(request)
    return taken


def _live(c: Connection, until: int) -> list[Request]:
    """The subscriptions that stood at that time: answered with success, and not cancelled."""
    standing = []
    for request in _logical(c):
        if request.t >= until or request.answer is None or not request.answer.ok:
            continue
        cancels = [q for q in c.requests if q.endpoint == SUBSCRIBES[request.endpoint] and request.t <= q.t < until]
        if not any(q.endpoint == "md/cancelchart" or _key(q)[2] == _key(request)[2] for q in cancels):
            standing.append(request)
    return standing


@check("REC-035")
def check_subscriptions_back(bench: Bench) -> Iterator[Finding]:
    """Every subscription that stood before the loss is requested once on the new sockets, within 20 s of their sync; a
    client that had asked for none has nothing to bring back.
    """
    for old, loss in losses(bench):
        begin = min(loss.t, old.silent[0] if old.silent else loss.t)
        olds = [
            c for c in bench.talk.authorized if c.accepted < begin and (c.loss is None or c.loss.t >= loss.t - ONE_LOSS)
        ]
        before = [request for c in olds for request in _live(c, begin)]
        if not before:
            watched = max((loss.t - c.authorized.t for c in olds if c.authorized), default=0)
            if watched >= bench.micros("arrival"):
                yield bench.not_applicable("the client had subscribed to nothing beside its sync")
            continue
        news = [c for c in bench.talk.authorized if c.accepted > begin and c.authorized]
        if not news:
            continue
        # Until the next loss, the client's own doing or not: the sockets after that one subscribe anew.
        until = min((c.loss.t for c in news if c.loss is not None), default=bench.end)
        news = [c for c in news if c.accepted <= until]
        after = [request for c in news for request in _logical(c)]
        since = max(s.t for c in news for s in [c.synced or c.authorized] if s)
        watched = until - since
        for key in dict.fromkeys(map(_key, before)):
            due = sum(_key(q) == key for q in before)
            again = [q for q in after if _key(q) == key]
            name = f"`{key[0]}` {key[2].decode()}"
            evidence = [next(q.record for q in before if _key(q) == key), loss.record, *(q.record for q in again[:3])]
            if len(again) > due:
                yield bench.breach(
                    Form.AGAIN,
                    f"{name} was requested {len(again)} times after the loss, {due} time(s) before",
                    "each subscription comes back once",
                    evidence,
                )
            elif len(again) == due and watched >= bench.micros("window_default"):
                yield bench.ok(
                    Form.RESTRAINT, f"{name} came back once, {seconds(again[0].t - loss.t)} after the loss", evidence
                )
            elif watched < bench.micros("window_default") and bench.talk.died() is None:
                yield bench.short(f"the new socket was watched for {seconds(watched)} only", evidence)
            else:
                yield bench.breach(
                    Form.ABSENCE,
                    f"{name} was not requested in {seconds(watched)} after the new sync{bench.exit_text()}",
                    "each subscription comes back once",
                    evidence,
                )
