"""Slow ways, and clients that never ask for a connection: CON-050."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import S, Talk, authorize, healthy, opened, sync
from ways_back import ended


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
