"""Streams, lock-outs, shutdowns and syncs: conversations with one thing changed, and what becomes of the row."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import TYPES, S, Talk, alone, attempts, authorize, opened, sync, valid


@pytest.mark.parametrize(("count", "verdict"), [(21, "pass"), (22, "warning")])
def test_more_than_twenty_one_heartbeats_in_twenty_seconds_are_a_flood(count: int, verdict: str) -> None:
    talk = alone(60)
    authorize(talk, 2, s=200)
    for number in range(count):
        talk.client(round((10 + number * 0.9) * S), 1, "[]")
    assert talk.verdict("HBT-070") == verdict


def test_every_way_back_is_looked_at_for_a_second_stream() -> None:
    talk = valid(1, 3)
    assert talk.verdict("HBT-080") == "pass"
    life = talk.lives[-1]
    for at in range(life.granted + 100_000, life.end, 5 * S // 2):
        talk.client(at, life.conn, "[]")
    assert talk.verdict("HBT-080") == "fail"


def locked_out(until: float = 120) -> Talk:
    """A request of 10 s is answered with 429."""
    talk = alone(until)
    authorize(talk, 2, s=200)
    talk.client(10 * S, 1, "account/list\n1\n\n")
    talk.broker(10 * S, 1, {"s": 429, "i": 1})
    return talk


def call(talk: Talk, at: float) -> None:
    """A REST request, on a connection of its own."""
    t = round(at * S)
    talk.told += [
        r.Accepted(t=t, conn=50),
        r.Head(t=t, conn=50, method="GET", target="/v1/account/list", headers=(), upgrade=False),
        r.RestRequest(t=t, conn=50, ordinal=1, method="GET", target="/v1/account/list"),
    ]


@pytest.mark.parametrize(("after", "verdict"), [(0.2, "pass"), (5, "fail"), (50, "fail"), (70, "pass")])
def test_no_request_of_any_kind_follows_a_lock_out_for_a_minute(after: float, verdict: str) -> None:
    talk = locked_out()
    talk.client(round((10 + after) * S), 1, "order/list\n2\n\n")
    assert talk.verdict("RLP-070") == verdict
    talk = locked_out()
    call(talk, 10 + after)
    assert talk.verdict("RLP-070") == verdict


@pytest.mark.parametrize(
    ("count", "every", "verdict"), [(8, 0.6, "pass"), (9, 0.6, "fail"), (24, 2.4, "pass"), (25, 2.4, "fail")]
)
def test_attempts_after_a_shutdown_are_limited(count: int, every: float, verdict: str) -> None:
    talk = alone(120)
    authorize(talk, 2, s=200)
    talk.broker(10 * S, 1, {"e": "shutdown", "d": {"reasonCode": "Maintenance"}})
    talk.told.append(r.Ended(t=10 * S, conn=1, by="broker", how="fin"))
    attempts(talk, 11 * S, count, every)
    assert talk.verdict("EVT-140") == verdict


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


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ({"entityTypes": ["order"]}, "pass"),
        ({"entityTypes": ["orders", "Fill"]}, "pass"),
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


def shard(divisor: object, remainder: object, kind: object = "modAccountId") -> dict[str, object]:
    return {"divisor": divisor, "remainder": remainder, "expressionType": kind}


@pytest.mark.parametrize(
    ("bodies", "verdict"),
    [
        ([{"shardingExpression": shard(2, 0)}, {"shardingExpression": shard(2, 1)}], "pass"),
        ([{"shardingExpression": shard(2, 0)}, {"shardingExpression": shard(2, 0)}], "fail"),
        (
            [
                {"shardingExpression": shard(2, 0)},
                {"shardingExpression": shard(2, 0)},
                {"shardingExpression": shard(2, 1)},
            ],
            "fail",
        ),
        ([{"shardingExpression": shard(2, 0)}], "fail"),
        ([{"shardingExpression": shard(2, 0)}, {"shardingExpression": shard(3, 1)}], "fail"),
        (
            [
                {"shardingExpression": shard(2, 0)},
                {"shardingExpression": shard(2, 1)},
                {"shardingExpression": shard(3, 2)},
            ],
            "fail",
        ),
        ([{"shardingExpression": shard(2, 0)}, {"shardingExpression": shard(2, 1, "modUserId")}], "fail"),
        ([{"shardingExpression": shard(1, 0)}, {"shardingExpression": shard(1, 1)}], "fail"),
        ([{"shardingExpression": shard(1, 0, "other")}], "fail"),
        ([{"shardingExpression": shard(1, 0)}, {}], "fail"),
        ([{"shardingExpression": shard(1, 0), "accounts": [1]}], "fail"),
    ],
)
def test_shards_are_each_remainder_once(bodies: list[dict[str, object]], verdict: str) -> None:
    talk = Talk(ends=60 * S, told=[r.SubjectStarted(t=0)])
    for conn, body in enumerate(bodies, 1):
        opened(talk, conn * S, conn)
        authorize(talk, conn + 0.5, conn=conn, s=200)
        sync(talk, conn + 0.7, conn=conn, ident=1, body={"entityTypes": TYPES, **body}, d={})
    assert talk.verdict("EVT-100") == verdict
