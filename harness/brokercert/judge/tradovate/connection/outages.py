"""Servers that are not there, and the way back to them (S2 Error handling)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment, Noted, records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.back_off import back_off
from brokercert.judge.tradovate.model.conversation import Answer, Connection
from brokercert.judge.tradovate.model.recovery import replaces_one_of_before
from brokercert.judge.tradovate.model.waiting import Wait, first_sign, given_up
from brokercert.trace import records as r
from brokercert.trace.names import FaultName, RuleName, WindowName
from brokercert.verdict import Finding

OUTAGES: dict[str, str] = {  # what ends an outage -> what it was
    FaultName.PORT_OPEN: "the port was closed",
    FaultName.UPGRADES_ANSWERED: "upgrades were not answered with success",
    FaultName.NAME_RESOLVES: "the name did not resolve",
}


def is_name_failure(fault: r.Fault) -> bool:
    """Whether it makes the name server fail."""
    return fault.name.startswith(FaultName.NAME) and fault.name != FaultName.NAME_RESOLVES


def healed(bench: Bench, *names: FaultName) -> list[Noted[r.Fault]]:
    """Every fault of these names: those that took an outage away."""
    return [fault for fault in bench.talk.faults if fault.what.name in names]


def recovery(
    bench: Bench, since: int, number: int, what: str, of: Connection | None = None, left: int | None = None
) -> Finding:
    """Whether a socket was authorized within 75 s of the end of an outage: one in place of `of`, where the outage was
    that socket's; else one in place of a socket that worked before it. That it syncs again is what REC-030 asks.
    `number` is the record that began it; `left` the one at `since`, where that is another.
    """
    ended = [number] if left is None else [number, left]
    limit = bench.limit("window_recovery")
    back = _back(bench, since, number, of)
    if back is not None:
        took = back.t - since
        return bench.against(
            bench.time("end of the outage to authorized", took, limit),
            observed=f"{what}: back {seconds(took)} after that had ended",
            expected=f"authorized again within {limit:g} s",
            evidence=[*ended, back.record],
            clause=what,
        )
    watch = bench.owed(since, bench.micros("window_recovery"))
    return watch.missing(
        f"{what}: not back {watch} after that had ended",
        f"authorized again within {limit:g} s",
        ended,
        clause=what,
        short=f"{what}: watched for {watch} after that had ended only",
    )


def _back(bench: Bench, since: int, number: int, of: Connection | None) -> Answer | None:
    """The first answer after that time and record that authorized a socket."""
    heirs = None if of is None else list(bench.lanes.heirs(of))
    for c, answer in bench.talk.granted:
        later = answer.record > number and answer.t >= since
        if later and (replaces_one_of_before(bench.talk, c, since) if heirs is None else c in heirs):
            return answer
    return None


@check("CON-010")
def check_network_timeout(bench: Bench) -> Iterator[Finding]:
    """An upgrade that is never answered is given up within 30 s and tried again; a connect that is never answered is
    followed by a recovery within 75 s of accepting again.
    """
    talk = bench.talk
    for rule in talk.rules:
        c = talk.connections.get(rule.what.conn)
        if rule.what.name == RuleName.UPGRADE_UNANSWERED and c is not None:
            yield from _unanswered_upgrade(bench, c, rule)
    if any(fault.what.name == FaultName.PORT_UNANSWERED for fault in talk.faults):
        for fault in healed(bench, FaultName.PORT_OPEN):
            yield recovery(bench, fault.t, fault.record, "connects were never answered")


def _unanswered_upgrade(bench: Bench, c: Connection, rule: Noted[r.RuleApplied]) -> Iterator[Finding]:
    wait = Wait(
        since=c.head.t if c.head else rule.t,
        begun=records_of(c.head, rule),
        limit="give_up",
        should="give_up_should",
        measured="wait for the upgrade",
        short="the unanswered upgrade was watched for {} only",
        waits="the client still waited for the answer to its upgrade after {}",
        ended="an unanswered upgrade was given up after {}",
        expected="given up within {}",
        wished="given up within {}",
    )
    ends = [Moment(end.t, end.record) for end in c.ends_by_client()]
    yield from given_up(bench, wait, c, ends)
    left = first_sign(bench, c, ends, wait.since)
    if left is not None:
        yield recovery(bench, left.t, rule.record, "an upgrade was never answered", c, left.record)


@check("CON-020")
def check_dns_failure(bench: Bench) -> Iterator[Finding]:
    """While its name does not resolve the client lives on, and it is back within 75 s of the name's resolving."""
    failing = [fault.record for fault in bench.talk.faults if is_name_failure(fault.what)]
    if any(rule.what.name.startswith(RuleName.DNS) for rule in bench.talk.rules):
        yield from _recoveries(bench, FaultName.NAME_RESOLVES)
    elif failing:
        said = "the client was declared to take the name server of BROKERCERT_DNS (`dns`), and never asked it"
        yield bench.short(said, failing)


@check("CON-040")
def check_unavailable(bench: Bench) -> Iterator[Finding]:
    """After a time of refused connections, of HTTP 503, or of connections closed as soon as they are accepted, the
    client is back within 75 s; while it lasts, attempts stay inside the limits.
    """
    yield from back_off(bench, WindowName.UNAVAILABLE)
    yield from _recoveries(bench, FaultName.PORT_OPEN, FaultName.UPGRADES_ANSWERED)


def _recoveries(bench: Bench, *names: FaultName) -> Iterator[Finding]:
    for fault in healed(bench, *names):
        yield recovery(bench, fault.t, fault.record, OUTAGES[fault.what.name])
