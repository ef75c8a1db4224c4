"""Heartbeats, and coming back: AR Heartbeat Protocol, Reconnection Strategy, Rate Limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from brokercert.judge.arrow.bench import ArrowBench, Series, check
from brokercert.judge.attempts import attempts_of, most_within
from brokercert.judge.check import seconds
from brokercert.judge.transcript import SECOND
from brokercert.verdict import Finding, Form

FIRST_SOON = SECOND  # the Python sample sends its first `PONG` when the socket opens
LADDERS = {"the table's ladder, from 1 s": (1, 2, 4, 8), "the Python sample's ladder, from 2 s": (2, 4, 8)}
ENOUGH = 4  # attempts that show a ladder
TOGETHER = SECOND // 2  # attempts closer than this are two series: the shortest rung is 1 s
LIMITS = {"Basic": (1, 10), "Premium": (3, 30), "Enterprise": (10, None)}  # AR Rate Limits
MUST_DIFFER = 0.8  # seconds: two rungs are 1 s apart at least; less is a late timer
BUSY = 1.0  # seconds by which a busy machine makes a timer late (a browser that starts, seen): no client's fault


CALM = 0.25  # seconds of the harness's own lateness: what is longer is a standstill, and makes no pass


def _slack(bench: ArrowBench, delay: float) -> float:
    """By how much a timer of `delay` seconds may be off before it is wrong, in seconds."""
    return max(delay * bench.limit("tolerance"), bench.limit("timer_slack")) + bench.error


def _sure(bench: ArrowBench, delay: float) -> float:
    """By how much it may be off and be right, in seconds; between the two nobody knows."""
    return _slack(bench, delay) - (bench.error if bench.error > CALM else 0.0)


@check("AOH-010")
def check_pong(bench: ArrowBench) -> Iterator[Finding]:
    """`PONG` is sent every 30 s; the first when the socket opens, or 30 s after."""
    every = bench.limit("pong_every")
    slack = _slack(bench, every)
    for c in bench.talk.upgraded:
        assert c.upgraded is not None
        opened, until = c.upgraded[0], c.last_seen(bench.end)
        if c.silent is not None:
            until = min(until, c.silent[0])
        times = [(t, n) for t, n in c.beats if t <= until]
        strange = [(t, n, text) for t, n, text in c.other if "pong" in text.lower() or "ping" in text.lower()]
        if strange:
            yield bench.breach(
                Form.CONTENT,
                f"connection {c.id} sent {strange[0][2]!r}",
                "the text `PONG`, so written",
                [strange[0][1]],
            )
            return
        marks = [(opened, c.upgraded[1]), *times]
        if times and times[0][0] - opened <= FIRST_SOON:
            marks = times  # the first at 0 s
        doubtful = False
        for (before, one), (after, two) in pairwise(marks):
            gap = (after - before) / SECOND
            doubtful |= abs(gap - every) > _sure(bench, every)
            if abs(gap - every) > slack:
                yield bench.breach(
                    Form.TIME,
                    f"`PONG` after {gap:.2f} s on connection {c.id}",
                    f"every {every:g} s ± {slack:.2f} s",
                    [one, two],
                    [bench.time("gap", after - before, every + slack)],
                )
                return
        last = marks[-1][0]
        if until - last > (every + slack) * SECOND:
            yield bench.breach(
                Form.ABSENCE,
                f"no `PONG` in {seconds(until - last)} on connection {c.id}",
                f"every {every:g} s ± {slack:.2f} s",
                [marks[-1][1]],
            )
            return
        if len(marks) > 2 or (len(marks) > 1 and marks is not times):
            gaps = ", ".join(f"{(b[0] - a[0]) / SECOND:.2f}" for a, b in pairwise(marks))
            when = "when the socket opened" if marks is times else "30 s after"
            text, evidence = f"`PONG` every {gaps} s, the first {when}", [n for _, n in times]
            yield bench.unsure(text, evidence) if doubtful else bench.ok(Form.SHOWN, text, evidence)


@check("AOH-020")
def check_read_timeout(bench: ArrowBench) -> Iterator[Finding]:
    """A socket on which nothing comes is given up after 30 s, by 60 s at the latest, and a new one is opened."""
    least = bench.limit("read_timeout")
    most = bench.limit("read_timeout_most")
    for c in bench.talk.upgraded:
        if c.silent is None or (c.loss is not None and c.loss.t < c.silent[0]):
            continue
        heard, word = max([x for x in c.sent if x[0] <= c.silent[0]], default=c.upgraded or (0, 0))
        limit = most + _slack(bench, most)
        attempts = attempts_of(bench.talk, c.silent[0])
        gone = [t for t in (c.loss.t if c.loss else None, attempts[0].t if attempts else None) if t is not None]
        if not gone:
            waited = bench.end - heard
            if waited > limit * SECOND:
                yield bench.breach(
                    Form.ABSENCE,
                    f"the client stayed on a socket that was silent for {seconds(waited)}{bench.exit_text()}",
                    f"it reconnects after {least:g} s, by {most:g} s at the latest",
                    [word, c.silent[1]],
                )
            else:
                yield bench.short(f"silent for {seconds(waited)} only", [c.silent[1]])
            continue
        after = min(gone) - heard
        evidence = [word, c.silent[1], *([c.loss.record] if c.loss else []), *(a.record for a in attempts[:1])]
        took = bench.time("read time-out", after, limit)
        if after > limit * SECOND:
            yield bench.breach(
                Form.TIME, f"given up after {seconds(after)}", f"by {most:g} s at the latest", evidence, [took]
            )
        elif not attempts:
            if bench.end - min(gone) > 15 * SECOND:
                yield bench.breach(
                    Form.ABSENCE, "the client gave the socket up and did not come back", "it reconnects", evidence
                )
        elif after < (least - _slack(bench, least)) * SECOND:
            yield bench.warn(
                Form.TIME,
                f"given up after {seconds(after)} of silence: sooner than the page says",
                f"after {least:g} s",
                evidence,
                [took],
            )
        else:
            table = after <= (least + _slack(bench, least)) * SECOND
            reading = "the table's reading" if table else "as the samples do"
            text = f"given up after {seconds(after)} of silence: {reading}"
            right = (least - _sure(bench, least)) * SECOND <= after <= (most + _sure(bench, most)) * SECOND
            yield bench.ok(Form.SHOWN, text, evidence, [took]) if right else bench.unsure(text, evidence)


def rungs_of(first: Sequence[int], cap: float, count: int) -> list[float]:
    return [min(float(first[n]) if n < len(first) else cap, cap) for n in range(count)]


def ladder_of(bench: ArrowBench, delays: Sequence[int], late: float | None = None) -> str:
    """The name of the ladder that these delays follow for sure, or nothing; with `late`, perhaps, by so much."""
    may = _sure if late is None else _slack
    cap = bench.told_number("RECONNECT_MAX_DELAY", bench.limit("reconnect_max_delay"))
    for name, first in LADDERS.items():
        rungs = rungs_of(first, cap, len(delays))
        off = [(d / SECOND - rung, may(bench, rung)) for d, rung in zip(delays, rungs, strict=True)]
        if all(-slack <= by <= slack + (late or 0.0) for by, slack in off):
            return name
    return ""


def _told(delays: Sequence[int]) -> str:
    return ", ".join(f"{d / SECOND:.2f}" for d in delays)


def _due(bench: ArrowBench, one: Series) -> bool:
    """It was watched long enough for the next attempt to have come."""
    last = max([one.loss, *(a.end or a.t for a in one.attempts)])
    cap = bench.limit("reconnect_max_delay")
    return bench.end - last > (cap + _slack(bench, cap) + 2) * SECOND


@check("AOR-010")
def check_ladder(bench: ArrowBench) -> Iterator[Finding]:
    """After a loss the client comes back, by a ladder of 1, 2, 4, 8 and then 10 s (or from 2 s), capped as told."""
    if not bench.reconnects:
        return
    for one in bench.series():
        if one.lost.loss is not None and one.lost.loss.by == "client":
            continue  # its own giving up: AOH-020's and AOR-060's matter
        if not one.attempts:
            if _due(bench, one):
                yield bench.breach(
                    Form.ABSENCE,
                    f"no attempt in {seconds(bench.end - one.loss)} after the loss{bench.exit_text()}",
                    "the client reconnects",
                    [one.record],
                )
            continue
        if len(one.attempts) < ENOUGH:
            continue
        ladder = ladder_of(bench, one.delays)
        cap = bench.told_number("RECONNECT_MAX_DELAY", bench.limit("reconnect_max_delay"))
        if ladder:
            yield bench.ok(Form.SHOWN, f"{_told(one.delays)} s: {ladder}", one.evidence)
        elif ladder := ladder_of(bench, one.delays, BUSY):
            yield bench.unsure(f"{_told(one.delays)} s: {ladder}, but late as on a busy machine", one.evidence)
        else:
            yield bench.breach(
                Form.TIME,
                f"delays of {_told(one.delays)} s",
                f"1, 2, 4, 8, then 10 s, or 2, 4, 8, then 10 s; none above {cap:g} s; each ± 10 %",
                one.evidence,
            )


@check("AOR-020")
def check_tries(bench: ArrowBench) -> Iterator[Finding]:
    """Attempts stop after `reconnectMaxTries`, or one more, and `noreconnect` is raised once."""
    tries = round(bench.told_number("RECONNECT_MAX_TRIES", bench.limit("reconnect_max_tries")))
    cap = bench.told_number("RECONNECT_MAX_DELAY", bench.limit("reconnect_max_delay"))
    for one in bench.series():
        if one.back is not None or one.failed < 1:
            continue
        count = one.failed
        quiet = bench.end - max(a.end or a.t for a in one.attempts)
        if count > tries + 1:
            yield bench.breach(
                Form.AGAIN, f"{count} attempts", f"{tries} or {tries + 1}", [one.record, one.attempts[-1].record]
            )
            continue
        if quiet < (cap + _slack(bench, cap) + 1) * SECOND:
            continue  # it may go on
        if count < tries:
            yield bench.breach(
                Form.ABSENCE,
                f"the client stopped after {count} attempt(s){bench.exit_text()}",
                f"{tries} or {tries + 1}",
                [one.record, one.attempts[-1].record],
            )
            continue
        raised = [x for x in bench.talk.raised("noreconnect") if x.t >= one.loss]
        if len(raised) != 1 or raised[0].t < one.attempts[-1].t:
            yield bench.breach(
                Form.AGAIN if raised else Form.ABSENCE,
                f"`noreconnect` was raised {len(raised)} time(s)",
                "once, after the last attempt",
                [one.attempts[-1].record, *(x.record for x in raised)],
                (),
                "noreconnect",
            )
        else:
            yield bench.ok(
                Form.RESTRAINT, f"{count} attempts, then `noreconnect`", [one.attempts[-1].record, raised[0].record]
            )


@check("AOR-030")
def check_stays_away(bench: ArrowBench) -> Iterator[Finding]:
    """Told not to reconnect, the client makes no attempt after a loss."""
    if bench.reconnects:
        return
    for one in bench.series():
        if one.attempts:
            yield bench.breach(
                Form.AGAIN,
                f"an attempt {seconds(one.attempts[0].t - one.loss)} after the loss",
                "none",
                one.evidence[:2],
            )
        elif bench.end - one.loss < bench.micros("window_restraint") and bench.talk.exited is None:
            yield bench.short(f"watched for {seconds(bench.end - one.loss)} only", [one.record])
        else:
            yield bench.ok(Form.RESTRAINT, f"no attempt in {seconds(bench.end - one.loss)}", [one.record])


@check("AOR-040")
def check_again(bench: ArrowBench) -> Iterator[Finding]:
    """After a success the ladder begins at its first rung again, and the count of tries at nought."""
    series = [one for one in bench.series() if one.lost.loss is None or one.lost.loss.by != "client"]
    for before, after in pairwise(series):
        if before.back is None or before.failed < ENOUGH - 1:
            continue
        if not after.attempts:
            if _due(bench, after):
                yield bench.breach(
                    Form.ABSENCE, "no attempt after the second loss", "the ladder begins again", [after.record]
                )
            continue
        first, again = before.delays[0], after.delays[0]
        delay = max(first, again) / SECOND
        if abs(first - again) > max(2 * _slack(bench, delay), MUST_DIFFER) * SECOND:
            yield bench.breach(
                Form.TIME,
                f"the second series began with {seconds(again)}, the first with {seconds(first)}",
                "the ladder begins again after a success",
                [*before.evidence[:2], *after.evidence[:2]],
            )
        elif abs(first - again) > 2 * _sure(bench, delay) * SECOND:
            yield bench.unsure(f"the series began with {seconds(first)} and {seconds(again)}", after.evidence[:2])
        elif after.back is None and _due(bench, after):
            yield bench.breach(
                Form.ABSENCE,
                f"the client stopped after {after.failed} attempt(s) of the second series",
                "the count begins again after a success",
                after.evidence,
            )
        elif after.back is not None:
            yield bench.ok(
                Form.WAITED,
                f"the second series began with {seconds(again)}, as the first did ({seconds(first)})",
                [*before.evidence[:2], *after.evidence[:2]],
            )


@check("AOR-050")
def check_account(bench: ArrowBench) -> Iterator[Finding]:
    """Over an outage, reconnects a minute and sockets at once stay inside the account's limits."""
    account = str(bench.header.settings.get("account", "Enterprise"))
    sockets, reconnects = LIMITS[account]
    open_at: list[tuple[int, int, int]] = []
    for c in bench.talk.upgraded:
        assert c.upgraded is not None
        ends = [t for t in (c.loss.t if c.loss else None, c.closed) if t is not None]
        open_at += [(c.upgraded[0], 1, c.upgraded[1]), (min([*ends, bench.end]), -1, c.upgraded[1])]
    now: list[int] = []
    fullest: list[int] = []
    for _, change, number in sorted(open_at, key=lambda x: (x[0], x[1])):
        now = [*now, number] if change > 0 else [n for n in now if n != number]
        fullest = now if len(now) > len(fullest) else fullest
    most = len(fullest)
    if most > sockets:
        yield bench.breach(
            Form.AGAIN, f"{most} sockets at once", f"{account}: at most {sockets}", fullest, (), "connections"
        )
    first = min((c.accepted for c in bench.talk.connections.values() if c.head is not None), default=None)
    if first is None:
        return
    attempts = attempts_of(bench.talk, first)
    count, which = most_within(attempts, 60 * SECOND)
    long_enough = [one for one in bench.series() if (one.attempts[-1].t if one.attempts else one.loss) - one.loss]
    if reconnects is not None and count > reconnects:
        yield bench.breach(
            Form.AGAIN,
            f"{count} reconnects in a minute",
            f"{account}: at most {reconnects}",
            [a.record for a in which],
            [bench.count("reconnects", count, reconnects)],
            "reconnects",
        )
    elif most <= sockets and long_enough:
        limit = "unlimited" if reconnects is None else f"of {reconnects}"
        yield bench.ok(
            Form.RESTRAINT,
            f"{account}: {most} socket(s) at once, {count} reconnects in a minute {limit}",
            [a.record for a in which],
        )


