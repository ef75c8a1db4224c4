"""Streams of heartbeats: conversations with one thing changed, and what becomes of the row."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from brokercert.verdict import Finding
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


def quiet_again(watched: float, beats: int = 0) -> Finding:
    """Of a second socket with so many heartbeats, watched for so long."""
    talk = valid(1, 2)
    life = talk.lives[-1]
    talk.ends = life.granted + round(watched * S)

    def unwanted(body: object) -> bool:
        beat = isinstance(body, r.Frame) and body.sender == "client" and body.conn == life.conn and body.text == "[]"
        return beat or getattr(body, "t", 0) > talk.ends

    talk.drop(unwanted)
    for number in range(beats):
        talk.client(life.granted + (number + 1) * S, life.conn, "[]")
    return next(one for one in talk.findings() if one.requirement == "HBT-080")


def test_a_new_socket_without_a_heartbeat_has_no_stream() -> None:
    assert quiet_again(36).verdict == "fail"
    assert "no heartbeat on new connection 2 in 36" in quiet_again(36).observed
    assert quiet_again(31).verdict == "not observed", "the page allows 33 s"


@pytest.mark.parametrize(("beats", "watched", "verdict"), [(3, 21, "pass"), (1, 36, "not observed")])
def test_what_shows_one_stream_is_said_with_what_there_was(beats: int, watched: float, verdict: str) -> None:
    finding = quiet_again(watched, beats=beats)
    assert finding.verdict == verdict
    assert verdict == "pass" or f"connection 2 had {beats} in 36" in finding.observed
