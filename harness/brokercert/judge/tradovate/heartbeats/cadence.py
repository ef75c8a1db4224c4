"""Heartbeats: S2 §2, and the protocol's own cadence (TP §1.3).

The page's 30 s and the protocol's 2.5 s are compatible only if 30 s is a bound that a certifier checks and 2.5 s what
keeps the live socket open, so both are judged, separately.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import SECOND, Answer, Connection
from brokercert.trace.names import FaultName, RuleName
from brokercert.verdict import Finding, Form

# A stretch counts as load while no two messages are further apart: the rules promise one at least every 3 s.
LOAD_GAP = 3 * SECOND
LOAD_LEAST = 15 * SECOND
QUIET_LEAST = 65 * SECOND
WATCHDOG = 5 * SECOND  # no client's is shorter: so long nothing may come from a healthy server
AFTER_LAST_H = 6 * SECOND  # past every cadence that the arrival of an `h` could still explain (TP §1.3: up to 5 s)


def page_limit(bench: Bench) -> float:
    """The page's 30 s with its tolerance, in seconds."""
    return bench.limit("heartbeat_gap_page") * (1 + bench.limit("heartbeat_gap_tolerance"))


def gaps(c: Connection, since: int, begun: int, until: int) -> list[tuple[int, int, list[int]]]:
    """(gap, end, records) between the client's heartbeats from `since` (the time of record `begun`) on, the unfinished
    last one included, of which there is the first record only.
    """
    beats = [(t, n) for t, n in c.beats if since <= t <= until]
    marks: list[tuple[int, int | None]] = [(since, begun), *beats, (until, None)]
    return [(b[0] - a[0], b[0], [n for n in (a[1], b[1]) if n is not None]) for a, b in pairwise(marks)]


def _steady(bench: Bench) -> list[tuple[Connection, Answer, int]]:
    """The sockets under observation: from the authorize answer to the loss, a silence, or the end."""
    result = []
    for c in bench.talk.working():
        answer = c.authorized
        if answer is None:
            continue
        until = c.last_seen(bench.end)
        if c.silent is not None:
            until = min(until, c.silent[0])
        result.append((c, answer, until))
    return result


@check("HBT-010")
def check_regular(bench: Bench) -> Iterator[Finding]:
    """From the authorize answer on, over 70 s, no gap between heartbeats is above the page's limit."""
    limit = page_limit(bench)
    yield from _cadence(bench, limit, f"a heartbeat at least every {limit:g} s (30 s by the page, 10 % tolerance)")


@check("HBT-020")
def check_protocol_cadence(bench: Bench) -> Iterator[Finding]:
    """The protocol's cadence: every 2.5 s, up to 5 s as the official samples do, 10 % tolerance."""
    limit = bench.limit("heartbeat_gap_protocol") * (1 + bench.limit("heartbeat_gap_tolerance"))
    yield from _cadence(bench, limit, f"a heartbeat every 2.5 s, up to {limit:g} s as official samples do")


def _cadence(bench: Bench, limit: float, expected: str) -> Iterator[Finding]:
    window = bench.micros("window_heartbeat")
    seen = _steady(bench)
    long_enough = False
    for c, answer, until in seen:
        since = answer.t
        gap, end, records = max(gaps(c, since, answer.record, until), key=lambda item: item[0])
        measured = bench.time("longest gap between heartbeats", gap, limit)
        closing = end == until and not any(t == until for t, _ in c.beats)
        if until - since >= window or (gap > (limit + measured.error) * SECOND):
            long_enough = True
            how = "up to the end of the window" if closing else f"before the one at {seconds(end)}"
            yield bench.against(
                measured,
                observed=f"connection {c.id}: {len(c.beats)} heartbeat(s), the longest gap {seconds(gap)}, {how}",
                expected=expected,
                evidence=records,
            )
    if seen and not long_enough:
        watched = max(until - answer.t for _, answer, until in seen)
        yield bench.short(f"the longest socket was watched for {seconds(watched)} after its authorize answer only")