@check("AOR-060")
def check_one_series(bench: ArrowBench) -> Iterator[Finding]:
    """One outage starts one series: attempts never overlap, no socket is left over, no rung is skipped."""
    rows = list(bench.series())
    wrong = False
    for one in rows:
        times = [a.t for a in one.attempts]
        close = [n for n, (a, b) in enumerate(pairwise(times)) if b - a < TOGETHER]
        if close:
            wrong = True
            yield bench.breach(
                Form.AGAIN,
                f"two attempts {seconds(times[close[0] + 1] - times[close[0]])} apart",
                "one attempt after the other",
                [one.record, one.attempts[close[0]].record, one.attempts[close[0] + 1].record],
                (),
                "overlap",
            )
        if one.back is not None and one.back.upgraded is not None:
            since = one.back.upgraded[0]
            extra = [
                c
                for c in bench.talk.upgraded
                if c.upgraded and since < c.upgraded[0] and one.back.last_seen(bench.end) > c.upgraded[0]
            ]
            if extra and extra[0].upgraded:
                wrong = True
                yield bench.breach(
                    Form.AGAIN,
                    f"connection {extra[0].id} was opened while {one.back.id} was open",
                    "one socket in place of the one lost",
                    [one.record, extra[0].upgraded[1]],
                    (),
                    "left over",
                )
    plain = [one for one in rows if one.attempts and one.lost.loss is not None and one.lost.loss.by != "client"]
    own = [one for one in rows if one.attempts and one.lost.loss is not None and one.lost.loss.by == "client"]
    if plain and own:
        first, later = plain[0].delays[0], own[0].delays[0]
        delay = max(first, later) / SECOND
        if later - first > max(2 * _slack(bench, delay), MUST_DIFFER) * SECOND:
            wrong = True
            yield bench.breach(
                Form.TIME,
                f"after the read time-out the first attempt came {seconds(later)} later, after a plain loss"
                f" {seconds(first)}: the time-out started the series twice",
                "the same first rung",
                [*plain[0].evidence[:2], *own[0].evidence[:2]],
                (),
                "skipped rung",
            )
        elif later - first > 2 * _sure(bench, delay) * SECOND:
            yield bench.unsure(f"first attempts after {seconds(first)} and {seconds(later)}", own[0].evidence[:2])
        elif not wrong:
            yield bench.ok(
                Form.WAITED,
                "one attempt at a time, from the same rung after either loss",
                [*plain[0].evidence[:2], *own[0].evidence[:2]],
            )
    elif not wrong and any(len(one.attempts) >= ENOUGH for one in rows):
        yield bench.ok(Form.RESTRAINT, "one attempt at a time", rows[0].evidence)
