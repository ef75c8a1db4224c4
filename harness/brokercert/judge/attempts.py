"""What counts as an attempt to connect, and the arithmetic of back-off over them.

An attempt is the first sign of trying again: an upgrade request, a token or renewal request over REST (with the
connection that follows it one attempt), or an accepted connection that ended before its head was complete. Two less
than 100 ms apart are one: a known HTTP stack connects twice when a server closes unanswered. Other REST requests and
idle kept-alive connections are none.

`Signs` says more, where more is known: whose sockets count, whether the client makes bare connections when it is
healthy, and how soon a connection must follow a token call that was answered. Clients renew tokens beside all else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from brokercert.judge.check import AnyBench, seconds
from brokercert.judge.sockets import Socket
from brokercert.judge.transcript import SECOND, Transcript
from brokercert.trace.names import FaultName
from brokercert.verdict import Finding, Form

AWAY = (FaultName.PROXY_DOWN, FaultName.PORT_REFUSED, FaultName.PORT_UNANSWERED)
BACK = (FaultName.PROXY_UP, FaultName.PORT_OPEN)
ONE_ATTEMPT = SECOND // 10  # connections closer than this are one attempt


def _any(socket: Socket) -> bool:
    """Nothing is known of the client's sockets: each counts."""
    return True


@dataclass(frozen=True, slots=True)
class Signs:
    """What counts as a sign of trying again. `counts`: a socket that asks for an upgrade. `bare`: a connection that
    ended without asking for anything. `follows`: microseconds within which such a socket must come after the answer to
    a token request, for that to count too; None: it counts always. One that the broker refused, or did not answer,
    counts always: no connection could follow it.
    """

    counts: Callable[[Any], bool] = _any
    bare: bool = True
    follows: int | None = None
    apart: int = ONE_ATTEMPT  # microseconds: two that are closer are one


ANY = Signs()


@dataclass(slots=True)
class Attempt:
    """`t`: its first sign; `end`: when it was over (None: it stands, or that cannot be told)."""

    t: int
    record: int
    end: int | None
    conn: int  # the connection that it led to, 0 for a token request alone
    until: int | None = None  # of a token request: when a connection is no longer its own; None: whenever it comes

    @property
    def over(self) -> int:
        """When it was over as far as that can be told: else its first sign."""
        return self.end if self.end is not None else self.t

    def belongs_to(self, before: Attempt, apart: int) -> bool:
        """Whether it is one attempt with that: the connection after a token request, or one that came too soon."""
        in_time = before.until is None or self.t <= before.until
        follows_token = before.conn == 0 and self.conn != 0 and in_time
        return follows_token or self.t - before.t < apart


def attempts_of(talk: Transcript[Any], since: int, signs: Signs = ANY) -> list[Attempt]:
    """All attempts after `since`, in order."""
    connects = list(_connects(talk, since, signs))
    found = [*connects, *_token_requests(talk, connects, signs)]
    merged: list[Attempt] = []
    for sign in sorted((sign for sign in found if sign.t > since), key=lambda sign: (sign.t, sign.record)):
        if merged and sign.belongs_to(merged[-1], signs.apart):
            before = merged[-1]
            before.end, before.conn, before.until = sign.end, sign.conn or before.conn, sign.until
        else:
            merged.append(sign)
    return merged


def _connects(talk: Transcript[Any], since: int, signs: Signs) -> Iterator[Attempt]:
    """Upgrade requests, and connections that ended before their head was complete."""
    for c in talk.connections.values():
        if c.head is not None and not signs.counts(c):
            continue
        if c.head is not None:
            # A connection opened (say, kept alive) before the loss is an attempt only by its upgrade request.
            t, record = (c.accepted, c.accepted_record) if not c.rest and c.accepted > since else c.head
            yield Attempt(t, record, c.loss.t if c.loss else None, c.id)
        elif signs.bare and not c.rest and c.ended:
            yield Attempt(c.accepted, c.accepted_record, c.ended[0].t, c.id)


def _token_requests(talk: Transcript[Any], connects: Sequence[Attempt], signs: Signs) -> Iterator[Attempt]:
    """Requests about tokens that lead to one of these connects, or that no connect could follow."""
    calls = [call for call in talk.asides.rest if f"/{call.endpoint}".endswith(talk.token_paths)]
    for place, call in enumerate(calls):
        if signs.follows is None or call.answered is None or call.refused:
            until = None if signs.follows is None else (call.answered or call.t) + signs.follows
            yield Attempt(call.t, call.record, None, 0, until)
            continue
        # What follows the next call is that one's: of a client that renews all the time, the latest one leads to it.
        following = calls[place + 1].t if place + 1 < len(calls) else call.answered + signs.follows
        until = min(call.answered + signs.follows, following)
        if any(call.t <= connect.t <= until for connect in connects):
            yield Attempt(call.t, call.record, None, 0, until)


def unseen_spans(talk: Transcript[Any]) -> list[tuple[int, int]]:
    """From when to when a connect left no record: the proxy on the way was down, the port refused or silent."""
    spans: list[tuple[int, int]] = []
    since: int | None = None
    for t, _, fault in talk.faults:
        if fault.name in AWAY:
            since = fault.requested if since is None else since
        elif fault.name in BACK and since is not None:
            spans.append((since, t))
            since = None
    return spans if since is None else [*spans, (since, talk.now)]


def most_within(attempts: list[Attempt], span: int) -> tuple[int, list[Attempt]]:
    """The largest number of attempts in any window of `span` microseconds, and which they were."""
    best: list[Attempt] = []
    start = 0
    for place, attempt in enumerate(attempts):
        while attempt.t - attempts[start].t >= span:
            start += 1
        if place - start + 1 > len(best):
            best = attempts[start : place + 1]
    return len(best), best


def delays_of(attempts: list[Attempt]) -> list[int]:
    """From the end of one attempt to the next, where both can be told apart."""
    return [
        later.t - earlier.end
        for earlier, later in pairwise(attempts)
        if earlier.end is not None and later.t >= earlier.end
    ]


def attempts_within_limits(bench: AnyBench, attempts: list[Attempt], sockets: int) -> Iterator[Finding]:
    """A finding for each limit on attempts that is exceeded; limits are per socket."""
    for name, span in (("attempts_60s", 60 * SECOND), ("attempts_5s", 5 * SECOND)):
        most = round(bench.limit(name)) * sockets
        count, which = most_within(attempts, span)
        if count > most:
            yield bench.breach(
                Form.AGAIN,
                f"{count} attempts in {seconds(which[-1].t - which[0].t)}",
                f"at most {most} attempts in any {span / SECOND:g} s",
                [attempt.record for attempt in which],
                [bench.count(f"attempts in {span / SECOND:g} s", count, most)],
                clause="attempts inside the limits",
            )