@check("HBT-030")
def check_under_load(bench: Bench) -> Iterator[Finding]:
    """Heartbeats continue during load while the server sends no `h`: one comes 6 s or more after the last `h`, and
    within the gap limit. A load that this machine could not make shows nothing.
    """
    limit = page_limit(bench)
    for c, answer, until in _steady(bench):
        for start, end, count in _loads(c, until):
            late = [(t, n) for t, n in c.beats if start + AFTER_LAST_H <= t <= end]
            rate = round(count / ((end - start) / SECOND))
            last = max((t for t, _ in c.beats if t <= start), default=start)
            begun = ([n for t, n in c.server_beats if t <= start] or [answer.record])[-1]
            small = _too_small(bench, start, end, rate)
            if small is not None:
                yield small
            elif late:
                first = late[0]
                before = max(((t, n) for t, n in c.beats if t < first[0]), default=(start, begun))
                gap = bench.time("gap before the first heartbeat without `h`", first[0] - before[0], limit)
                yield bench.against(
                    gap,
                    observed=f"a heartbeat came {seconds(first[0] - start)} after the last `h`, under {rate}"
                    " messages a second",
                    expected=f"heartbeats go on under load, at most {limit:g} s apart",
                    evidence=[before[1], first[1]],
                    passes=Form.WAITED,
                )
            elif end - last > limit * SECOND:
                yield bench.breach(
                    Form.ABSENCE,
                    f"no heartbeat in {seconds(end - last)} under {rate} messages a second without an `h`",
                    f"heartbeats go on under load, at most {limit:g} s apart",
                    [begun],
                    [bench.time("gap between heartbeats", end - last, limit)],
                )
            else:
                yield bench.short(f"the load without `h` lasted {seconds(end - start)} only")


def _too_small(bench: Bench, start: int, end: int, rate: int) -> Finding | None:
    """Not observed, where the mock says of this stretch that it fell short, and it fell short by too much."""
    told = [(number, load) for t, number, load in bench.talk.loads if start <= t]
    if not told:
        return None
    number, load = told[0]
    least = bench.limit("load_reached") * load.asked
    if rate >= least:
        return None
    return bench.short(
        f"this machine made {rate} messages a second of the {load.asked:g} that were to be sent in"
        f" {seconds(end - start)}; a load is judged from {least:g} a second on",
        [number],
    )


def _loads(c: Connection, until: int) -> Iterator[tuple[int, int, int]]:
    """Stretches of at least 15 s of messages without an `h`: (from, to, messages)."""
    marks = [t for t, _ in c.server_beats] + [until]
    starts = [c.opens[0][0] if c.opens else 0, *marks]
    for start, end in pairwise(sorted(starts)):
        times = [t for t, _, text in c.data_sent if start < t <= end and text != "o"]
        run: list[int] = []
        for t in times:
            if run and t - run[-1] > LOAD_GAP:
                run = []
            run.append(t)
        if run and run[-1] - run[0] >= LOAD_LEAST:
            yield run[0], min(end, run[-1]), len(run)


@check("HBT-040")
def check_quiet_market(bench: Bench) -> Iterator[Finding]:
    """During 65 s of nothing but `h`, heartbeats continue and the connection is kept: `h` is a sign of life."""
    limit = page_limit(bench)
    for c, answer, until in _steady(bench):
        for start, begun, end in _quiets(c, answer, bench.end):
            gone = c.given_up()
            if gone is not None and start + WATCHDOG < gone.t <= end and bench.unprovoked(c):
                yield bench.breach(
                    Form.ENDING,
                    f"the client ended connection {c.id} ({gone.how}) {seconds(gone.t - start)} into a time of nothing"
                    " but `h`",
                    "`h` counts as a sign of life",
                    [begun, gone.record],
                )
                continue
            stop = min(end, until)
            if stop - start < QUIET_LEAST:
                continue
            gap, _, records = max(gaps(c, start, begun, stop), key=lambda item: item[0])
            yield bench.against(
                bench.time("longest gap between heartbeats", gap, limit),
                observed=f"in {seconds(stop - start)} of nothing but `h` the longest gap was {seconds(gap)}",
                expected=f"heartbeats go on, at most {limit:g} s apart",
                evidence=records,
            )


def _quiets(c: Connection, since: Answer, until: int) -> Iterator[tuple[int, int, int]]:
    """Stretches in which the broker sent `h` and nothing else: (from, record of the last word before it, to)."""
    marks = [(since.t, since.record), *((t, n) for t, n, _ in c.data_sent if t > since.t), (until, 0)]
    for (start, begun), (end, _) in pairwise(marks):
        if any(start < t <= end for t, _ in c.server_beats) and end - start > LOAD_LEAST:
            yield start, begun, end


def _silences(bench: Bench) -> Iterator[tuple[Connection, int, list[int], str]]:
    """(connection, since, records of the last word and of the fault, kind) of servers silent on a working socket."""
    working = bench.talk.working()
    for _, number, fault in bench.talk.faults:
        if not fault.name.startswith(FaultName.SILENT):
            continue
        for c in working:
            if fault.conn in (0, c.id) and c.silent is not None and c.silent[1] == number and c.authorized:
                spoken = [(t, n) for t, n in c.sent if t <= fault.t][-1:]
                yield c, spoken[0][0] if spoken else fault.t, [*(n for _, n in spoken), number], fault.name


