"""Back-off during outages: what several rows ask of the attempts in them (TP §10). Times are microseconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from brokercert.judge.attempts import Attempt, attempts_within_limits, delays_of
from brokercert.judge.check import seconds
from brokercert.judge.drawn import steps, with_drawing
from brokercert.judge.moments import Noted
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import SECOND, TIMER, Loss
from brokercert.judge.tradovate.model.trying import tries
from brokercert.trace import records as r
from brokercert.trace.names import WindowName
from brokercert.verdict import Drawn, Finding, Form


def back_off(bench: Bench, kind: WindowName = WindowName.OUTAGE, survives: str = "") -> Iterator[Finding]:
    """Attempts during each outage of this kind against the limits. `survives`: what the client lives on after, where
    the row says so.
    """
    for mark in bench.talk.windows:
        if mark.what.name.startswith(kind):
            yield from _in_outage(bench, mark, kind, survives)


def _in_outage(bench: Bench, mark: Noted[r.Window], kind: WindowName, survives: str) -> Iterator[Finding]:
    window = mark.what
    lost = _lost_in(bench, window)
    attempts = [a for a in tries(bench, window.since) if a.t < window.t]
    if not attempts and kind is WindowName.OUTAGE:
        return  # REC-010 asks for the first; a row about restraint is passed by none
    found = list(_unrestrained(bench, attempts, max(1, len(lost))))
    found = found or [_restrained(bench, mark, lost, attempts, survives)]
    drawn = _drawn(bench, delays_of(attempts) if len(lost) <= 1 else [])  # of several sockets they are no ladder
    yield from (with_drawing(one, drawn) for one in found)


def _drawn(bench: Bench, delays: Sequence[int]) -> Drawn:
    """The delays, and what the mean of the last of them reaches where they grow: one of two lines is enough."""
    tail, factor = bench.limit("backoff_tail"), bench.limit("backoff_growth")
    first = next((delay for delay in delays if delay > TIMER), 0)
    limits = [(f"mean of the last {tail:g} at least", bench.limit("backoff_floor"))]
    if first:
        limits.append((f"or at least {factor:g} times the first", factor * first / SECOND))
    return steps("delays between attempts", delays, limits)


def _unrestrained(bench: Bench, attempts: list[Attempt], sockets: int) -> Iterator[Finding]:
    """Too many attempts, of so many sockets; or too soon after each other, of one."""
    yield from attempts_within_limits(bench, attempts, sockets)
    if sockets == 1:
        yield from _too_soon(bench, attempts)


def _restrained(
    bench: Bench, mark: Noted[r.Window], lost: list[Loss], attempts: list[Attempt], survives: str
) -> Finding:
    """A pass, where the outage lasted for long enough and the client lived on in it."""
    window = mark.what
    watch = bench.barred(window.since, bench.micros("outage"), window.t)
    return watch.kept(
        f"{window.name}: {len(attempts)} attempt(s) in {watch}",
        [*sorted(loss.record for loss in lost)[:1], *(a.record for a in attempts), mark.record],
        short=f"{window.name}: watched for {watch} of the outage only",
        survives=survives,
    )


def _lost_in(bench: Bench, window: r.Window) -> list[Loss]:
    """The losses of the authorized sockets that the outage took."""
    begin = window.since - bench.micros("one_loss")
    return [loss for c, loss in bench.talk.lost if loss.t >= begin and c.accepted < window.since]


def _too_soon(bench: Bench, attempts: list[Attempt]) -> Iterator[Finding]:
    """The mean of the last delays: so many times the first that is not zero, or so long; with few: not judged."""
    tail = round(bench.limit("backoff_tail"))
    delays = delays_of(attempts)
    if len(delays) < tail:
        return
    first = next((delay for delay in delays if delay > TIMER), 0)
    mean = sum(delays[-tail:]) / tail
    floor, factor = bench.limit("backoff_floor") * SECOND, bench.limit("backoff_growth")
    if mean >= floor or mean >= factor * first > 0:
        return
    yield bench.breach(
        Form.TIME,
        f"the last {tail} delays are {seconds(round(mean))} long on average, the first was {seconds(first)}",
        f"delays that grow to {factor:g} times the first, or to {floor / SECOND:g} s",
        [a.record for a in [*attempts[:1], *attempts[-tail - 1 :]]],
        [bench.time(f"mean of the last {tail} delays", round(mean), None)],
        clause="delays grow",
    )
