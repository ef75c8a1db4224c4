"""429 on the upgrade: who dies of it did not survive it, and who stays away is as right as who tries again."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from brokercert.trace.names import WindowName
from talks import S, Talk
from traces import upgrade
from ways_back import ended, logged_in


def too_many(until: float = 100) -> Talk:
    """From 10 s on every upgrade is answered with 429; the client asks once, at 12 s."""
    talk = logged_in(until + 20)
    ended(talk, 10)
    talk.told += upgrade(12 * S, 2, status=429)
    talk.told.append(r.Window(t=round(until * S), name=WindowName.LOCKED_OUT.value, since=10 * S))
    return talk


def test_staying_away_and_being_asked_to_stop_are_right() -> None:
    assert too_many().verdict("CON-045") == "pass"
    assert too_many(30).verdict("CON-045") == "not observed"
    talk = too_many()
    talk.stop(20 * S)
    talk.exit(21 * S, 0, asked=True)
    assert talk.verdict("CON-045") == "not observed"


@pytest.mark.parametrize(("at", "code"), [(12.07, 1), (12.07, 0), (14, 3), (14, -11)])
def test_who_dies_of_it_did_not_survive_it(at: float, code: int) -> None:
    talk = too_many()
    talk.exit(round(at * S), code)
    found = next(f for f in talk.findings() if f.requirement == "CON-045")
    assert found.verdict == "fail" and found.observed.startswith("the client did not survive 429 on the upgrade")


def test_who_left_for_a_refused_login_is_not_blamed_for_429() -> None:
    talk = too_many()
    talk.told += upgrade(15 * S, 3, status=401)
    talk.exit(16 * S)
    assert talk.verdict("CON-045") == "pass"
