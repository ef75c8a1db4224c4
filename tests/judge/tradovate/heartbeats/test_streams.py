"""Streams of heartbeats: conversations with one thing changed, and what becomes of the row."""

from __future__ import annotations

import pytest
from talks import S, alone, authorize, valid


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
