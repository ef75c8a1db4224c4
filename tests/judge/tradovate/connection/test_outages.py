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
