"""After an answer of 429: what is a breach of the lock-out, and what is none."""

from __future__ import annotations

from typing import Any

import pytest
from brokercert.trace import records as r
from talks import S, Talk, alone, authorize, opened
from ways_back import back, ended


def locked_out(until: float = 120) -> Talk:
    """A request of 10 s is answered with 429."""
    talk = alone(until)
    authorize(talk, 2, s=200)
    talk.client(10 * S, 1, "account/list\n1\n\n")
    talk.broker(10 * S, 1, {"s": 429, "i": 1})
    return talk


def call(talk: Talk, at: float, endpoint: str = "account/list") -> None:
    """A REST request, on a connection of its own."""
    t = round(at * S)
    talk.told += [
        r.Accepted(t=t, conn=50),
        r.Head(t=t, conn=50, method="GET", target=f"/v1/{endpoint}", headers=(), upgrade=False),
        r.RestRequest(t=t, conn=50, ordinal=1, method="GET", target=f"/v1/{endpoint}"),
    ]


@pytest.mark.parametrize(("after", "verdict"), [(5, "fail"), (61, "fail"), (3599, "fail"), (3601, "pass")])
def test_no_request_of_any_kind_follows_a_lock_out_for_an_hour_however_short_it_was_watched(
    after: float, verdict: str
) -> None:
    talk = locked_out(max(120, after + 20))
    talk.client(round((10 + after) * S), 1, "order/list\n2\n\n")
    assert talk.verdict("RLP-070") == verdict
    talk = locked_out(max(120, after + 20))
    call(talk, 10 + after)
    assert talk.verdict("RLP-070") == verdict


@pytest.mark.parametrize(("after", "verdict"), [(None, "pass"), (5, "fail")])
def test_a_429_to_a_retry_begins_a_lock_out_too(after: float | None, verdict: str) -> None:
    talk = alone(120)
    authorize(talk, 2, s=200)
    talk.client(10 * S, 1, "account/list\n1\n\n")
    talk.broker(10 * S, 1, {"s": 200, "i": 1, "d": {"p-ticket": "«p-ticket#1»", "p-time": 3}})
    talk.client(14 * S, 1, 'account/list\n2\n\n{"p-ticket": "«p-ticket#1»"}')
    talk.broker(14 * S, 1, {"s": 429, "i": 2})
    if after is not None:
        talk.client(round((14 + after) * S), 1, "order/list\n3\n\n")
    assert talk.verdict("RLP-070") == verdict


@pytest.mark.parametrize(("under_way", "verdict"), [(False, "fail"), (True, "pass")])
@pytest.mark.parametrize("after", [0.001, 0.2])
def test_only_of_a_client_that_does_not_wait_for_its_answers_something_may_cross_the_429(
    after: float, under_way: bool, verdict: str
) -> None:
    talk = alone(120)
    authorize(talk, 2, s=200)
    talk.client(10 * S, 1, "account/list\n1\n\n")
    if under_way:
        talk.client(round(10.1 * S), 1, "order/list\n2\n\n")
    talk.broker(round(10.2 * S), 1, {"s": 429, "i": 1})
    talk.client(round((10.2 + after) * S), 1, "order/list\n3\n\n")
    assert talk.verdict("RLP-070") == verdict


@pytest.mark.parametrize(("after", "verdict"), [(0.4, "pass"), (0.6, "fail")])
def test_across_sockets_and_over_rest_half_a_second_proves_nothing(after: float, verdict: str) -> None:
    talk = locked_out()
    call(talk, 10 + after)
    assert talk.verdict("RLP-070") == verdict
    talk = locked_out()
    opened(talk, 5 * S, 2)
    authorize(talk, 6, conn=2, s=200)
    talk.client(round((10 + after) * S), 2, "order/list\n2\n\n")
    assert talk.verdict("RLP-070") == verdict


def test_one_that_dies_of_the_429_is_not_praised_for_its_silence() -> None:
    talk = locked_out(30)
    talk.exit(round(10.6 * S))
    found = next(f for f in talk.findings() if f.requirement == "RLP-070")
    assert found.verdict == "not observed" and "exited with status 1 at 10.600 s" in found.observed


@pytest.mark.parametrize(
    ("by", "synced", "verdict"),
    [("broker", True, "fail"), ("client", True, "fail"), ("broker", False, "warning"), ("client", False, "fail")],
)
def test_a_loss_ends_no_lock_out_and_the_way_back_from_it_is_only_better_left(
    by: Any, synced: bool, verdict: str
) -> None:
    talk = locked_out()
    ended(talk, 20, by=by)
    assert talk.verdict("RLP-070") == "pass", "staying away is right"
    back(talk, 21, synced=synced)
    assert talk.verdict("RLP-070") == verdict


@pytest.mark.parametrize(("after", "verdict"), [(5, "fail"), (15, "warning")])
def test_a_token_may_be_called_for_on_the_way_back_from_a_loss(after: float, verdict: str) -> None:
    talk = locked_out()
    ended(talk, 20)
    call(talk, 10 + after, "auth/renewaccesstoken")
    assert talk.verdict("RLP-070") == verdict
    call(talk, 11 + after, "account/list")
    assert talk.verdict("RLP-070") == "fail"


def test_a_socket_that_stands_before_the_loss_is_no_way_back() -> None:
    talk = locked_out()
    opened(talk, 15 * S, 2)
    ended(talk, 20)
    authorize(talk, 21, conn=2, s=200)
    assert talk.verdict("RLP-070") == "fail"


@pytest.mark.parametrize(
    ("again", "verdict"), [(None, "pass"), (3, "warning"), (60, "warning"), (3599, "warning"), (3605, "pass")]
)
def test_authorize_begins_a_lock_out_too(again: float | None, verdict: str) -> None:
    """A new socket alone is no request."""
    talk = alone(3700)
    authorize(talk, 2, s=429)
    ended(talk, 3, by="client")
    opened(talk, 4 * S, 2)
    if again is not None:
        authorize(talk, 2.01 + again, conn=2, s=200)
    assert talk.verdict("RLP-070") == verdict


def test_a_lock_out_of_authorize_hides_no_graver_one() -> None:
    talk = locked_out()
    opened(talk, 4 * S, 2)
    authorize(talk, 5, conn=2, s=429)
    talk.client(40 * S, 1, "order/list\n2\n\n")
    assert talk.verdict("RLP-070") == "fail"
