"""What comes on the new sockets after a loss: conversations with one thing changed, and what becomes of the row."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import S, Talk, authorize, opened
from ways_back import back, ended, logged_in


@pytest.mark.parametrize(
    ("first", "verdict"),
    [("authorize", "pass"), ("account/list", "fail"), (None, "fail")],
)
def test_a_new_socket_is_authorized_first(first: str | None, verdict: str) -> None:
    talk = logged_in()
    ended(talk, 10)
    opened(talk, 12 * S, 2)
    if first and first != "authorize":
        talk.client(13 * S, 2, f"{first}\n5\n\n")
    if first:
        authorize(talk, 14, conn=2, s=200)
    assert talk.verdict("REC-020") == verdict


def test_a_new_socket_is_given_half_a_minute_to_authorize() -> None:
    talk = logged_in(until=35)
    ended(talk, 10)
    opened(talk, 12 * S, 2)
    assert talk.verdict("REC-020") == "not observed"


@pytest.mark.parametrize(
    ("lanes", "again", "verdict"), [(2, 2, "pass"), (2, 1, "fail"), (1, 0, "fail"), (3, 2, "fail")]
)
def test_every_lane_syncs_again(lanes: int, again: int, verdict: str) -> None:
    talk = Talk(ends=120 * S, told=[r.SubjectStarted(t=0)])
    for conn in range(1, lanes + 1):
        back(talk, 1 + conn / 10, conn)
        ended(talk, 20, conn)
    for conn in range(1, max(1, again) + 1):
        back(talk, 22 + conn / 10, 10 + conn, synced=conn <= again)
    assert talk.verdict("REC-030") == verdict
