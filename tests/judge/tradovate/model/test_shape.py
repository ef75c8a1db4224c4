"""A client's healthy shape as a start shows it, and as two starts do."""

from __future__ import annotations

from typing import Any

from brokercert.judge.shapes import is_clear, merged, told
from brokercert.trace import Shape, trace_of
from brokercert.trace import records as r
from talks import JUDGING, S, Talk, authorize, opened, sync
from traces import header

MD = "«md-access-token#2»"


def start(*sockets: tuple[float, str, Any], bare: int = 0, until: float = 10) -> Talk:
    """A start with these sockets: when each opened (seconds), its token, and the body of its sync request, if any."""
    talk = Talk(ends=round(until * S))
    talk.told.append(r.SubjectStarted(t=0))
    for number, (at, token, body) in enumerate(sockets, 1):
        opened(talk, round(at * S), number)
        authorize(talk, at + 0.1, conn=number, token=token, s=200)
        if body is not None:
            sync(talk, at + 0.2, conn=number, body=body, d={})
    for number in range(bare):
        conn, t = 50 + number, round(0.2 * S)
        talk.told.append(r.Accepted(t=t, conn=conn))
        talk.end(t + 1000, conn, "client")
    return talk


def shape(talk: Talk) -> Shape:
    records = talk.trace().records
    found = JUDGING.shape_of(JUDGING.folded(trace_of(header("tradovate-stage2"), records)))
    assert found is not None
    return found


TOKEN = "«access-token#1»"


def test_one_socket_is_one_lane_and_clear() -> None:
    one = shape(start((1, TOKEN, {})))
    (lane,) = one.lanes
    assert (lane.endpoint, lane.credential, lane.count, lane.places, lane.opened) == (
        "/v1/websocket", "access-token", 1, (1,), (0,)
    )  # fmt: skip
    assert lane.sync and one.start_up == S and one.steady and is_clear(one)
    assert told(one) == (
        "In a start with nothing wrong the client opens 1 socket: 1 that authorizes with access-token and syncs."
    )


def test_equal_sockets_are_one_lane_with_a_count_and_others_are_lanes_of_their_own() -> None:
    found = shape(start((1, TOKEN, {}), (1.7, TOKEN, {}), (2.4, "«md-token#7»", None), (5, TOKEN, {"users": [1]})))
    assert [(x.credential, x.count, x.places, x.opened) for x in found.lanes] == [
        ("access-token", 2, (1, 2), (0, 700_000)),
        ("md-token", 1, (3,), (1_400_000,)),
        ("access-token", 1, (4,), (4_000_000,)),
    ]
    assert found.sockets == 4 and not is_clear(found)


def test_a_probe_is_no_socket_and_makes_a_start_unclear() -> None:
    found = shape(start((1, TOKEN, {}), bare=2))
    assert (found.sockets, found.bare) == (1, 2) and not is_clear(found)
    assert "It also makes 2 connections that asked for nothing." in told(found)


def test_what_only_one_of_two_starts_opened_counts_and_is_said() -> None:
    one = shape(start((1, TOKEN, {})))
    two = shape(start((1, TOKEN, {}), (2, TOKEN, {}), (2, "«md-token#3»", None), bare=1))
    both = merged(one, two)
    assert [(x.credential, x.count) for x in both.lanes] == [("access-token", 2), ("md-token", 1)]
    assert both.bare == 1 and both.starts == 2 and not both.steady
    assert both.changes == (
        "one start opened 1 and another 2 of: authorizes with access-token and syncs",
        "one start opened 0 and another 1 of: authorizes with md-token and does not sync",
        "only one of two starts made connections that asked for nothing",
    )
    assert merged(one, one).steady and "Its starts differ" in told(both)


def test_a_sync_body_that_is_made_anew_for_each_start_makes_no_second_lane() -> None:
    one, two = (shape(start((1, TOKEN, {"entityTypes": [kind]}))) for kind in ("order", "fill"))
    both = merged(one, two)
    assert both.sockets == 1 and len(both.lanes) == 1 and not both.steady


def test_a_start_without_an_answered_upgrade_has_no_shape() -> None:
    talk = Talk(ends=S)
    talk.told.append(r.SubjectStarted(t=0))
    assert JUDGING.shape_of(JUDGING.folded(talk.trace())) is None


def test_order_and_spacing_of_what_opens_at_once_is_no_change() -> None:
    a, b = (0.0, TOKEN, {}), (0.1, "«md-token#3»", None)
    one = shape(start((1 + a[0], *a[1:]), (1 + b[0], *b[1:])))
    two = shape(start((1 + a[0], b[1], b[2]), (1 + b[0], a[1], a[2])))
    assert merged(one, two).steady
