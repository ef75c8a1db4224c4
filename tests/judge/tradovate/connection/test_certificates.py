"""Bad TLS: CON-030."""

from __future__ import annotations

from typing import Any

from brokercert.trace import records as r
from talks import OLD, S, Talk, opened
from ways_back import back, ended, logged_in, started_again


def test_a_handshake_that_began_under_the_good_certificate_may_be_done_after_the_change() -> None:
    """The harness was told of the connection late: the certificate that it was shown is what counts."""
    talk = logged_in()
    opened(talk, 21 * S, 2)
    talk.told.append(r.Fault(t=20 * S, requested=20 * S, name="tls-untrusted"))
    talk.client(22 * S, 2, f"authorize\n1\n\n{OLD}")
    talk.told.append(r.RuleApplied(t=25 * S, name="tls-hello", detail="untrusted"))
    assert talk.verdict("CON-030") != "fail"


HEAD = {"method": "GET", "headers": (("authorization", f"Bearer {OLD}"),), "upgrade": False}


def bad_tls(
    kind: str = "untrusted", *, met: bool = True, sent: str = "", died: bool = False, returns: float | None = 5,
    control: bool = True,
) -> str:  # fmt: skip
    """Logged in under a good certificate; from 20 s to 60 s it is a bad one."""
    talk = logged_in() if control else Talk(ends=200 * S, told=[r.SubjectStarted(t=0)])
    talk.told.append(r.Fault(t=20 * S, requested=20 * S, name=f"tls-{kind}"))
    if control:
        ended(talk, 20)
    if met:
        talk.told.append(r.RuleApplied(t=25 * S, name="tls-hello", detail=kind))
    if sent == "socket":
        opened(talk, 30 * S, 2)
        talk.client(31 * S, 2, f"authorize\n1\n\n{OLD}")
    elif sent:
        target = f"/v1/{sent}"
        head: Any = HEAD | ({"headers": ()} if sent.startswith("auth") else {})
        talk.told += [
            r.Accepted(t=30 * S, conn=2),
            r.Head(t=30 * S, conn=2, target=target, **head),
            r.RestRequest(t=30 * S, conn=2, ordinal=1, method="GET", target=target),
        ]
    if died:
        talk.told.append(r.SubjectExited(t=40 * S, code=1, asked=False))
    talk.told.append(r.Fault(t=60 * S, requested=60 * S, name="tls-good"))
    if returns is not None:
        back(talk, 60 + returns, 9)
    return talk.verdict("CON-030")


def test_no_credential_goes_over_a_bad_certificate_and_a_recovery_follows() -> None:
    assert bad_tls() == bad_tls("cut") == "pass"
    for sent in ("socket", "account/list", "auth/accessTokenRequest"):
        assert bad_tls(sent=sent) == "fail"
    assert bad_tls(returns=None) == bad_tls("cut", returns=None) == "fail"
    assert bad_tls(died=True, returns=None) == "pass", "it may leave for a bad certificate ..."
    assert bad_tls("cut", died=True, returns=None) == "fail", "... and not for a handshake that was cut"
    assert bad_tls(met=False) == "not observed"
    assert bad_tls(control=False) == "pass", "the bad one stood there at the start; afterwards it logged in"
    assert bad_tls(control=False, returns=None) == "not observed", "it never logged in under the good one"


def at_the_start(
    *,
    met: bool = True,
    sent: bool = False,
    leaves: bool = False,
    control: bool = True,
    back_from_close: bool | None = None,
) -> str:
    """A bad certificate from before the start to 20 s; then the good one, and at 100 s a second start."""
    talk = Talk(ends=140 * S, told=[r.Fault(t=0, requested=0, name="tls-expired"), r.SubjectStarted(t=0)])
    if met:
        talk.told.append(r.RuleApplied(t=2 * S, name="tls-hello", detail="expired"))
    if sent:
        opened(talk, 3 * S, 1)
        talk.client(4 * S, 1, f"authorize\n1\n\n{OLD}")
    if leaves:
        talk.told.append(r.SubjectExited(t=5 * S, code=1, asked=False))
    talk.told.append(r.Fault(t=20 * S, requested=20 * S, name="tls-good"))
    if control:
        started_again(talk, 100, 7, closed=None if back_from_close is None else 1, returns=bool(back_from_close))
    return talk.verdict("CON-030")


def test_a_bad_certificate_at_the_start_shows_what_a_client_does_that_never_reconnects() -> None:
    assert at_the_start(leaves=True) == "pass"
    assert at_the_start(sent=True) == "fail", "whatever it does otherwise"
    assert at_the_start(sent=True, control=False) == "fail"
    assert at_the_start() == "fail", "it neither came back nor left"
    assert at_the_start(back_from_close=True) == "fail", "and comes back otherwise"
    assert at_the_start(back_from_close=False) == "pass", "it sent nothing, and comes back from no close"
    assert at_the_start(leaves=True, control=False) == "not observed", "it may not log in under any certificate"
    assert at_the_start(met=False, leaves=True) == "not observed", "it left, and not for a certificate"


def test_each_time_of_a_bad_certificate_is_judged_by_its_own_handshakes() -> None:
    talk = logged_in(until=400)
    for at, met in ((20, False), (150, True)):
        talk.fault(at * S, "tls-expired")
        ended(talk, at, 1 if at == 20 else 5)
        if met:
            talk.told.append(r.RuleApplied(t=(at + 2) * S, name="tls-hello", detail="expired"))
        talk.fault((at + 12) * S, "tls-good")
        back(talk, at + 15, 5 if at == 20 else 6)
    found = [str(f.verdict) for f in talk.findings(offers=("wire", "tls")) if f.requirement == "CON-030"]
    assert found == ["not observed", "pass"]


def test_what_stood_in_its_way_at_the_start_is_no_failure_to_connect() -> None:
    def connecting(*faults: str) -> set[str]:
        talk = Talk(ends=100 * S, told=[r.Fault(t=0, requested=0, name=name) for name in faults])
        talk.told.append(r.SubjectStarted(t=0))
        return {str(f.verdict) for f in talk.findings(exercises=("LOG-010",)) if f.requirement == "LOG-010"}

    assert connecting() == connecting("tls-good") == connecting("name-resolves") == {"fail"}
    for barred in ("tls-expired", "tls-untrusted", "tls-wrong-host", "tls-cut", "name-nxdomain", "name-servfail"):
        assert "fail" not in connecting(barred), barred
