"""The way back after a fault in a phase of a connection's life."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import S, Talk, authorize, opened, sync
from ways_back import ended, logged_in


def back_from_a_fault(first: str = "authorize", syncs: int = 1) -> Talk:
    """Lost at 10 s by the fault of a cell, back at 12 s, its first request `first`."""
    talk = logged_in()
    ended(talk, 10)
    opened(talk, 12 * S, 2)
    if first != "authorize":
        talk.client(13 * S, 2, f"{first}\n5\n\n")
    authorize(talk, 14, conn=2, s=200)
    for number in range(syncs):
        sync(talk, 16 + number, conn=2, ident=6 + number, d={})
    talk.told.append(r.Window(t=100 * S, name="cell: fin, steady", since=10 * S))
    return talk


@pytest.mark.parametrize(
    ("first", "syncs", "verdict"),
    [("authorize", 1, "pass"), ("account/list", 1, "fail"), ("authorize", 2, "fail"), ("authorize", 0, "fail")],
)
def test_after_a_fault_in_a_phase_a_client_authorizes_first_and_syncs_once(
    first: str, syncs: int, verdict: str
) -> None:
    assert back_from_a_fault(first, syncs).verdict("REC-110") == verdict
