"""Coming back by the third edition (A3 Reconnection Strategy): what binds every client, and the SDK's ladder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from brokercert.judge.arrow.antecedents import REFUSED
from brokercert.judge.arrow.bench import BOOK3, ArrowBench, Series, check
from brokercert.judge.arrow.model import UpdateSocket
from brokercert.judge.arrow.reconnection.account import left_over
from brokercert.judge.arrow.timers import share, slack
from brokercert.judge.attempts import ONE_ATTEMPT, Attempt, most_within
from brokercert.judge.check import seconds
from brokercert.judge.drawn import steps, with_drawing
from brokercert.judge.moments import Moment, records_of
from brokercert.judge.transcript import SECOND
from brokercert.verdict import Finding, Form

MINUTE = 60 * SECOND
AT_ONCE = 0.5  # seconds: below it a pause is no rung, since the shortest of either ladder is 1 s


@check("AOR-305", BOOK3)
def check_back(bench: ArrowBench) -> Iterator[Finding]:
    """After every loss the client opens another connection, without help."""
    for one in bench.series() if bench.reconnects else ():
        if one.back is not None:
            took = seconds(one.back.accepted - one.loss)
            yield bench.ok(Form.SHOWN, f"back {took} after the loss of connection {one.lost.id}", one.evidence)
            continue
        if _was_refused(bench, one):
            continue
        watch = bench.owed(one.loss, bench.micros("window_recovery"))
        yield watch.missing(
            f"not back {watch} after the loss of connection {one.lost.id} ({one.lost.loss and one.lost.loss.how})",
            "a new connection",
            one.evidence,
            short=f"watched for {watch} only",
        )


def _was_refused(bench: ArrowBench, one: Series) -> bool:
    """Its credentials were: what it does then is no matter of coming back."""
    sockets = [bench.talk.connections.get(attempt.conn) for attempt in one.attempts]
    return any(c is not None and c.refused_status in REFUSED for c in sockets)


def _climbs(bench: ArrowBench) -> Iterator[Series]:
    """The series in which enough attempts failed to show how the client waits."""
    return (one for one in bench.series() if len(one.attempts) >= bench.limit("ladder_attempts"))


def _pauses(one: Series) -> list[float]:
    """From the end of each attempt to the next, seconds. How late the loss itself was noticed is no part of it."""
    return [delay / SECOND for delay in one.delays[1:]]


def _told(pauses: Sequence[float]) -> str:
    return ", ".join(f"{pause:.2f}" for pause in pauses)


@check("AOR-310", BOOK3)
def check_bounds(bench: ArrowBench) -> Iterator[Finding]:
    """No pause is longer than its cap, and a minute has no more attempts than the ladder makes."""
    cap = bench.told_number("RECONNECT_MAX_DELAY", bench.limit("reconnect_delay_most"))
    most = int(bench.limit("attempts_a_minute"))
    for one in _climbs(bench):
        pauses = _pauses(one)
        count, which = most_within(list(one.attempts), MINUTE)
        if max(pauses) > cap + slack(bench, cap):
            said = f"a pause of {max(pauses):.2f} s: {_told(pauses)} s"
            yield bench.breach(Form.TIME, said, f"none above {cap:g} s", one.evidence)
        elif count > most:
            said = f"{count} attempts in a minute"
            counted = [bench.count("attempts", count, most)]
            yield bench.breach(Form.AGAIN, said, f"at most {most}", [a.record for a in which], counted)
        else:
            said = f"{count} attempts in a minute at most, pauses of {_told(pauses)} s"
            yield bench.ok(Form.RESTRAINT, said, one.evidence)


@check("AOR-312", BOOK3)
def check_ladder(bench: ArrowBench) -> Iterator[Finding]:
    """After the attempts without delay, the pauses are those of the page's ladder, or of the vendor's client."""
    cap = bench.told_number("RECONNECT_MAX_DELAY", bench.limit("reconnect_max_delay"))
    for one in _climbs(bench):
        pauses = _pauses(one)
        first = next((n for n, pause in enumerate(pauses) if pause > AT_ONCE), len(pauses))
        rungs = pauses[first:]
        # Of a client that waits before its first attempt, that rung is hidden in how late it noticed the loss.
        starts = (0, 1) if first == 0 else (0,)
        climbs = ((name, steps[n:]) for name, steps in bench.edition.ladders.items() for n in starts)
        name = next((name for name, steps in climbs if _follows(bench, rungs, steps, cap)), "")
        drawn = steps("pauses before attempts", one.delays[1:], [("longest pause", cap)])
        if name and rungs:
            told = f"{_told(rungs)} s: {bench.edition.ladder(name)}"
            yield with_drawing(bench.ok(Form.WAITED, told, one.evidence), drawn)
        else:
            said = f"pauses of {_told(pauses)} s"
            expected = f"{bench.edition.climbs(cap)}, each ± {share(bench)}"
            yield with_drawing(bench.breach(Form.TIME, said, expected, one.evidence), drawn)


def _follows(bench: ArrowBench, rungs: Sequence[float], steps: Sequence[int], cap: float) -> bool:
    due = [min(float(steps[n]) if n < len(steps) else cap, cap) for n in range(len(rungs))]
    return all(abs(pause - rung) <= slack(bench, rung) for pause, rung in zip(rungs, due, strict=True))


@check("AOR-315", BOOK3)
def check_at_once(bench: ArrowBench) -> Iterator[Finding]:
    """The first three attempts of a series follow each other without a delay, and the fourth does not."""
    count = int(bench.limit("immediate_attempts"))
    for one in _climbs(bench):
        pauses = _pauses(one)[:count]  # the last of them is the one before the first attempt that waits
        quick = [pause <= bench.limit("timer_slack") + bench.error for pause in pauses]
        said = f"pauses of {_told(pauses)} s after the first attempt"
        if all(quick[:-1]) and not quick[-1]:
            yield bench.ok(Form.SHOWN, said, one.evidence[: count + 2])
        else:
            yield bench.breach(Form.TIME, said, f"{count} attempts at once, then a delay", one.evidence[: count + 2])


@check("AOR-030", BOOK3)
def check_stays_away(bench: ArrowBench) -> Iterator[Finding]:
    """Told not to reconnect, the client makes no attempt: not after a loss, and not after silence."""
    if bench.reconnects:
        return
    for c, _ in bench.opened:
        since, what = _bereft(c)
        if since is None:
            continue
        back = next((attempt for attempt in bench.attempts(since.t) if attempt.t < bench.owed_until), None)
        if back is not None:
            said = f"an attempt {seconds(back.t - since.t)} after {what} of connection {c.id}"
            yield bench.breach(Form.AGAIN, said, "none", [since.record, back.record])
            return
        yield _stayed_away(bench, c, since)


def _bereft(c: UpdateSocket) -> tuple[Moment | None, str]:
    """Since when the client may take a connection for lost, and what that began with."""
    if c.silent is not None and not c.lost_before(c.silent.t):
        return c.silent, "the silence"
    return (None, "") if c.loss is None else (Moment(c.loss.t, c.loss.record), "the loss")


def _stayed_away(bench: ArrowBench, c: UpdateSocket, since: Moment) -> Finding:
    """No attempt came. A silent connection that nobody ended has to be watched until it must have been noticed."""
    restraint = bench.micros("window_restraint")
    if c.loss is not None:
        watch, after = bench.barred(c.loss.t, restraint), "the loss"
    else:
        watch, after = bench.barred(since.t, bench.micros("silence_most") + restraint), "the silence"
    said = f"no attempt in {watch} after {after} of connection {c.id}"
    return watch.kept(said, records_of(since, c.loss), short=f"watched for {watch} only")


@check("AOR-345", BOOK3)
def check_storm(bench: ArrowBench) -> Iterator[Finding]:
    """Connections to a server that drops each of them stay bounded."""
    after, most = int(bench.limit("storm_after")), int(bench.limit("storm_attempts"))
    attempts = bench.attempts(-1)
    short = [c for c, opened in bench.opened if c.loss is not None and c.loss.t - opened.t < SECOND]
    if len(short) < 2:
        return
    count, which = most_within(attempts[after:], MINUTE)
    evidence = [attempts[0].record, *(a.record for a in which)]
    said = f"{count} connections in a minute, after the first {after}"
    if count > most:
        yield bench.breach(Form.AGAIN, said, f"at most {most}", evidence, [bench.count("connections", count, most)])
        return
    watch = bench.barred(attempts[0].t, MINUTE)
    yield watch.kept(said, evidence, short=f"watched for {watch} only")


@check("AOR-350", BOOK3)
def check_connections(bench: ArrowBench) -> Iterator[Finding]:
    """Never are more connections open at once than the account has."""
    account = str(bench.header.settings.get("account", "Enterprise"))
    allowed = int(bench.limit(f"{account.lower()}_sockets"))
    fullest = _most_open(bench)
    said = f"{len(fullest)} connection(s) at once"
    if len(fullest) > allowed:
        yield bench.breach(Form.AGAIN, said, f"{account}: at most {allowed}", fullest)
    elif any(one.back is not None for one in bench.series()):
        yield bench.ok(Form.RESTRAINT, f"{account}: {said}", fullest)


def _most_open(bench: ArrowBench) -> list[int]:
    """The upgrades of the most connections that stood beside each other, each for longer than an overlap may last."""
    spans = [(o.t + bench.micros("overlap"), _stood_until(bench, c), o.record) for c, o in bench.opened]
    moments = [begins for begins, ends, _ in spans if begins < ends]
    together = ([record for begins, ends, record in spans if begins <= t < ends] for t in moments)
    return max(together, key=len, default=[])


def _stood_until(bench: ArrowBench, c: UpdateSocket) -> int:
    """Up to when it counts: not once it is silent, or given up."""
    return min([c.heard_until(bench.seen), *([c.closed] if c.closed is not None else [])])


@check("AOR-360", BOOK3)
def check_one_series(bench: ArrowBench) -> Iterator[Finding]:
    """One outage starts one series: never are two attempts under way at one time, and no connection is left over."""
    rows = [one for one in bench.series() if len(one.attempts) > 1]
    wrong = [finding for one in rows for finding in (*_overlaps(bench, one), *left_over(bench, one))]
    yield from wrong
    if rows and not wrong:
        yield bench.ok(Form.RESTRAINT, "one attempt at a time", rows[0].evidence)


def _overlaps(bench: ArrowBench, one: Series) -> Iterator[Finding]:
    pair = next(((a, b) for a, b in pairwise(one.attempts) if b.t - a.t >= ONE_ATTEMPT and b.t < _over(bench, a)), None)
    if pair is not None:
        a, b = pair
        yield bench.breach(
            Form.AGAIN,
            f"an attempt began {seconds(b.t - a.t)} after another one, which was still under way",
            "one attempt after the other",
            [one.record, a.record, b.record],
            clause="overlap",
        )


def _over(bench: ArrowBench, attempt: Attempt) -> int:
    """When it was over: refused, ended by either side, or a connection."""
    c = bench.talk.connections.get(attempt.conn)
    done: Moment | None = c.upgraded if c is not None else None
    return done.t if done is not None else attempt.over
