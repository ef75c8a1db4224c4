"""What one start showed, in sentences: for somebody who wants to know whether a whole run is worth it.

The law: a sentence says what came, or that it did not come in the time that was given. It is no verdict, and says none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from brokercert.engine.look.once import LEAVES, WATCHED, Seen
from brokercert.engine.run.preflight import answered
from brokercert.judge.transcript import SECOND, Transcript
from brokercert.trace import records as r

STOOD = 1.0  # seconds of a standstill of ours that is told
MOST_LINES = 12  # of its output
NAMED = 4  # REST calls that are named


def came(seen: Seen) -> bool:
    """Whether the client got an upgrade: it has found the broker."""
    talk = seen.judging.folded(seen.trace)
    return any(c.upgraded for c in talk.connections.values())


def told(seen: Seen) -> tuple[str, ...]:
    """All that it showed, a sentence each, in the order in which a client gets there."""
    talk = seen.judging.folded(seen.trace)
    return tuple(_sentences(seen, talk))


def _sentences(seen: Seen, talk: Transcript[Any]) -> Iterator[str]:
    yield _arrival(seen, talk)
    sockets = talk.upgraded
    if sockets:
        yield f"it opened {_many(len(sockets), 'WebSocket')}{_at_once(talk)}"
    yield from _rest(talk)
    if sockets:
        yield from seen.judging.seen_of(talk, seen.trace.header.limits)
    for _, _, broken in talk.violations[:1]:
        yield f"its bytes broke the rules of HTTP or WebSocket: {broken.text}"
    yield _leaving(seen, talk)
    stood = max(((x.t - x.since) / SECOND + x.suspended for _, x in talk.stalls), default=0.0)
    if stood > STOOD:
        yield f"(the harness stood still for {stood:.1f} s meanwhile: what did not come may have come later)"


def _arrival(seen: Seen, talk: Transcript[Any]) -> str:
    started = talk.started or 0
    first = answered(talk)
    if first is not None and first.upgraded is not None:
        return f"it connected to {seen.address} and got its upgrade {(first.upgraded.t - started) / SECOND:.2f} s later"
    if first is not None:
        return f"it connected to {seen.address}, and its upgrade was answered with {first.refused_status}"
    within = "before it left" if _left_unasked(talk) else f"within {WATCHED:g} s"
    if talk.rest:
        return f"it sent requests over REST, and no upgrade request came to {seen.address} {within}"
    if talk.connections:
        return f"it connected to {seen.address}, and sent no upgrade request {within}"
    return f"it never came to {seen.address} {within}"


def _at_once(talk: Transcript[Any]) -> str:
    """How many lived at once, where that is not all of them."""
    living, opened = len(_standing(talk)), len(talk.upgraded)
    return "" if not talk.stops or living == opened else f", of which {living} stood when it was asked to leave"


def _standing(talk: Transcript[Any]) -> list[Any]:
    """Its WebSockets when it was asked to leave."""
    return [c for c in talk.connections.values() if any(c.stood_at(stop.t) for stop in talk.stops)]


def _rest(talk: Transcript[Any]) -> Iterator[str]:
    calls = list(dict.fromkeys(f"{call.endpoint} ({call.status or 'no answer'})" for call in talk.asides.rest))
    if calls:
        more = f" and {len(calls) - NAMED} more" if calls[NAMED:] else ""
        yield f"over REST it asked for {', '.join(calls[:NAMED])}{more}"


def _leaving(seen: Seen, talk: Transcript[Any]) -> str:
    asked = next(iter(talk.stops), None)
    exited = talk.exited
    if exited is not None and _left_unasked(talk):
        at = (exited.t - (talk.started or 0)) / SECOND
        return f"it left by itself {at:.1f} s after its start: {seen.exit}"
    if asked is None:
        return 'it was not asked to leave, since it is declared with stop = "none"'
    how = f"by {'SIGTERM' if asked.what.how == 'signal' else asked.what.how}"
    if exited is None:
        return f"asked to leave {how}, it still ran {LEAVES:g} s later (a run awaits it for longer)"
    return f"asked to leave {how}, it {_closed(talk)} and left {(exited.t - asked.t) / SECOND:.2f} s later: {seen.exit}"


def _left_unasked(talk: Transcript[Any]) -> bool:
    return talk.exited is not None and not any(stop.t <= talk.exited.t for stop in talk.stops)


def _closed(talk: Transcript[Any]) -> str:
    """How it ended the sockets that it had then."""
    sockets = _standing(talk)
    if not sockets:
        return "had no WebSocket to close,"
    closes = [c.client_close for c in sockets if c.client_close is not None]
    if len(closes) < len(sockets):
        return "sent no close frame" if not closes else f"closed {len(closes)} of {len(sockets)} WebSockets"
    codes: Sequence[str] = list(dict.fromkeys(str(close.code or "no code") for close in closes))
    return f"sent a close frame ({', '.join(codes)})"


def last_lines(seen: Seen) -> tuple[str, ...]:
    """What it printed last, where that may say why it did not come, or left."""
    talk = seen.judging.folded(seen.trace)
    if came(seen) and not any(isinstance(x, r.SubjectExited) and not x.asked for x in seen.trace.records):
        return ()
    return seen.output[-MOST_LINES:] if seen.output or talk.started is None else ("(it printed nothing)",)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
