"""What rows say of a client whose healthy shape is known: attempts, giving up and coming back belong to a lane."""

from __future__ import annotations

import pytest
from brokercert.trace import Shape
from brokercert.trace import records as r
from lanes_played import ONE, TWO, USER, beats, lost, quotes, shards, synced_lane, talk_of, user, verdict
from talks import S, Talk, authorize, opened

# Giving up.


def login_unanswered(until: float = 100) -> Talk:
    """A user's socket whose authorize is never answered, and a sound one for quotes a second later."""
    talk = talk_of(until)
    opened(talk, S, 1)
    authorize(talk, 1.01, conn=1, token=USER)
    talk.told.append(r.RuleApplied(t=round(1.01 * S), name="authorize-unanswered", conn=1))
    quotes(talk, 2, 2)
    return talk


def rule_of_unanswered() -> str:
    from brokercert.trace.names import RuleName

    return RuleName.unanswered("authorize")


def test_another_lane_s_socket_is_no_sign_of_giving_up_a_login() -> None:
    talk = login_unanswered()
    talk.told = [
        r.RuleApplied(t=x.t, name=rule_of_unanswered(), conn=1) if isinstance(x, r.RuleApplied) else x
        for x in talk.told
    ]
    assert verdict(talk, "LOG-080", TWO) == "fail"
    assert verdict(talk, "LOG-080", None) == "pass", "without a shape as it was"
    user(talk, 9, 3)
    assert verdict(talk, "LOG-080", TWO) == "pass", "its own sequel is one, be the old one open"


def test_a_socket_of_no_lane_makes_giving_up_no_breach_and_no_pass() -> None:
    talk = login_unanswered()
    talk.told = [
        r.RuleApplied(t=x.t, name=rule_of_unanswered(), conn=1) if isinstance(x, r.RuleApplied) else x
        for x in talk.told
    ]
    opened(talk, 9 * S, 3)
    authorize(talk, 9.1, conn=3, token="«sec#3»", s=200)
    assert verdict(talk, "LOG-080", TWO) == "not observed"


def silent(conns: tuple[int, ...], until: float = 140) -> Talk:
    talk = talk_of(until)
    user(talk, 1, 1)
    quotes(talk, 2, 2)
    beats(talk, 2, 10, 1, 2)
    for conn in conns:
        talk.fault(10 * S, "silent-dead", conn)
    return talk


def test_a_watchdog_of_another_lane_hides_none_that_lacks() -> None:
    talk = silent((1, 2))
    talk.end(22 * S, 2, "client")
    quotes(talk, 23, 3)
    beats(talk, 23, 140, 3)
    assert verdict(talk, "HBT-050", TWO) == "fail" and verdict(talk, "HBT-050", None) == "pass"
    assert verdict(talk, "HBT-060", TWO) == "blocked" and verdict(talk, "HBT-060", None) == "fail"


def test_a_lane_is_back_by_its_own_socket() -> None:
    talk = silent((1,))
    talk.end(20 * S, 1, "client")
    quotes(talk, 21, 3)
    beats(talk, 21, 140, 2, 3)
    assert verdict(talk, "HBT-060", TWO) == "fail"
    user(talk, 22, 4)
    beats(talk, 22, 140, 4)
    assert verdict(talk, "HBT-060", TWO) == "pass"


# The first attempt.


def after_a_loss(back_at: float, until: float = 120) -> Talk:
    """Both sockets are lost at 30 s; the user's is back at that second."""
    talk = talk_of(until)
    user(talk, 1, 1)
    quotes(talk, 2, 2)
    lost(talk, 30, 1, 2)
    user(talk, back_at, 8)
    return talk


def test_another_lane_s_way_back_is_no_attempt() -> None:
    late = after_a_loss(44)
    quotes(late, 31, 7)
    assert verdict(late, "REC-010", TWO) == "fail" and verdict(late, "REC-010", None) == "pass"
    right = after_a_loss(38)
    quotes(right, 31, 7)
    assert verdict(right, "REC-010", TWO) == "pass"


