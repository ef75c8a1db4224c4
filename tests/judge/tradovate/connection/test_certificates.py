"""Bad TLS: CON-030."""

from __future__ import annotations

from typing import Any

from brokercert.trace import records as r
from talks import OLD, S, Talk, opened
from ways_back import back, ended, logged_in


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
    assert bad_tls(control=False) in ("not observed", "blocked"), "it never logged in under the good one"
