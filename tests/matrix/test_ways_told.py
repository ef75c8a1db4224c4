"""Outages, bad TLS and what is told: conversations with one thing changed, and what becomes of the row."""

from __future__ import annotations

from typing import Any

import pytest
from brokercert.trace import records as r
from talks import OLD, S, Talk, alone, authorize, healthy, opened, sync
from ways_back import back, ended, logged_in


def healed(fault: str, at: float | None, *, synced: bool = True, until: float = 200) -> Talk:
    """Away from 10 s, healed at 40 s by that fault; back so long after that."""
    talk = logged_in(until)
    ended(talk, 10)
    talk.told.append(r.Fault(t=40 * S, requested=40 * S, name=fault))
    if at is not None:
        back(talk, 39 + at, synced=synced)
    return talk


@pytest.mark.parametrize("fault", ["port-open", "upgrades-answered"])
def test_after_a_server_was_away_a_client_is_back_in_time(fault: str) -> None:
    assert healed(fault, 30).verdict("CON-040") == "pass"
    assert healed(fault, 80).verdict("CON-040") == "fail"
    assert healed(fault, None).verdict("CON-040") == "fail"
    assert healed(fault, 30, synced=False).verdict("CON-040") == "fail", "it had synced before"
    assert healed(fault, None, until=100).verdict("CON-040") == "not observed"


def unanswered(gone: float | None, *, again: float | None = 1, until: float = 200) -> set[str]:
    """The second upgrade is never answered, from 20 s on."""
    talk = logged_in(until)
    ended(talk, 10)
    t = 20 * S
    talk.told += [
        r.Accepted(t=t, conn=2),
        r.Head(t=t, conn=2, method="GET", target="/v1/websocket", headers=(), upgrade=True),
        r.RuleApplied(t=t, name="upgrade-unanswered", conn=2),
    ]
    if gone is not None:
        ended(talk, 20 + gone, 2, "client")
        if again is not None:
            back(talk, 20 + gone + again, 3)
    offers = ("wire", "tokens")
    return {str(f.verdict) for f in talk.findings(offers=offers) if f.requirement == "CON-010"}


def test_an_upgrade_that_is_never_answered_is_given_up_and_tried_again() -> None:
    assert unanswered(9) == {"pass"}
    assert unanswered(20) == {"pass", "warning"}, "30 s are the most, 10 s are right"
    assert "fail" in unanswered(35)
    assert unanswered(None) == {"fail"}
    assert "fail" in unanswered(9, again=None)
    assert unanswered(None, until=40) == {"not observed"}


def slow(*, authorizes: int = 1, syncs: int = 1, leaves: float | None = None, until: float = 200) -> str:
    talk = Talk(ends=round(until * S), told=[r.SubjectStarted(t=0)])
    talk.told.append(r.Fault(t=0, requested=0, name="toxic-bandwidth"))
    opened(talk, S, 1)
    for number in range(authorizes):
        authorize(talk, 2 + number / 10, ident=number, s=200)
    for number in range(syncs):
        sync(talk, 3 + number / 10, ident=10 + number, d={})
    if leaves is not None:
        healthy(talk, leaves)
        ended(talk, leaves, by="client")
    return talk.verdict("CON-050")


def test_a_slow_way_changes_nothing_but_time() -> None:
    assert slow() == "pass"
    for wrong in (slow(authorizes=2), slow(syncs=2), slow(leaves=30), slow(syncs=0)):
        assert wrong == "warning"
    assert slow(syncs=0, until=50) == "not observed"


@pytest.mark.parametrize("leaves", [None, 0.5])
def test_a_client_that_never_asks_for_a_connection_fails_one_row_and_no_other(leaves: float | None) -> None:
    """It cannot be asked what a slow way, or an upgrade without an answer, changes."""
    talk = Talk(ends=200 * S if leaves is None else 2 * S, told=[r.SubjectStarted(t=0)])
    talk.told.append(r.Fault(t=0, requested=0, name="toxic-bandwidth"))
    if leaves is not None:
        talk.told.append(r.SubjectExited(t=round(leaves * S), code=3, asked=False))
    said = talk.findings(exclusive=False, exercises=("CON-010", "CON-050"))
    assert {(f.requirement, str(f.verdict), f.blocked_by) for f in said} == {
        ("LOG-010", "fail", ""),
        ("CON-010", "blocked", "LOG-010"),
        ("CON-050", "blocked", "LOG-010"),
    }


def test_a_client_that_dies_while_it_logs_in_on_a_slow_way_is_warned_of() -> None:
    talk = Talk(ends=20 * S, told=[r.SubjectStarted(t=0), r.Fault(t=0, requested=0, name="toxic-bandwidth")])
    opened(talk, S, 1)
    talk.told.append(r.SubjectExited(t=3 * S, code=1, asked=False))
    assert talk.verdict("CON-050") == "warning"


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


@pytest.mark.parametrize(
    ("told_at", "until", "verdict"),
    [(3, 120, "pass"), (50, 120, "pass"), (1, 120, "fail"), (None, 120, "fail"), (None, 30, "not observed")],
)
def test_the_user_is_told_of_a_refusal_after_it_came(told_at: float | None, until: float, verdict: str) -> None:
    talk = alone(until)
    authorize(talk, 2, s=401)
    if told_at is not None:
        talk.told.append(r.SubjectReport(t=round(told_at * S), event="error", body={"event": "error", "text": "no"}))
    assert talk.verdict("LOG-045") == verdict


def stopped(code: int | str | None, at: float = 41, *, until: float = 120, again: bool = False) -> str:
    """Asked to stop at 40 s; the close frame at `at`, "fin" for none."""
    talk = logged_in(until)
    healthy(talk, at)
    talk.told.append(r.StopAsked(t=40 * S, how="signal", judged=True))
    if not isinstance(code, str):
        frame = r.Frame(t=round(at * S), conn=1, sender="client", ordinal=0, opcode=8, text="", code=code)
        talk.told.append(frame)
    if code != "stays":
        ended(talk, at, by="client")
    if again:
        back(talk, 50)
    return talk.verdict("OFF-010")


def test_log_off_is_a_close_frame_that_says_good_bye() -> None:
    assert stopped(1000) == stopped(1001) == stopped(None) == "pass"
    for wrong in (
        stopped(1002),
        stopped(1011),
        stopped(4000),
        stopped("fin"),
        stopped("stays"),
        stopped(1000, again=True),
    ):
        assert wrong == "fail"
    assert stopped("stays", until=50) == "not observed"