def test_a_lane_that_never_comes_back_is_missed_beside_one_that_does() -> None:
    talk = after_a_loss(31)
    assert verdict(talk, "REC-010", TWO) == "fail", "of quotes nothing came"


def renewal(talk: Talk, at: float, conn: int, status: int = 200) -> None:
    t = round(at * S)
    talk.told += [
        r.Accepted(t=t, conn=conn),
        r.Head(t=t, conn=conn, method="GET", target="/v1/auth/renewaccesstoken", headers=(), upgrade=False),
        r.RestRequest(t=t, conn=conn, ordinal=1, method="GET", target="/v1/auth/renewaccesstoken"),
        r.RestAnswer(t=t + 1000, conn=conn, ordinal=1, status=status, body="{}"),
        r.Ended(t=t + 2000, conn=conn, by="client", how="fin"),
    ]


def one_socket(back_at: float | None) -> Talk:
    talk = talk_of(120)
    user(talk, 1, 1)
    lost(talk, 30, 1)
    if back_at is not None:
        user(talk, back_at, 50)
    return talk


@pytest.mark.parametrize(("renewed", "back_at", "said"), [
    (31, 44, "fail"), (39, 44, "pass"), (38.5, 44, "fail"), (31, 32, "pass"), (31, None, "fail"),
])  # fmt: skip
def test_a_call_about_tokens_is_an_attempt_where_a_connection_follows_it_in_time(
    renewed: float, back_at: float | None, said: str
) -> None:
    talk = one_socket(back_at)
    renewal(talk, renewed, 20)
    assert verdict(talk, "REC-010", ONE) == said


def test_of_many_renewals_the_latest_leads_to_the_connection() -> None:
    talk = one_socket(44)
    for number, at in enumerate((31, 34, 37, 40, 43)):
        renewal(talk, at, 20 + number)
    assert verdict(talk, "REC-010", ONE) == "fail", "the one at 40 s was followed by that at 43 s"


def test_a_client_that_is_given_no_token_can_make_no_connection() -> None:
    talk = one_socket(44)
    renewal(talk, 31, 20, status=503)
    assert verdict(talk, "REC-010", ONE) == "not observed"
    soon = one_socket(38)
    renewal(soon, 31, 20, status=503)
    assert verdict(soon, "REC-010", ONE) == "pass", "it had another token"


def probe(talk: Talk, at: float, conn: int) -> None:
    talk.told.append(r.Accepted(t=round(at * S), conn=conn))
    talk.end(round(at * S) + 1000, conn, "client")


def test_a_bare_connect_is_an_attempt_where_a_healthy_start_makes_none() -> None:
    talk = one_socket(44)
    probe(talk, 33, 20)
    assert verdict(talk, "REC-010", ONE) == "pass"
    assert verdict(talk, "REC-010", Shape(lanes=ONE.lanes, bare=1)) == "fail"


def in_turn(count: int, *back: float) -> Talk:
    """So many shards are lost at once, and come back one after the other."""
    talk = talk_of(140)
    for n in range(count):
        user(talk, 1 + n / 100, n + 1, share=n)
    lost(talk, 30, *range(1, count + 1))
    for n, at in enumerate(back):
        user(talk, at, 20 + n, share=n)
    return talk


def test_shards_may_come_back_in_turn() -> None:
    assert verdict(in_turn(4, 36, 36, 39, 42.5), "REC-010", shards(4)) == "pass", "the last one had its turn"
    assert verdict(in_turn(4, 31, 31, 31, 42.5), "REC-010", shards(4)) == "fail", "nothing was before it"
    assert verdict(in_turn(4, 31, 31, 31), "REC-010", shards(4)) == "fail", "one never came"


def test_a_socket_of_no_lane_may_have_been_the_attempt() -> None:
    talk = one_socket(None)
    opened(talk, 31 * S, 40)
    authorize(talk, 31.1, conn=40, token="«sec#3»", s=200)
    assert verdict(talk, "REC-010", ONE) == "not observed"


def test_a_renewal_after_the_good_bye_is_no_way_back() -> None:
    talk = talk_of(60)
    user(talk, 1, 1)
    talk.stop(30 * S)
    talk.close(30 * S + 1000, 1, "client", 1000)
    talk.end(30 * S + 2000, 1, "client")
    renewal(talk, 32, 20)
    talk.exit(33 * S, 0, asked=True)
    assert verdict(talk, "OFF-010", ONE, ("wire", "stop")) == "pass"


