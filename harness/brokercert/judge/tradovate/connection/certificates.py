"""Bad TLS: what may not leave over it, and what follows (S2 Error handling)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from brokercert.judge.check import Ending
from brokercert.judge.moments import Moment
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.connection.outages import recovery
from brokercert.judge.tradovate.model.conversation import CREDENTIAL
from brokercert.judge.tradovate.model.recovery import Control, control_of
from brokercert.trace.names import FaultName, RuleName
from brokercert.verdict import Finding, Form

BAD = ("untrusted", "wrong-host", "expired", "cut")


class Bad(NamedTuple):
    """A time of bad TLS, from `start` on; `good` is when the good certificate was back, `met` the handshakes in it."""

    start: int
    record: int
    kind: str
    end: int
    good: Moment | None
    met: list[int]


class Leaked(NamedTuple):
    """What was sent that opens an account, and in which record."""

    what: str
    record: int


@check("CON-030")
def check_bad_tls(bench: Bench) -> Iterator[Finding]:
    """Over a connection with a bad certificate no credential is sent; after a cut handshake the client recovers, after
    a bad certificate it recovers or leaves on its own. Judged where it logged in under the good one, before it or after
    it, or in another start.
    """
    for bad in _times_of_bad_tls(bench):
        yield from _judged(bench, bad)


def _logged_in(bench: Bench, bad: Bad) -> bool:
    """The positive control: a client that never logs in under the good certificate shows nothing under a bad one."""
    granted = [answer.t for talk in bench.talk.starts for _, answer in talk.granted]
    return any(t <= bad.start or t >= bad.end for t in granted)


def _times_of_bad_tls(bench: Bench) -> Iterator[Bad]:
    changes = _changes(bench)
    for place, (start, record, kind) in enumerate(changes):
        if kind in BAD:
            good = next((Moment(t, number) for t, number, other in changes[place + 1 :] if other == "good"), None)
            end = good or Moment(bench.end, bench.talk.count + 1)
            yield Bad(start, record, kind, end.t, good, _met(bench, record, end.record, kind))


def _changes(bench: Bench) -> list[tuple[int, int, str]]:
    """The kinds of certificate that there were: since when, by which record."""
    return [
        (t, record, fault.name.removeprefix(FaultName.TLS))
        for t, record, fault in bench.talk.faults
        if fault.name.startswith(FaultName.TLS)
    ]


def _met(bench: Bench, since: int, until: int, kind: str) -> list[int]:
    """The records of the handshakes that were shown a certificate of that kind, between these records."""
    return [
        rule.record
        for rule in bench.talk.rules
        if since < rule.record < until and rule.what.name == RuleName.TLS_HELLO and rule.what.detail == kind
    ]


def _judged(bench: Bench, bad: Bad) -> Iterator[Finding]:
    kind = bad.kind
    leaked = _leaked(bench, min(bad.met, default=None), bad.end)
    if leaked is not None:
        yield bench.breach(
            Form.CONTENT,
            f"{kind}: {leaked.what} was sent over a connection with a bad certificate",
            "no credential over a connection whose certificate is bad",
            [bad.record, leaked.record],
            clause=kind,
        )
    elif not bad.met:
        watch = bench.barred(bad.start, bad.end - bad.start, bad.end)
        yield watch.cut(f"{kind}: no handshake met it in {watch}", [bad.record], kind)
    elif not _logged_in(bench, bad):
        yield bench.short(f"{kind}: the client never logged in under the good certificate either", [bad.record], kind)
    elif (left := _left_for_it(bench, bad)) is not None and kind != "cut":
        said = f"{kind}: nothing was sent, and the client left on its own"
        yield bench.ok(Form.RESTRAINT, said, [bad.record, *bad.met[:1], left.record], clause=kind)
    elif kind != "cut" and (control := _comes_back_from_nothing(bench, bad)) is not None:
        said = f"{kind}: nothing was sent, and the client did not come back, as it does not after a plain close"
        yield bench.ok(Form.RESTRAINT, said, [bad.record, bad.met[0], *control.evidence], clause=kind)
    elif bad.good is not None:
        yield recovery(bench, bad.good.t, bad.good.record, f"TLS {kind}")


def _left_for_it(bench: Bench, bad: Bad) -> Ending | None:
    """The client's own end after it had met the bad certificate, and before it connected again under a good one."""
    death = bench.death()
    if death is None or death.record < bad.met[0]:
        return None
    again = (c.accepted for c in bench.talk.connections.values())
    return None if any(bad.end <= t < death.t for t in again) else death


def _comes_back_from_nothing(bench: Bench, bad: Bad) -> Control | None:
    """What shows that this client comes back from no end of a connection: what it does after one is asked elsewhere."""
    back = any(answer.t >= bad.end for _, answer in bench.talk.granted)
    watch = bench.owed(bad.end, bench.micros("window_recovery"))
    control = control_of(bench, bad.start)
    return None if back or watch.short or control is None or control.back else control


def _leaked(bench: Bench, hello: int | None, end: int) -> Leaked | None:
    """The first credential on connections that were made after the record `hello` and before `end`.

    `hello` is the first handshake that was shown the bad certificate: one that began under the good one may be done
    only after the change.
    """
    if hello is None:
        return None
    made = {c.id for c in bench.talk.connections.values() if c.accepted_record > hello and c.accepted < end}
    return next(chain(_sent_on(bench, made), _called_on(bench, made)), None)


def _sent_on(bench: Bench, made: set[int]) -> Iterator[Leaked]:
    """Credentials in requests on these sockets."""
    for c in bench.talk.connections.values():
        for request in c.requests if c.id in made else ():
            found = CREDENTIAL.search(request.text)
            if found:
                yield Leaked(found.group(), request.record)


def _called_on(bench: Bench, made: set[int]) -> Iterator[Leaked]:
    """Credentials in REST requests on these connections."""
    for call in bench.talk.asides.rest:
        if call.conn in made and (call.bearer or call.endpoint == "auth/accesstokenrequest"):
            yield Leaked(call.bearer or "a login", call.record)
