"""Connection errors: servers that are not there, and ways that are slow (S2 Error handling)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.events.subscribing import logical_syncs
from brokercert.judge.tradovate.model.conversation import SECOND, Connection
from brokercert.judge.tradovate.reconnection.coming_back import back_off
from brokercert.trace.names import FaultName, RuleName, WindowName
from brokercert.verdict import Finding, Form

OUTAGES: dict[str, str] = {  # what ends an outage -> what it was
    FaultName.PORT_OPEN: "the port was closed",
    FaultName.UPGRADES_ANSWERED: "upgrades were not answered with success",
    FaultName.NAME_RESOLVES: "the name did not resolve",
}


def healed(bench: Bench, *names: FaultName) -> list[tuple[int, int, str]]:
    """(t, record, name) of every fault that took an outage away."""
    return [(fault.t, number, fault.name) for _, number, fault in bench.talk.faults if fault.name in names]


def recovery(bench: Bench, since: int, number: int, what: str) -> Finding:
    """Whether a socket was authorized (and synced, if any had been before) within 75 s of the end of an outage."""
    limit = bench.limit("window_recovery")
    synced_before = any(c.syncs and c.syncs[0].t < since for c in bench.talk.connections.values())
    for c in bench.talk.authorized:
        if c.authorized and c.authorized.record > number and c.authorized.t >= since and (c.syncs or not synced_before):
            return bench.against(
                bench.time("end of the outage to authorized", c.authorized.t - since, limit),
                observed=f"{what}: back {seconds(c.authorized.t - since)} after that had ended",
                expected=f"back within {limit:g} s",
                evidence=[number, c.authorized.record],
                clause=what,
            )
    watched = bench.end - since
    if watched < limit * SECOND and bench.talk.died() is None:
        return bench.short(f"{what}: watched for {seconds(watched)} after that had ended only", [number], what)
    return bench.breach(
        Form.ABSENCE,
        f"{what}: not back {seconds(watched)} after that had ended{bench.exit_text()}",
        f"authorized again within {limit:g} s",
        [number],
        clause=what,
    )


@check("CON-010")
def check_network_timeout(bench: Bench) -> Iterator[Finding]:
    """An upgrade that is never answered is given up within 30 s and tried again; a connect that is never answered is
    followed by a recovery within 75 s of accepting again.
    """
    talk = bench.talk
    limit, should = bench.limit("give_up"), bench.limit("give_up_should")
    for _, number, rule in talk.rules:
        if rule.name != RuleName.UPGRADE_UNANSWERED or rule.conn not in talk.connections:
            continue
        c = talk.connections[rule.conn]
        since = c.head[0] if c.head else rule.t
        left = _left(bench, c, since)
        if left is None:
            watched = bench.end - since
            if watched < limit * SECOND and talk.died() is None:
                yield bench.short(f"the unanswered upgrade was watched for {seconds(watched)} only", [number])
                continue
            yield bench.breach(
                Form.ABSENCE,
                f"the client still waited for the answer to its upgrade after {seconds(watched)}{bench.exit_text()}",
                f"given up within {limit:g} s",
                [number],
                [bench.time("wait for the upgrade", watched, limit)],
            )
            continue
        took = bench.time("wait for the upgrade", left[0] - since, limit)
        yield bench.against(
            took,
            observed=f"an unanswered upgrade was given up after {seconds(left[0] - since)}",
            expected=f"given up within {limit:g} s",
            evidence=[number, left[1]],
        )
        if should + took.error < took.value <= limit:
            yield bench.warn(
                Form.TIME,
                f"an unanswered upgrade was given up after {seconds(left[0] - since)}",
                f"given up within {should:g} s",
                [number, left[1]],
                [bench.time("wait for the upgrade", left[0] - since, should)],
            )
        yield recovery(bench, left[0], number, "an upgrade was never answered")
    if any(fault.name == FaultName.PORT_UNANSWERED for _, _, fault in talk.faults):
        for t, number, _ in healed(bench, FaultName.PORT_OPEN):
            yield recovery(bench, t, number, "connects were never answered")


def _left(bench: Bench, c: Connection, since: int) -> tuple[int, int] | None:
    """When a socket was given up: its own end, or another one in its place."""
    ends = [(t, n) for t, n, by, _ in c.ended if by == "client"]
    ends += [(x.accepted, x.accepted_record) for x in bench.talk.connections.values() if x.head and x.accepted > since]
    return min(ends, default=None)


@check("CON-040")
def check_unavailable(bench: Bench) -> Iterator[Finding]:
    """After a time of refused connections, of HTTP 503, or of connections closed as soon as they are accepted, the
    client is back within 75 s; while it lasts, attempts stay inside the limits.
    """
    yield from back_off(bench, WindowName.UNAVAILABLE)
    for t, number, name in healed(bench, FaultName.PORT_OPEN, FaultName.UPGRADES_ANSWERED):
        yield recovery(bench, t, number, OUTAGES[name])


@check("CON-020")
def check_dns_failure(bench: Bench) -> Iterator[Finding]:
    """While its name does not resolve the client lives on, and it is back within 75 s of the name's resolving."""
    if not any(rule.name.startswith(RuleName.DNS) for _, _, rule in bench.talk.rules):
        return  # it never asked our resolver: who demands a connection says so
    for t, number, name in healed(bench, FaultName.NAME_RESOLVES):
        yield recovery(bench, t, number, OUTAGES[name])


@check("CON-050")
def check_slow_link(bench: Bench) -> Iterator[Finding]:
    """On a slow way the client logs in once, syncs once and ends no connection, for 20 s at least."""
    talk = bench.talk
    slow = [(fault.t, number, fault.name) for _, number, fault in talk.faults if fault.name.startswith(FaultName.TOXIC)]
    if not slow or not any(c.head for c in talk.connections.values()):
        return  # that it never asked for a connection is no doing of the way: who demands one says so
    since, record, name = slow[0]
    what = name.removeprefix(FaultName.TOXIC)
    for c in talk.connections.values():
        gone = c.given_up()
        if c.upgraded and gone is not None and gone.t > since:
            yield bench.breach(
                Form.ENDING,
                f"{what}: the client ended connection {c.id} ({gone.how}){bench.exit_text()}",
                "a slow way changes nothing but time",
                [record, gone.record],
                clause=what,
            )
            return
        twice = len(c.authorizes) > 1 or len(logical_syncs(c)) > 1
        if twice:
            yield bench.breach(
                Form.AGAIN,
                f"{what}: a request was sent twice on connection {c.id}",
                "a slow way changes nothing but time",
                [record, *(q.record for q in c.requests[:3])],
                clause=what,
            )
            return
    done = [c for c in talk.authorized if c.authorized and c.synced]
    if not done:
        window = bench.limit("window_first_authorize") + bench.limit("window_first_sync")
        watched = bench.end - since
        if watched < window * SECOND and talk.died() is None:
            yield bench.short(f"{what}: watched for {seconds(watched)} only", [record])
        else:
            yield bench.breach(
                Form.ABSENCE,
                f"{what}: not synced in {seconds(watched)}{bench.exit_text()}",
                "a slow way changes nothing but time",
                [record],
                clause=what,
            )
        return
    watched = max(c.last_seen(bench.end) - c.synced.t for c in done if c.synced)
    if watched < bench.micros("window_default"):
        yield bench.short(f"{what}: watched for {seconds(watched)} after the sync only", [record])
    else:
        yield bench.ok(
            Form.RESTRAINT, f"{what}: logged in and synced once, and stayed for {seconds(watched)}", [record]
        )
