"""How soon a client authorizes and asks, and how long it is seen to stay: LOG-030, LOG-035 and LOG-060."""

from __future__ import annotations

import pytest
from talks import S, Talk, alone, authorize, healthy, sync


def logs_in(before: float, after: float, *, syncs: bool = True) -> Talk:
    """`o` at 1 s; authorize so long after it, the first request so long after the answer."""
    talk = alone(60)
    authorize(talk, 1 + before, s=200)
    if syncs:
        sync(talk, 1.01 + before + after, d={})
    else:
        talk.client(round((1.01 + before + after) * S), 1, "order/list\n1\n\n")
    return talk


@pytest.mark.parametrize(
    ("before", "after", "authenticates", "asks"),
    [
        (1.9, 4.9, "pass", "pass"),
        (0.1, 3, "pass", "pass"),  # it paces its requests
        (2.1, 0.1, "fail", "pass"),
        (0.1, 5.1, "pass", "warning"),
    ],
)
def test_the_login_and_the_first_request_have_limits_of_their_own(
    before: float, after: float, authenticates: str, asks: str
) -> None:
    talk = logs_in(before, after)
    assert (talk.verdict("LOG-030"), talk.verdict("LOG-035")) == (authenticates, asks)


def test_only_a_socket_that_syncs_owes_a_first_request_soon() -> None:
    assert logs_in(0.1, 20, syncs=False).verdict("LOG-035") != "warning"
    talk = alone(60)
    authorize(talk, 1.1, s=200)
    authorize(talk, 1.2, ident=7)
    sync(talk, 8, d={})
    assert talk.verdict("LOG-035") == "warning", "an authorize is no request of what it is for"


def test_the_span_of_a_stable_connection_is_its_evidence() -> None:
    talk = alone(100)
    authorize(talk, 2, s=200)
    healthy(talk, 99)
    records = talk.trace().records
    (found,) = (f for f in talk.findings() if f.requirement == "LOG-060")
    assert found.verdict == "pass" and found.observed == "stable for 97.990 s after authentication"
    assert [records[number - 1].t for number in found.evidence] == [2_010_000, 98_500_000]
