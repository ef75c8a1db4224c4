"""A server that falls silent, and the way back after missed heartbeats (S2 §2, TP §1.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment, Noted, first_from, records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.beating import page_limit
from brokercert.judge.tradovate.model.conversation import SECOND, Connection
from brokercert.judge.tradovate.model.recovery import recovered
from brokercert.judge.tradovate.model.waiting import Wait, first_sign, given_up
from brokercert.trace import records as r
from brokercert.trace.names import FaultName, RuleName
from brokercert.verdict import Finding, Form


class Silence(NamedTuple):
    """A server silent on a working socket since its last word; `begun` are the records of that and of the fault."""

    c: Connection
    since: int
    begun: list[int]
    kind: str


class Missed(NamedTuple):
    """A socket that ended at `since` for missed heartbeats, as the records `begun` show."""

    c: Connection
    since: int
    begun: list[int]
    kind: str


def _silences(bench: Bench) -> Iterator[Silence]:
    for fault in bench.talk.faults:
        if fault.what.name.startswith(FaultName.SILENT):
            yield from (_silence(c, fault) for c in bench.talk.authorized if _silenced_by(c, fault))


def _silenced_by(c: Connection, fault: Noted[r.Fault]) -> bool:
    return fault.what.conn in (0, c.id) and c.silent is not None and c.silent.record == fault.record


def _silence(c: Connection, fault: Noted[r.Fault]) -> Silence:
    spoken = [sent for sent in c.sent if sent.t <= fault.t][-1:]
    since = spoken[0].t if spoken else fault.t
    return Silence(c, since, [*(sent.record for sent in spoken), fault.record], fault.what.name)


def _which(bench: Bench, c: Connection) -> str:
    """Which socket it is. Of equal ones that fell silent together nobody can say whose place a new one took."""
    lane, within = bench.lanes.lane(c), bench.micros("one_loss")
    equal = [x for x in bench.talk.authorized if x.fell_silent_with(c, within) and bench.lanes.lane(x) == lane]
    return f"connection {c.id}" if lane is None or len(equal) < 2 else f"one of {len(equal)} equal sockets"


def _own_end(c: Connection, since: int) -> list[Moment]:
    """The client's own end of a silent socket."""
    gone = c.given_up()
    return [Moment(gone.t, gone.record)] if gone is not None and gone.t > since else []


@check("HBT-050")
def check_silence_noticed(bench: Bench) -> Iterator[Finding]:
    """A server that falls silent is noticed in time, and the connection given up."""
    for c, since, begun, kind in _silences(bench):
        wait = Wait(
            since=since,
            begun=begun,
            limit="silence",
            should="silence_should",
            measured="silence to giving up",
            short=f"{kind}: watched for {{}} only",
            waits=f"{kind}: {_which(bench, c)} was not given up in {{}} of silence",
            ended=f"{kind}: given up {{}} after the server's last word",
            expected="a silent server is noticed within {}",
            wished="noticed within {}",
            clause=kind,
        )
        yield from given_up(bench, wait, c, _own_end(c, since))


@check("HBT-060")
def check_recovers_after_missed(bench: Bench) -> Iterator[Finding]:
    """After missed heartbeats, whichever side missed them, the client is back: authorized, and beating."""
    missed: list[Missed] = []
    for silence in _silences(bench):
        noticed = first_sign(bench, silence.c, _own_end(silence.c, silence.since), silence.since)
        if noticed is None:
            yield bench.blocked("HBT-050", f"{silence.kind}: the silence was never noticed", silence.begun)
        else:
            missed.append(Missed(silence.c, noticed.t, [noticed.record], silence.kind))
    for one in (*missed, *_closed_for_idleness(bench)):
        back = _back_in_place(bench, one)
        yield _not_back(bench, one) if back is None else _beats_again(bench, one, back)


def _closed_for_idleness(bench: Bench) -> Iterator[Missed]:
    """The broker's own end of a socket that it heard no heartbeat on."""
    for _, number, rule in bench.talk.rules:
        c = bench.talk.connections.get(rule.conn)
        if rule.name == RuleName.IDLE_CLOSE and c is not None and c.loss is not None:
            yield Missed(c, c.loss.t, sorted({number, c.loss.record}), "closed for idleness")


def _back_in_place(bench: Bench, one: Missed) -> Connection | None:
    """The socket that was authorized in its place. Another lane's way back is not its own."""
    if bench.lanes.lane(one.c) is None:
        return recovered(bench.talk, one.c, one.since)
    heirs = ((x, x.authorized) for x in bench.lanes.heirs(one.c))
    return next((x for x, a in heirs if a is not None and a.t > one.since), None)


def _not_back(bench: Bench, one: Missed) -> Finding:
    watch = bench.owed(one.since, bench.micros("window_recovery"))
    doubtful = bench.lanes.doubtful(one.c, one.since)
    if doubtful:
        said = f"{one.kind}: whether connection {doubtful[0].id} took its place has not shown in {watch}"
        return bench.short(said, [*one.begun, doubtful[0].accepted_record], one.kind)
    return watch.missing(
        f"{one.kind}: not back after {watch}",
        "a new socket, authorized",
        one.begun,
        clause=one.kind,
        short=f"{one.kind}: watched for {watch} only",
    )


def _beats_again(bench: Bench, one: Missed, new: Connection) -> Finding:
    """The first heartbeat on the new socket, and how long it took after the authorize answer."""
    limit, answer = page_limit(bench), new.authorized
    assert answer is not None
    beat = first_from(new.beats, answer.t)
    waited = (beat.t if beat else new.last_seen(bench.seen)) - answer.t
    if beat is None and waited < limit * SECOND:
        said = f"{one.kind}: the new socket was watched for {seconds(waited)} only"
        return bench.short(said, [*one.begun, answer.record])
    beats = f"beating {seconds(waited)} later" if beat else f"without a heartbeat in {seconds(waited)}"
    return bench.against(
        bench.time("first heartbeat on the new socket", waited, limit),
        observed=f"{one.kind}: back after {seconds(answer.t - one.since)}, {beats}",
        expected="back, and beating again",
        evidence=[*one.begun, *records_of(answer, beat)],
        clause=one.kind,
        form=Form.TIME if beat else Form.ABSENCE,
    )
