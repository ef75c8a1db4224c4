"""Sync requests: conversations with one thing changed, and what becomes of the row that it is about."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import S, alone, authorize, opened, sync


@pytest.mark.parametrize(
    ("first", "second", "verdict"), [(None, None, "fail"), ("«p-ticket#1»", None, "fail"), (None, "x", "pass")]
)
def test_a_sync_request_is_the_same_only_where_it_brings_back_a_ticket(
    first: str | None, second: str | None, verdict: str
) -> None:
    """A first one may carry a ticket of another socket; what follows it without one is a second."""
    talk = alone(60)
    authorize(talk, 2, s=200)
    ticket = "«p-ticket#2»" if second else None
    sync(talk, 3, ident=1, ticket=first, d={"p-ticket": ticket, "p-time": 1} if ticket else {})
    sync(talk, 5, ident=2, ticket=ticket, d={})
    assert talk.verdict("EVT-010") == verdict


def test_sync_comes_after_authorize() -> None:
    def ordered(at: float) -> str:
        talk = alone(60)
        authorize(talk, 3, s=200)
        sync(talk, at, ident=1, d={})
        return talk.verdict("EVT-020")

    assert ordered(4) == "pass"
    assert ordered(2) == "fail"


def test_a_sync_after_a_200_that_is_no_success_is_another_rows_matter() -> None:
    """LOG-100 is a recommendation, and speaks of it."""
    talk = alone(60)
    authorize(talk, 3, s=200, d={"errorText": "no"})
    sync(talk, 4, ident=1, d={})
    assert talk.verdict("EVT-020") != "fail" and talk.verdict("LOG-100") == "warning"


def test_one_success_on_the_socket_is_enough() -> None:
    talk = alone(60)
    authorize(talk, 3, s=200)
    authorize(talk, 4, ident=5, s=401)
    sync(talk, 5, ident=1, d={})
    assert talk.verdict("EVT-020") == "pass"


def test_no_sync_at_all_is_a_breach_once_it_was_awaited() -> None:
    talk = alone(40)
    authorize(talk, 3, s=200)
    assert talk.verdict("EVT-020") == "fail"
    talk.ends = 20_000_000
    assert talk.verdict("EVT-020") == "not observed"


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ({"entityTypes": ["order"]}, "pass"),
        ({"entityTypes": ["orders", "fill"]}, "warning"),
        ({"entityTypes": ["order", "Fill"]}, "warning"),
        ({"entityTypes": ["accountRiskStatus", "spreadDefinition"]}, "pass"),
        ({}, "fail"),
        ({"entityTypes": []}, "fail"),
        ({"entityTypes": "order"}, "fail"),
        ({"entityTypes": ["order", 7]}, "fail"),
        ({"entityTypes": ["order", ""]}, "fail"),
        ({"entityTypes": ["order"], "users": [1]}, "fail"),
        ({"entityTypes": ["order"], "accounts": [1]}, "pass"),
        ({"entityTypes": ["order"], "accounts": [1], "shardingExpression": {}}, "fail"),
        ({"entityTypes": ["order"], "users": [1], "shardingExpression": {}}, "fail"),
        ({"entityTypes": ["order", "ordre"]}, "warning"),
        ({"entityTypes": ["order"], "splitResponses": False}, "warning"),
    ],
)
def test_what_a_sync_request_may_ask_for(body: dict[str, object], verdict: str) -> None:
    talk = alone(60)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, body=body, d={})
    assert talk.verdict("EVT-030") == verdict


@pytest.mark.parametrize(
    ("declared", "before", "after", "verdict"),
    [
        (("order", "fill"), ["order", "fill"], ["order", "fill"], "pass"),
        (("order", "fill"), ["order"], ["order", "fill"], "fail"),
        (("order", "fill"), ["order", "fill"], ["fill"], "fail"),
        ((), ["order"], ["order"], "not observed"),
    ],
)
def test_all_that_it_relies_on_is_subscribed_before_and_after_a_loss(
    declared: tuple[str, ...], before: list[str], after: list[str], verdict: str
) -> None:
    talk = alone(60)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, body={"entityTypes": before}, d={})
    talk.told.append(r.Ended(t=20 * S, conn=1, by="broker", how="fin"))
    opened(talk, 22 * S, 2)
    authorize(talk, 23, conn=2, s=200)
    sync(talk, 24, conn=2, ident=1, body={"entityTypes": after}, d={})
    assert talk.verdict("EVT-040", entity_types=declared) == verdict
