"""Logging in and tokens: conversations with one thing changed, and what becomes of the row that it is about."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from brokercert.trace import records as r
from talks import OLD, S, Talk, alone, attempts, authorize, healthy, opened, valid

Change = Callable[[Talk], None]


def later(talk: Talk, by: int, since: int, conn: int = 0) -> None:
    """Everything (of one connection) from `since` on comes later."""

    def moved(x: r.Record) -> bool:
        return x.t >= since and (not conn or getattr(x, "conn", 0) == conn)

    talk.told = [msgspec.structs.replace(x, t=x.t + by) if moved(x) else x for x in talk.told]
    talk.ends += by


@pytest.mark.parametrize("seed", [1, 2])
def test_every_socket_is_timed(seed: int) -> None:
    talk = valid(seed)
    assert talk.verdict("LOG-010") == "pass"
    later(talk, 6 * S, talk.lives[1].accepted + 1, conn=2)
    assert talk.verdict("LOG-010") == "fail"


@pytest.mark.parametrize(
    ("first", "second_at", "verdict"),
    [
        ({}, 2.5, "fail"),  # the first may still be answered
        ({}, 4.5, "warning"),  # unanswered for 2 s: a retry that should be made on a new socket
        ({"s": 200}, 4.5, "fail"),  # answered: a second one
        ({"s": 200, "d": {"p-ticket": "«p-ticket#1»", "p-time": 10}}, 4.5, "fail"),  # before its ticket's time
        ({"s": 200, "d": {"p-ticket": "«p-ticket#1»", "p-time": 10}}, 12.1, "pass"),  # the same logical request
    ],
)
def test_when_a_second_authorize_is_a_second_one(first: dict[str, object], second_at: float, verdict: str) -> None:
    talk = alone(60)
    authorize(talk, 2, **first)
    authorize(talk, second_at, ident=1, s=200)
    said = {str(f.verdict) for f in talk.findings() if f.requirement == "LOG-020"}
    assert verdict in said and ("fail" in said) is (verdict == "fail")


@pytest.mark.parametrize(
    ("held", "sent", "verdict"), [(3.5, 4.6, "pass"), (1, 2.1, "not observed"), (3.5, 4, "fail"), (1, 1.5, "fail")]
)
def test_open_is_held_back_long_enough_to_show_that_it_is_awaited(held: float, sent: float, verdict: str) -> None:
    talk = alone(60, opens=False)
    talk.told.append(r.Withheld(t=S, what="o", conn=1))
    talk.told.append(r.Released(t=S + round(held * S), what="o", conn=1))
    talk.frame(S + round(held * S), 1, "o")
    authorize(talk, sent, s=200)
    said = talk.verdict("LOG-025")
    assert said == ("warning" if verdict == "fail" else verdict), "a SHOULD row is warned of"


def test_a_token_that_the_broker_never_issued_fails_and_one_that_is_refused_by_script_does_not() -> None:
    talk = alone(60)
    authorize(talk, 1.5, token="made-up", s=401)
    assert talk.verdict("LOG-030") == "fail"
    talk.told.append(r.RuleApplied(t=S, name="refuse", conn=1))
    assert talk.verdict("LOG-030") != "fail"


@pytest.mark.parametrize(("watched", "verdict"), [(32, "fail"), (20, "not observed")])
def test_a_client_that_never_connects_is_given_half_a_minute(watched: int, verdict: str) -> None:
    assert Talk(ends=watched * S, told=[r.SubjectStarted(t=0)]).verdict("LOG-010") == verdict


@pytest.mark.parametrize(("watched", "verdict"), [(32, "fail"), (20, "not observed")])
def test_a_client_that_never_authorizes_is_given_half_a_minute(watched: float, verdict: str) -> None:
    assert alone(watched).verdict("LOG-030") == verdict


@pytest.mark.parametrize(
    ("count", "every", "verdict"),
    [(24, 2.4, "pass"), (25, 2.4, "fail"), (8, 0.6, "pass"), (9, 0.6, "fail")],
)
def test_attempts_after_a_refusal_are_limited_in_any_minute_and_in_any_five_seconds(
    count: int, every: float, verdict: str
) -> None:
    talk = alone(120)
    authorize(talk, 2, s=401)
    attempts(talk, 10 * S, count, every)
    assert talk.verdict("LOG-040") == verdict


@pytest.mark.parametrize(("before", "verdict"), [(False, "pass"), (True, "blocked")])
def test_what_came_before_the_answer_is_no_going_on(before: bool, verdict: str) -> None:
    talk = valid(1, 1)
    life = talk.lives[0]
    talk.told.append(r.RuleApplied(t=life.authorize, name="last-in-batch", conn=1))
    if before:
        talk.drop(lambda x: isinstance(x, r.Frame) and x.sender == "client" and x.t > life.authorize and x.text != "[]")
        talk.request(life.authorize, life, "account/list", takes=0)
    assert talk.verdict("LOG-070") == verdict


@pytest.mark.parametrize(("after", "verdict"), [(9, "pass"), (20, "warning"), (31, "fail"), (None, "fail")])
def test_an_open_frame_that_never_comes_is_given_up_in_ten_seconds_by_thirty_at_the_latest(
    after: float | None, verdict: str
) -> None:
    talk = alone(120, opens=False)
    talk.told.append(r.RuleApplied(t=S, name="open-never", conn=1))
    if after is not None:
        gone = S + round(after * S)
        talk.told.append(r.Ended(t=gone, conn=1, by="client", how="fin"))
        opened(talk, gone + S, 2)
        authorize(talk, gone / S + 1.5, conn=2, s=200)
    assert talk.verdict("LOG-080") == verdict


def ends(talk: Talk, how: str, at: int, label: str = OLD) -> None:
    """That token ends in this way."""
    talk.told.append(r.Fault(t=at, requested=at, name=f"token-{how}", detail=label))


def test_a_token_that_expired_at_login_is_replaced() -> None:
    def login(fresh: float | None, until: float) -> str:
        talk = alone(until)
        ends(talk, "expired", 0)
        authorize(talk, 2, s=401)
        if fresh is not None:
            opened(talk, round(fresh * S), 2)
            authorize(talk, fresh, conn=2, token="«access-token#2»", s=200)
        return talk.verdict("LOG-050")

    assert login(5, 60) == "pass"
    assert login(None, 60) == "not observed", "75 s are what it may take"
    assert login(None, 80) == "fail"


def test_the_old_token_before_its_end_is_no_fresh_one() -> None:
    talk = alone(120)
    authorize(talk, 2, s=200)
    ends(talk, "expired", 10 * S)
    assert talk.verdict("LOG-050") != "pass"


@pytest.mark.parametrize(
    ("how", "uses", "verdict"),
    [("expired", 0, "pass"), ("expired", 1, "fail"), ("revoked", 1, "pass"), ("revoked", 2, "fail")],
)
def test_a_token_that_ended_while_away_may_be_tried_once_where_nobody_could_know(
    how: str, uses: int, verdict: str
) -> None:
    talk = alone(120)
    authorize(talk, 2, s=200)
    talk.told.append(r.Ended(t=30 * S, conn=1, by="broker", how="fin"))
    ends(talk, how, 31 * S)
    for number in range(uses):
        opened(talk, (33 + 3 * number) * S, 2 + number)
        authorize(talk, 33.5 + 3 * number, conn=2 + number, s=401)
        talk.told.append(r.Ended(t=(34 + 3 * number) * S, conn=2 + number, by="client", how="fin"))
    opened(talk, 50 * S, 9)
    authorize(talk, 51, conn=9, token="«access-token#2»", s=200)
    assert talk.verdict("REC-070") == verdict


def expires(change: Change) -> str:
    """A live socket's token ends at 30 s; what is said of it."""
    talk = alone(90)
    authorize(talk, 2, s=200)
    healthy(talk, 40)
    ends(talk, "expired", 30 * S)
    change(talk)
    return talk.verdict("LOG-055")


