"""What a client does with requests that have to wait for the end of a penalty: S2 §4, TP §7.4.

The law: queued is what the client was asked for when it knew of the penalty and before that ended. What it sent is read
from its sockets, in the order in which it came there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from brokercert.judge.check import Breach, Watch, seconds
from brokercert.judge.told import Asked
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import TIMER, Answer, Request
from brokercert.judge.tradovate.model.sends import Sends, again_unasked, why_silent
from brokercert.verdict import Finding, Form

# How a client may order what waits; `queue-order` of its readings says which it is.
URGENCY: dict[str, Callable[[Asked], int]] = {
    "lower-first": lambda asked: _priority(asked),
    "higher-first": lambda asked: -_priority(asked),
    "first-come": lambda asked: 0,
}


OPEN, KEPT = "open", "kept"  # what may become of a queued request ...
BREACHES = ("lost", "early", "doubled")  # ... and what must not


class Sent(NamedTuple):
    """A request that the client was asked for, and every time that it sent it."""

    asked: Asked
    sends: list[Request]


@dataclass(frozen=True, slots=True)
class Queued:
    """The requests asked for during one penalty, each with its sends."""

    ticket: Answer
    ends: int
    requests: list[Sent]


def queues(bench: Bench) -> Iterator[Queued]:
    """Of each penalty for an endpoint to which the client was asked to send meanwhile."""
    asked = bench.talk.told.requests()
    sends = Sends(bench.talk)
    for endpoint, ticket in _penalties(bench):
        known, ends = ticket.t + bench.micros("arrival"), ticket.t + ticket.wait
        inside = [one for one in asked if known - TIMER <= one.t < ends and _endpoint(one) == endpoint]
        if inside:
            yield Queued(ticket, ends, [Sent(one, sends.of(one)) for one in inside])


def _penalties(bench: Bench) -> Iterator[tuple[str, Answer]]:
    """(endpoint, ticket) of each first ticket: those that are drawn before its time is over belong to its penalty."""
    over: dict[str, int] = {}
    for endpoint, ticket in sorted(_tickets(bench), key=lambda found: found[1].record):
        if ticket.t >= over.get(endpoint, 0):
            over[endpoint] = ticket.t + ticket.wait
            yield endpoint, ticket


def _tickets(bench: Bench) -> Iterator[tuple[str, Answer]]:
    """(endpoint, ticket) of every penalty that ends by itself."""
    for q in bench.talk.requests:
        ticket = q.penalty
        if ticket is not None and not ticket.captcha:
            yield q.endpoint, ticket


def _endpoint(asked: Asked) -> str:
    return str(asked.body.get("endpoint", "")).lower()


@check("RLP-050")
def check_queued(bench: Bench) -> Iterator[Finding]:
    """Requests to an endpoint under penalty wait for its end: none is lost, none is sent twice, none before. One that
    was told to have ended and was not sent is lost at once: nothing is sent any more of which an outcome was told.
    """
    for found in queues(bench):
        silent = next((why for one, _ in found.requests if (why := why_silent(bench.talk, one))), "")
        if silent:
            yield bench.short(silent, [found.requests[0].asked.record])
        else:
            yield from _judged(bench, found)


def _judged(bench: Bench, found: Queued) -> Iterator[Finding]:
    """A breach for each way in which some of them did not wait, or a pass."""
    watch = bench.owed(found.ends, bench.micros("request_end"))
    early = found.ends - bench.micros("ticket_early")
    fates = _fates(found, early, watch.short)
    waited = f"{len(found.requests)} requests were asked for during a penalty"
    broken = [clause for clause in fates if clause in BREACHES]
    yield from (_broken(bench, found, clause, fates[clause], waited) for clause in broken)
    if not broken:
        yield _sent_once(bench, found, waited, _not_yet(fates[OPEN], watch))


def _not_yet(those: list[Sent], watch: Watch) -> str:
    return f"{len(those)} of them were not sent yet, and watched for {watch} after its end only" if those else ""


def _sent_once(bench: Bench, found: Queued, waited: str, not_yet: str) -> Finding:
    """A pass, where none of them is to be sent yet."""
    if not_yet:
        return bench.short(f"{waited}; {not_yet}", [found.ticket.record])
    last = max(one.sends[0].t for one in found.requests)
    said = f"{waited}; each was sent once, up to {seconds(last - found.ends)} after its end"
    evidence = [found.ticket.record, *(one.sends[0].record for one in found.requests)]
    return bench.ok(Form.RESTRAINT, said, evidence)


def _fates(found: Queued, early: int, short: bool) -> dict[str, list[Sent]]:
    """The queued requests by what became of them."""
    fates: dict[str, list[Sent]] = defaultdict(list)
    for one in found.requests:
        fates[_fate(one, early, short)].append(one)
    return fates


def _fate(one: Sent, early: int, short: bool) -> str:
    """What became of a queued request: one of `BREACHES`, or OPEN (`short`: it may come yet), or KEPT."""
    asked, sends = one
    if not sends:
        return _unsent(asked, short)
    if sends[0].t < early:
        return "early"
    return "doubled" if again_unasked(sends) is not None else KEPT


def _unsent(asked: Asked, short: bool) -> str:
    return OPEN if asked.outcome is None and short else "lost"


def _broken(bench: Bench, found: Queued, clause: str, those: list[Sent], waited: str) -> Finding:
    asked, sends = those[0]
    evidence = [found.ticket.record, asked.record, *(send.record for send in sends[:2])]
    if clause == "lost":
        how = f"not sent{_though_told(asked)}{bench.exit_text()}"
        evidence += [asked.outcome.record] if asked.outcome is not None else []
    elif clause == "early":
        after = seconds(sends[0].t - found.ticket.t)
        how = f"sent before its end, the first {after} after a ticket of {seconds(found.ticket.wait)}"
    else:
        before, again = again_unasked(sends) or (sends[0], sends[1])
        how = f"sent more than once, the first again {seconds(again.t - before.t)} later"
        evidence = [found.ticket.record, asked.record, before.record, again.record]
    # One that came too early may not have known of its ticket yet, as in RLP-020.
    form: Breach = Form.ABSENCE if clause == "lost" else Form.AGAIN
    said = f"{waited}; {len(those)} of them were {how}"
    return bench.breach(form, said, "sent once, after the penalty's end", evidence, clause=clause)


def _though_told(asked: Asked) -> str:
    return "" if asked.outcome is None else f", but told as `{asked.outcome.error or 'a success'}`"


@check("RLP-060")
def check_priority(bench: Bench) -> Iterator[Finding]:
    """Queued requests leave in the order that the client declares, and within one class as they came."""
    for found in queues(bench):
        yield _in_order(bench, found)


def _in_order(bench: Bench, found: Queued) -> Finding:
    """Whether what was queued during one penalty left in the declared order."""
    declared = bench.header.readings.get("queue-order", "lower-first")
    lanes = _lanes(bench, found)
    if sum(map(len, lanes)) < 2:
        return bench.short(f"{sum(map(len, lanes))} queued request(s) left after the penalty only")
    overtaken = [pair for lane in lanes if (pair := _overtaken(lane, URGENCY[declared])) is not None]
    if overtaken:
        return _left_too_soon(bench, *overtaken[0], declared)
    count = len({_priority(one.asked) for one in found.requests})
    said = f"queued requests of {count} priorities left in the declared order ({declared})"
    sent = [one.sends[0].record for one in found.requests if one.sends]
    return bench.ok(Form.SHOWN, said, [found.ticket.record, *sent])


def _left_too_soon(bench: Bench, other: _Left, one: _Left, declared: str) -> Finding:
    """The request `one` left after `other`, and should have left before it."""
    same_class = URGENCY[declared](one.asked) == URGENCY[declared](other.asked)
    what = "asked for after it" if same_class else f"of priority {_priority(other.asked)}"
    return bench.breach(
        Form.AGAIN,
        f"a queued request of priority {_priority(one.asked)} left after one {what}",
        f"the declared order (`queue-order = {declared}`), and within a class as they came",
        [one.asked.record, other.asked.record, other.sent.record, one.sent.record],
        clause="first come" if same_class else "priority",
    )


class _Left(NamedTuple):
    """A queued request, and the send with which it left after the penalty."""

    sent: Request
    asked: Asked


def _lanes(bench: Bench, found: Queued) -> list[list[_Left]]:
    """What left after the penalty on each socket, in the order in which it did."""
    lanes: dict[int, list[_Left]] = defaultdict(list)
    for one, sends in found.requests:
        waited = [send for send in sends if send.t >= found.ends - bench.micros("ticket_early")]
        if waited:
            lanes[waited[0].conn].append(_Left(waited[0], one))
    return [sorted(lane, key=lambda left: left.sent.record) for lane in lanes.values()]


def _overtaken(lane: list[_Left], urgency: Callable[[Asked], int]) -> tuple[_Left, _Left] | None:
    """(earlier, later) of the first that left after one that should leave behind it; None where all is in order."""
    worst: _Left | None = None  # of those that left so far, the one that should leave last
    for left in lane:
        if worst is None or _rank(left, urgency) > _rank(worst, urgency):
            worst = left
        elif _rank(left, urgency) < _rank(worst, urgency):
            return worst, left
    return None


def _rank(left: _Left, urgency: Callable[[Asked], int]) -> tuple[int, int]:
    return urgency(left.asked), left.asked.id


def _priority(asked: Asked) -> int:
    value = asked.body.get("priority")
    return value if isinstance(value, int) else 0