def _gave_up(bench: Bench, c: Connection, since: int) -> tuple[int, int] | None:
    """When a silent socket was given up: its own end, or a new socket of the client in its place."""
    times = []
    gone = c.given_up()
    if gone is not None and gone.t > since:
        times.append((gone.t, gone.record))
    times += [(x.accepted, x.accepted_record) for x in bench.talk.upgraded if x.accepted > since]
    return min(times, default=None)


@check("HBT-050")
def check_silence_noticed(bench: Bench) -> Iterator[Finding]:
    """A server that falls silent is noticed in time, and the connection given up."""
    limit, should = bench.limit("silence"), bench.limit("silence_should")
    for c, since, begun, kind in _silences(bench):
        noticed = _gave_up(bench, c, since)
        if noticed is None:
            watched = bench.end - since
            if watched < limit * SECOND and bench.talk.died() is None:
                yield bench.short(f"{kind}: watched for {seconds(watched)} only", begun)
                continue
            yield bench.breach(
                Form.ABSENCE,
                f"{kind}: connection {c.id} was not given up in {seconds(watched)} of silence{bench.exit_text()}",
                f"a silent server is noticed within {limit:g} s",
                begun,
                [bench.time("silence to giving up", watched, limit)],
                clause=kind,
            )
            continue
        took = noticed[0] - since
        measured = bench.time("silence to giving up", took, limit)
        yield bench.against(
            measured,
            observed=f"{kind}: given up {seconds(took)} after the server's last word",
            expected=f"a silent server is noticed within {limit:g} s",
            evidence=[*begun, noticed[1]],
            clause=kind,
        )
        if should + measured.error < measured.value <= limit:
            yield bench.warn(
                Form.TIME,
                f"{kind}: given up {seconds(took)} after the server's last word",
                f"noticed within {should:g} s",
                [*begun, noticed[1]],
                [bench.time("silence to giving up", took, should)],
                clause=kind,
            )


@check("HBT-060")
def check_recovers_after_missed(bench: Bench) -> Iterator[Finding]:
    """After missed heartbeats, whichever side missed them, the client is back: authorized, synced if it was, and
    beating.
    """
    talk = bench.talk
    missed: list[tuple[Connection, int, int, str]] = []
    for c, since, begun, kind in _silences(bench):
        noticed = _gave_up(bench, c, since)
        if noticed is None:
            yield bench.blocked("HBT-050", f"{kind}: the silence was never noticed", begun)
        else:
            missed.append((c, noticed[0], noticed[1], kind))
    for _, number, rule in talk.rules:
        if rule.name == RuleName.IDLE_CLOSE and rule.conn in talk.connections:
            c = talk.connections[rule.conn]
            if c.loss is not None:
                missed.append((c, c.loss.t, number, "closed for idleness"))
    limit = page_limit(bench)
    for c, since, number, kind in missed:
        back = [
            x
            for x in talk.authorized
            if x is not c and x.authorized and x.authorized.t > since and (x.syncs or not c.syncs)
        ]
        if not back:
            watched = bench.end - since
            if watched < bench.micros("window_recovery") and talk.died() is None:
                yield bench.short(f"{kind}: watched for {seconds(watched)} only", [number])
                continue
            yield bench.breach(
                Form.ABSENCE,
                f"{kind}: not back after {seconds(watched)}{bench.exit_text()}",
                "a new socket, authorized" + (" and synced" if c.syncs else ""),
                [number],
                clause=kind,
            )
            continue
        new = back[0]
        assert new.authorized is not None
        beat = next(((t, n) for t, n in new.beats if t >= new.authorized.t), None)
        waited = (beat[0] if beat else new.last_seen(bench.end)) - new.authorized.t
        if beat is None and waited < limit * SECOND:
            yield bench.short(f"{kind}: the new socket was watched for {seconds(waited)} only", [number])
        else:
            yield bench.against(
                bench.time("first heartbeat on the new socket", waited, limit),
                observed=f"{kind}: back after {seconds(new.authorized.t - since)}, "
                + (f"beating {seconds(waited)} later" if beat else f"without a heartbeat in {seconds(waited)}"),
                expected="back, and beating again",
                evidence=[number, new.authorized.record, *([beat[1]] if beat else [])],
                clause=kind,
                form=Form.TIME if beat else Form.ABSENCE,
            )
