"""Shards: what sync requests make a correct division, and what do not."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import TYPES, S, Talk, authorize, opened, sync


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