# More sockets than a healthy client has.


def doubled(news: int, *, lasts: float = 40, used: bool = True) -> Talk:
    """One socket is lost at 30 s, and so many equal ones take its place."""
    talk = talk_of(33 + lasts)
    user(talk, 1, 1)
    beats(talk, 2, 30, 1)
    lost(talk, 30, 1)
    for n in range(news):
        user(talk, 32 + n / 10, 10 + n)
        beats(talk, 33, 33 + lasts if used else 33.1, 10 + n)
    return talk


@pytest.mark.parametrize(("talk", "said"), [
    (doubled(1), "pass"), (doubled(2), "fail"), (doubled(3), "fail"), (doubled(2, lasts=3), "not observed"),
])  # fmt: skip
def test_of_equal_sockets_no_more_live_than_in_a_healthy_start(talk: Talk, said: str) -> None:
    assert verdict(talk, "REC-060", ONE) == said


def test_what_a_trace_had_before_anything_was_done_counts_without_a_shape_too() -> None:
    assert verdict(doubled(2), "REC-060", None) == "fail"
    young = talk_of(90)
    user(young, 1, 1)
    lost(young, 3, 1)  # its other sockets might have come a second later
    for conn in (10, 11):
        user(young, 5, conn)
        beats(young, 6, 90, conn)
    assert verdict(young, "REC-060", None) == "pass"


def test_as_many_as_a_healthy_start_has_are_none_too_many() -> None:
    assert verdict(doubled(3), "REC-060", Shape(lanes=(synced_lane(count=3),))) == "pass"
    assert verdict(doubled(4), "REC-060", Shape(lanes=(synced_lane(count=3),))) == "fail"
    assert verdict(in_turn(3, 31, 31, 31), "REC-060", shards(3)) == "pass", "shares that differ are no two of one"


def test_a_socket_whose_broker_fell_silent_or_that_is_left_unused_is_none_of_them() -> None:
    talk = talk_of(90)
    user(talk, 1, 1)
    beats(talk, 2, 30, 1)
    talk.fault(30 * S, "silent-dead", 1)
    user(talk, 45, 10)
    beats(talk, 45, 90, 10)
    talk.client(50 * S, 1, "[]")
    assert verdict(talk, "REC-060", ONE) != "fail"
    left = talk_of(90)
    user(left, 1, 1)
    beats(left, 2, 30, 1)
    user(left, 32, 10)  # it leaves a socket that stands, and uses it no more
    beats(left, 32, 90, 10)
    assert verdict(left, "REC-060", ONE) != "fail"


def processed(talk: Talk, at: float, ident: int, times: int) -> None:
    for n in range(times):
        talk.report(round(at * S) + n, "processed", entityType="order", id=ident, eventType="Created")


def event(talk: Talk, at: float, conn: int, ident: int) -> None:
    data = {"entityType": "order", "eventType": "Created", "entity": {"id": ident}}
    talk.broker(round(at * S), conn, {"e": "props", "d": data})


@pytest.mark.parametrize(("shape", "times", "said"), [
    (ONE, 1, "pass"), (ONE, 2, "fail"), (Shape(lanes=(synced_lane(count=2),)), 2, "pass"),
    (Shape(lanes=(synced_lane(count=2),)), 3, "fail"),
])  # fmt: skip
def test_what_came_on_a_doubled_socket_too_came_once(shape: Shape, times: int, said: str) -> None:
    talk = doubled(2)
    for conn in (10, 11):
        event(talk, 40, conn, 7)
    processed(talk, 41, 7, times)
    assert verdict(talk, "REC-080", shape, ("wire", "report")) == said


def test_what_came_twice_on_one_socket_came_twice() -> None:
    talk = doubled(1)
    for at in (40, 41):
        event(talk, at, 10, 7)
    processed(talk, 42, 7, 2)
    assert verdict(talk, "REC-080", ONE, ("wire", "report")) == "pass"
