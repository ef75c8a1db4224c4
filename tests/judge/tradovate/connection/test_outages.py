"""Servers that are away or do not answer, and the way back: CON-010 and CON-040."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import S, Talk
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
    assert healed(fault, 30, synced=False).verdict("CON-040") == "pass", "that it syncs again is another row's question"
    assert healed(fault, None, until=100).verdict("CON-040") == "not observed"


@pytest.mark.parametrize("fault", ["port-open", "upgrades-answered"])
def test_a_socket_of_another_kind_is_no_way_back(fault: str) -> None:
    """A market-data socket comes back, and the one for events does not."""
    talk = healed(fault, None)
    back(talk, 50, synced=False, token="«md-access-token#1»")
    assert talk.verdict("CON-040") == "fail"
    back(talk, 60, 3)
    assert talk.verdict("CON-040") == "pass"


def test_an_idle_socket_beside_it_is_no_way_back_either() -> None:
    """It has the same token, and never asks for events."""
    talk = logged_in(200)
    back(talk, 4, 2, synced=False)
    ended(talk, 10)
    ended(talk, 10, 2)
    talk.told.append(r.Fault(t=40 * S, requested=40 * S, name="port-open"))
    back(talk, 50, 3, synced=False)
    assert talk.verdict("CON-040") == "fail"


@pytest.mark.parametrize(
    ("asked", "dies", "verdict"),
    [(True, False, "pass"), (True, True, "fail"), (False, False, "not observed"), (False, True, "not observed")],
)
def test_a_name_server_that_is_never_asked_is_told(asked: bool, dies: bool, verdict: str) -> None:
    talk = Talk(ends=200 * S, told=[r.Fault(t=0, requested=0, name="name-nxdomain"), r.SubjectStarted(t=0)])
    if asked:
        talk.told.append(r.RuleApplied(t=2 * S, name="dns-nxdomain", conn=0, detail="broker.example"))
    if dies:
        talk.told.append(r.SubjectExited(t=5 * S, code=1, asked=False))
    talk.told.append(r.Fault(t=12 * S, requested=12 * S, name="name-resolves"))
    if asked and not dies:
        back(talk, 20, 1)
    found = {str(f.verdict): f.observed for f in talk.findings(offers=("wire", "dns")) if f.requirement == "CON-020"}
    assert set(found) == {verdict}
    assert asked or "never asked it" in found[verdict]
    assert not [f for f in talk.findings(offers=("wire", "dns")) if f.requirement == "LOG-010" and f.verdict == "fail"]


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
