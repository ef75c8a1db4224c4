"""Silent servers, and the way back after missed heartbeats: HBT-050 and HBT-060."""

from __future__ import annotations

import pytest
from beating import logged_in
from brokercert.trace import records as r
from talks import S, Talk, authorize, opened


@pytest.mark.parametrize(
    ("after", "verdict"),
    [(10, "pass"), (15.4, "pass"), (15.6, "warning"), (30, "warning"), (60.4, "warning"), (61, "fail"), (None, "fail")],
)
def test_a_silent_server_is_noticed_in_a_quarter_of_a_minute_by_a_minute_at_the_latest(
    after: float | None, verdict: str
) -> None:
    talk = logged_in(120)
    talk.frame(10 * S, 1, "h")
    talk.told.append(r.Fault(t=10 * S, requested=10 * S, name="silent-dead", conn=1))
    if after is not None:
        talk.told.append(r.Ended(t=round((10 + after) * S), conn=1, by="client", how="fin"))
    assert talk.verdict("HBT-050") == verdict


def idle(back: float | None, *, beats: bool = True, until: float = 140) -> str:
    """A socket is closed for idleness at 10 s; the next is authorized at `back`."""
    talk = Talk(ends=round(until * S))
    talk.told.append(r.SubjectStarted(t=0))
    opened(talk, S, 1)
    authorize(talk, 2, s=200)
    talk.told.append(r.RuleApplied(t=10 * S, name="idle-close", conn=1))
    talk.told.append(r.Ended(t=10 * S, conn=1, by="broker", how="fin"))
    if back is not None:
        opened(talk, round((back - 1) * S), 2)
        authorize(talk, back, conn=2, s=200)
        if beats:
            talk.client(round((back + 5) * S), 2, "[]")
    return talk.verdict("HBT-060")


def test_after_missed_heartbeats_a_client_is_back_when_it_beats() -> None:
    assert idle(15) == "pass"
    assert idle(15, beats=False) == "fail"
    assert idle(130, beats=False) == "not observed"
    assert idle(None) == "fail"
    assert idle(None, until=60) == "not observed", "75 s are what it may take"
