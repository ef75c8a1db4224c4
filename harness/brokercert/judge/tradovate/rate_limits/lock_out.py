"""The lock-out: what a client does not do after an answer of 429 (S2 §4, TP §7.3).

The row is passed by doing nothing, but only after what asks for it has come.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer, Request
from brokercert.verdict import Finding, Form

LOCKED_OUT = 429  # HTTP's status


class _Sent(NamedTuple):
    """Something that the client sent, on a socket or over REST."""

    t: int
    record: int
    endpoint: str


@check("RLP-070")
def check_silent_after_429(bench: Bench) -> Iterator[Finding]:
    """After an answer of 429 no request is sent, on any socket or over REST, for the observed minute of the lock-out;
    heartbeats are free.
    """
    locked = _locked(bench)
    if not locked:
        return
    request, answer = min(locked, key=lambda found: found[1].record)
    window = bench.micros("window_lockout")
    inside = [sent for sent in _sent_after(bench, answer.t + bench.micros("arrival")) if sent.t - answer.t < window]
    if inside:
        again = min(inside)
        yield bench.breach(
            Form.AGAIN,
            f"`{again.endpoint}` was sent {seconds(again.t - answer.t)} after `{request.endpoint}` had been answered"
            " with 429",
            "no request during the lock-out, which lasts an hour",
            [answer.record, again.record],
        )
        return
    watch = bench.barred(answer.t, window)
    yield watch.kept(
        f"no request in {watch} after the 429", [answer.record], short=f"watched for {watch} after the 429 only"
    )


def _locked(bench: Bench) -> list[tuple[Request, Answer]]:
    """The requests that were answered with 429. Login has rows of its own."""
    answered = [(q, q.answer) for q in bench.talk.requests if q.answer is not None and q.endpoint != "authorize"]
    return [(q, answer) for q, answer in answered if answer.status == LOCKED_OUT]


def _sent_after(bench: Bench, t: int) -> list[_Sent]:
    """All that the client sent after that time but heartbeats."""
    sent = [_Sent(q.t, q.record, q.endpoint) for q in bench.talk.requests]
    sent += [_Sent(call.t, call.record, f"{call.endpoint} (REST)") for call in bench.talk.asides.rest]
    return [one for one in sent if one.t > t]