def rest(endpoint: str, at: float) -> Change:
    """A REST request with the old token, on a connection of its own."""

    def change(talk: Talk) -> None:
        t = round(at * S)
        headers = (("authorization", f"Bearer {OLD}"),)
        target = f"/v1/{endpoint}"
        talk.told += [
            r.Accepted(t=t, conn=50),
            r.Head(t=t, conn=50, method="GET", target=target, headers=headers, upgrade=False),
            r.RestRequest(t=t, conn=50, ordinal=1, method="GET", target=target),
            r.RestAnswer(t=t + 1000, conn=50, ordinal=1, status=200),
        ]

    return change


def test_a_live_socket_outlives_its_token() -> None:
    assert expires(lambda talk: None) == "pass"
    assert expires(lambda talk: authorize(talk, 40, ident=1, token="«access-token#2»", s=200)) == "fail"
    gone = r.Ended(t=40 * S, conn=1, by="client", how="fin")
    assert expires(lambda talk: talk.told.append(gone)) == "fail", "dropped after the token's end"
    assert expires(rest("account/list", 40)) == "fail"
    assert expires(rest("account/list", 20)) == "pass", "it was good then"
    assert expires(rest("auth/renewAccessToken", 40)) == "pass", "that is how a new one is had"


LEAKS = {
    "a URL": lambda label: r.Head(
        t=S, conn=1, method="GET", target=f"/v1/websocket?t={label}", headers=(), upgrade=True
    ),
    "its output": lambda label: r.SubjectOutput(t=2 * S, stream="err", text=f"logging in with {label}"),
    "a report": lambda label: r.SubjectReport(t=2 * S, event="error", body={"event": "error", "text": label}),
    "rubbish": lambda label: r.BrokenReport(t=2 * S, line=1, text=f"{{ {label}", why="no JSON"),
}


@pytest.mark.parametrize("where", LEAKS)
@pytest.mark.parametrize("kind", ["access-token", "md-token", "password", "sec"])
def test_no_credential_of_any_kind_stands_anywhere(where: str, kind: str) -> None:
    talk = alone(60)
    authorize(talk, 2, s=200)
    assert talk.verdict("LOG-090") == "pass"
    talk.told.append(LEAKS[where](f"«{kind}#1»"))
    assert talk.verdict("LOG-090") == "warning"


def test_output_that_was_not_kept_shows_nothing() -> None:
    talk = alone(60)
    authorize(talk, 2, s=200)
    talk.told.append(r.OutputDropped(t=50 * S, lines=5, bytes=500))
    assert talk.verdict("LOG-090") == "not observed"


@pytest.mark.parametrize(
    ("goes_on", "early", "verdict"), [(True, False, "pass"), (True, True, "warning"), (False, False, "not observed")]
)
def test_a_hollow_success_is_judged_of_a_client_that_goes_on_after_a_real_one(
    goes_on: bool, early: bool, verdict: str
) -> None:
    talk = alone(120)
    authorize(talk, 2, s=200, d={"errorText": "Access is denied"})
    if early:
        talk.client(3 * S, 1, "account/list\n1\n\n")
    talk.told.append(r.Ended(t=30 * S, conn=1, by="client", how="fin"))
    opened(talk, 31 * S, 2)
    authorize(talk, 32, conn=2, s=200)
    if goes_on:
        talk.client(33 * S, 2, "account/list\n1\n\n")
    said = talk.verdict("LOG-100")
    assert said == verdict or (verdict == "not observed" and said == "blocked")
