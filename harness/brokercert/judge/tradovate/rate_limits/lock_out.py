"""The lock-out: what a client does not do after an answer of 429 (S2 §4, TP §7.3).

The row is passed by doing nothing, but only after what asks for it has come.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import (
    LOCKED_OUT,
    TOKEN_ENDPOINTS,
    Answer,
    Conversation,
    Request,
)
from brokercert.judge.tradovate.model.crossing import may_have_crossed
from brokercert.verdict import Finding, Form


class _Sent(NamedTuple):
    """Something that the client sent, on a socket or over REST."""

    t: int
    record: int
    endpoint: str
    returns: bool = False  # what a client must send to come back from a loss: authorize, or a call for a token


@check("RLP-070")
def check_silent_after_429(bench: Bench) -> Iterator[Finding]:
    """After an answer of 429 no request is sent, on any socket or over REST, in the hour of the lock-out, of which a
    minute is watched; heartbeats are free. What it takes to come back from a loss is only better left.
    """
    for one in bench.starts:
        yield from _of_start(one)


def _of_start(bench: Bench) -> Iterator[Finding]:
    locked = _locked(bench)
    if not locked:
        return
    # The first; one of authorize only where there is no graver one.
    request, answer = min(locked, key=lambda found: (found[0].endpoint == "authorize", found[1].record))
    until = answer.t + bench.micros("lockout")
    wrong = [sent for sent in _sent_after(bench, request, answer) if sent.t < until]
    if wrong:
        yield _asked_again(bench, request, answer, min(wrong, key=lambda sent: (sent.returns, sent.t, sent.record)))
        return
    watch = bench.barred(answer.t, bench.micros("window_lockout"))
    looked = min(watch.time, bench.micros("lockout"))  # what came after the hour is no breach, and was not looked at
    times = [*(q.t for q in bench.talk.requests), *(call.t for call in bench.talk.asides.rest)]
    crossed = sum(answer.t < t < until for t in times)
    said = f"no request in {seconds(looked)} after the 429"
    said += f", but {crossed} that may have left before it was read" if crossed else ""
    yield watch.kept(said, [answer.record], short=f"watched for {watch} after the 429 only")


def _asked_again(bench: Bench, request: Request, answer: Answer, again: _Sent) -> Finding:
    """A breach. Of a client that only comes back from a loss it breaks a recommendation: the page asks for that. So it
    does after a 429 to authorize, which no document of the vendor's shows (TP §2).
    """
    said = f"`{again.endpoint}` was sent {seconds(again.t - answer.t)} after `{request.endpoint}` had been answered"
    said += " with 429"
    expected = "no request during the lock-out, which lasts an hour"
    evidence = [answer.record, again.record]
    if again.returns:
        return bench.warn(Form.AGAIN, f"{said}, on the way back from a loss", expected, evidence, clause="after a loss")
    if request.endpoint == "authorize":
        return bench.warn(Form.AGAIN, said, expected, evidence, clause="authorize")
    return bench.breach(Form.AGAIN, said, expected, evidence)


def _locked(bench: Bench) -> list[tuple[Request, Answer]]:
    """The requests that were answered with 429, authorize too."""
    answered = [(q, q.answer) for q in bench.talk.requests if q.answer is not None]
    return [(q, answer) for q, answer in answered if answer.status == LOCKED_OUT]


def _sent_after(bench: Bench, request: Request, answer: Answer) -> Iterator[_Sent]:
    """All that the client sent after the 429 but heartbeats. What came over another socket, or over REST, may have
    been under way: across them, order of arrival proves nothing.
    """
    talk, arrival = bench.talk, bench.micros("arrival")
    lost = _lost_since(talk, answer.t)
    for q in talk.requests:
        crossed = may_have_crossed(talk, request, q, arrival) if q.conn == request.conn else q.t <= answer.t + arrival
        if not crossed:
            returns = q.endpoint == "authorize" and lost < talk.connections[q.conn].accepted
            yield _Sent(q.t, q.record, q.endpoint, returns)
    for call in talk.asides.rest:
        if call.t > answer.t + arrival:
            yield _Sent(call.t, call.record, f"{call.endpoint} (REST)", lost < call.t and _is_for_token(call.endpoint))


def _lost_since(talk: Conversation, since: int) -> float:
    """When the broker or the network first took a socket after that time; infinity: never."""
    return min((loss.t for _, loss in talk.lost if loss.by != "client" and loss.t > since), default=math.inf)


def _is_for_token(endpoint: str) -> bool:
    return endpoint.lstrip("/").lower().endswith(TOKEN_ENDPOINTS)
