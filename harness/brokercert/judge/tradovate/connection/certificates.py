"""Bad TLS: what may not leave over it, and what follows (S2 Error handling)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.connection.outages import recovery
from brokercert.judge.tradovate.model.conversation import CREDENTIAL
from brokercert.trace.names import FaultName, RuleName
from brokercert.verdict import Finding, Form

BAD = ("untrusted", "wrong-host", "expired", "cut")


@check("CON-030")
def check_bad_tls(bench: Bench) -> Iterator[Finding]:
    """Over a connection with a bad certificate no credential is sent; after a cut handshake the client recovers, after
    a bad certificate it recovers or leaves on its own. Judged where it had logged in under the good one before.
    """
    talk = bench.talk
    changes = [
        (fault.t, number, fault.name.removeprefix(FaultName.TLS))
        for _, number, fault in talk.faults
        if fault.name.startswith(FaultName.TLS)
    ]
    for place, (start, number, kind) in enumerate(changes):
        if kind not in BAD:
            continue
        good = next((change for change in changes[place + 1 :] if change[2] == "good"), None)
        end = good[0] if good else bench.end
        if not any(c.authorized and c.authorized.t <= start for c in talk.authorized):
            continue  # no positive control: a client that never logged in shows nothing here
        met = [n for _, n, rule in talk.rules if n > number and rule.name == RuleName.TLS_HELLO and rule.detail == kind]
        leaked = _leaked(bench, min(met, default=None), end)
        if leaked is not None:
            yield bench.breach(
                Form.CONTENT,
                f"{kind}: {leaked[0]} was sent over a connection with a bad certificate",
                "no credential over a connection whose certificate is bad",
                [number, leaked[1]],
                clause=kind,
            )
            continue
        if not met and not talk.left_by(end):
            yield bench.short(f"{kind}: no handshake met it in {seconds(end - start)}", [number], kind)
            continue
        if talk.died() is not None and kind != "cut":
            yield bench.ok(
                Form.RESTRAINT,
                f"{kind}: nothing was sent, and the client left on its own",
                [number, *met[:1]],
                clause=kind,
            )
        elif good is not None:
            yield recovery(bench, good[0], good[1], f"TLS {kind}")


def _leaked(bench: Bench, hello: int | None, end: int) -> tuple[str, int] | None:
    """What was sent that opens an account, on connections made between that record and that time, and its record.

    `hello` is the first handshake that was shown the bad certificate: one that began under the good one may be done
    only after the change.
    """
    talk = bench.talk
    if hello is None:
        return None
    made = {c.id for c in talk.connections.values() if c.accepted_record > hello and c.accepted < end}
    for c in talk.connections.values():
        if c.id in made:
            for request in c.requests:
                found = CREDENTIAL.search(request.text)
                if found:
                    return found.group(), request.record
    for call in talk.asides.rest:
        if call.conn in made and (call.bearer or call.endpoint == "auth/accesstokenrequest"):
            return call.bearer or "a login", call.record
    return None
