"""How long a penalty runs, and so for how long it is a cause to leave a socket (TP §7.2, §7.3).

The law: a penalty begins with its answer and lasts for its own time: a ticket for its `p-time`, one that only a person
redeems and a lock-out for their hour. A client that leaves the socket meanwhile has its cause, and has it until a retry
is due at the latest. It has none any more once the retry was answered. Pure; times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.check import AnyBench
from brokercert.judge.moments import Recorded
from brokercert.judge.tradovate.model.conversation import LOCKED_OUT, Answer, Connection, Conversation, Request
from brokercert.judge.tradovate.model.tickets import retries_of


@dataclass(frozen=True, slots=True)
class Span:
    """A penalty that began with `answer` and `ends`. Up to `excuses` whoever leaves its socket may do so because of it.

    `over`: the answer to its retry: nothing waits for its end any more. Another ticket is a penalty of its own.
    """

    answer: Answer
    ends: int
    excuses: int
    over: Answer | None

    def is_cause_of(self, what: Recorded) -> bool:
        """Whether that came after it began, and before it was over."""
        began = (self.answer.t, self.answer.record) < (what.t, what.record)
        redeemed = self.over is not None and self.over.record < what.record
        return began and what.t <= self.excuses and not redeemed


def spans_on(bench: AnyBench, talk: Conversation, c: Connection) -> Iterator[Span]:
    """The penalties that requests on this socket drew, in the order of the requests."""
    asked = [(q, q.answer) for q in c.requests if q.answer is not None]
    drawn = [(q, answer) for q, answer in asked if answer.ticket or answer.status == LOCKED_OUT]
    retries = retries_of(talk, bench.micros("arrival")) if drawn else {}
    for request, answer in drawn:
        ends = answer.t + _lasts(bench, answer)
        retry = _login_after(c, answer) if request.endpoint == "authorize" else retries.get(request)
        over = retry.answer if retry is not None else None
        yield Span(answer, ends, ends + bench.micros("ticket_late"), over)


def _login_after(c: Connection, answer: Answer) -> Request | None:
    """The retry of an authorize, which `retries_of` does not look at: the next one on that socket."""
    return next((q for q in c.authorizes if q.record > answer.record), None)


def _lasts(bench: AnyBench, answer: Answer) -> int:
    if answer.status == LOCKED_OUT:
        return bench.micros("lockout")
    return bench.micros("captcha_rest") if answer.captcha else answer.wait


def cause_in_penalty(bench: AnyBench, talk: Conversation, c: Connection, what: Recorded) -> Span | None:
    """Of the penalties that may be why the client did that on a socket, the one that ends last; None: there is none."""
    causes = (span for span in spans_on(bench, talk, c) if span.is_cause_of(what))
    return max(causes, key=lambda span: span.ends, default=None)
