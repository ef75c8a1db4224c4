"""Logging in and tokens: conversations with one thing changed, and what becomes of the row that it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from brokercert.trace import Lane, Shape
from brokercert.trace import records as r
from talks import OLD, S, Talk, alone, attempts, authorize, healthy, opened, sync, valid

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


@pytest.mark.parametrize("after", [0.001, 0.2, 0.49, 5])
def test_a_client_that_goes_on_after_a_refusal_is_failed_however_soon(after: float) -> None:
    """Nothing was under way that could have crossed it."""
    talk = alone(120)
    authorize(talk, 2, s=401)
    sync(talk, 2.01 + after, ident=1)
    assert (talk.verdict("LOG-040"), talk.verdict("EVT-020")) == ("fail", "fail")


def refused_late(*, sent: tuple[float, ...], elsewhere: bool = False) -> Talk:
    """Authorize of 2 s is refused at 5 s; the client sends sync requests at these times."""
    talk = alone(120)
    authorize(talk, 2)
    talk.broker(5 * S, 1, {"i": 0, "s": 401})
    for number, at in enumerate(sent, 1):
        sync(talk, at, ident=number)
    if elsewhere:  # where the answer came at once, its sync request crossed it on the way
        opened(talk, 10 * S, 2)
        authorize(talk, 11, conn=2, s=401)
        sync(talk, 11.0101, conn=2, ident=1)
    return talk


def test_what_a_client_sent_without_waiting_is_judged_by_its_own_row() -> None:
    for talk in (refused_late(sent=(3,)), refused_late(sent=(3, 5.2)), refused_late(sent=(3,), elsewhere=True)):
        assert (talk.verdict("LOG-040"), talk.verdict("EVT-020")) == ("pass", "fail")
    assert refused_late(sent=(3, 5.6)).verdict("LOG-040") == "fail", "half a second is enough"
    assert refused_late(sent=(5.2,)).verdict("LOG-040") == "fail", "it had waited"
    other = refused_late(sent=(5.2,))
    opened(other, 10 * S, 2)
    authorize(other, 11, conn=2)
    other.client(round(11.1 * S), 2, "account/list\n5\n\n")  # something else was under way elsewhere
    other.broker(12 * S, 2, {"i": 0, "s": 401})
    assert other.verdict("LOG-040") == "fail"
    told = refused_late(sent=(3, 5.2))
    told.report(round(5.1 * S), "error", text="login refused")
    assert told.verdict("LOG-040") == "fail", "it had read the refusal"
    closed = refused_late(sent=(3, 5.2))
    closed.close(round(5.1 * S), 1, "client", 1000)
    assert closed.verdict("LOG-040") == "fail"


@pytest.mark.parametrize(
    ("rounds", "apart", "together", "verdict"),
    [
        (3, 0.7, True, "pass"),  # three shards, 0.7 s apart, each of which tries thrice a minute
        (4, 0.7, True, "fail"),
        (1, 1.2, True, "pass"),
        (2, 1.2, True, "fail"),  # six uses, none soon after another
        (2, 0.9, False, "fail"),  # one socket after the other, and no shards
    ],
)
def test_shards_that_open_one_after_the_other_use_a_token_once(
    rounds: int, apart: float, together: bool, verdict: str
) -> None:
    talk = Talk(ends=140 * S)
    talk.told.append(r.SubjectStarted(t=0))
    for number in range(3 * rounds):
        at = 2 + 16 * (number // 3) + apart * (number % 3)
        opened(talk, round((at - 0.1) * S), number + 1)
        authorize(talk, at, conn=number + 1, s=401)
        gone = at + (10 if together else 0.1)
        talk.told.append(r.Ended(t=round(gone * S), conn=number + 1, by="client", how="fin"))
    assert talk.verdict("LOG-040") == verdict


def batched(talk: Talk, conn: int, at: float) -> None:
    """An authorize at that second, on a new socket, whose answer stood last in a frame."""
    opened(talk, round((at - 0.5) * S), conn)
    talk.told.append(r.RuleApplied(t=round(at * S), name="last-in-batch", conn=conn))


def start_again(talk: Talk, at: int) -> None:
    """The harness ends the client a second before, and starts it anew."""
    talk.told.append(r.StopAsked(t=(at - 1) * S, how="signal", judged=False))
    talk.told.append(r.SubjectExited(t=(at - 1) * S, code=0, asked=True))
    talk.told.append(r.SubjectStarted(t=at * S, start=2))


def batch(
    *, asks: tuple[bool, ...], plainly: tuple[bool, ...], early: bool = False, tokens: tuple[str, ...] = ()
) -> Talk:
    """Sockets with such answers, which ask something or nothing; then a second start with plain answers."""
    talk = Talk(ends=200 * S)
    talk.told.append(r.SubjectStarted(t=0))
    tokens = tokens or (OLD,) * len(asks)
    for conn, (goes_on, token) in enumerate(zip(asks, tokens, strict=True), 1):
        batched(talk, conn, 2 + conn / 10)
        authorize(talk, 2 + conn / 10, conn=conn, token=token, s=200)
        if goes_on:
            sync(talk, 2 + conn / 10 + (0.005 if early else 1), conn=conn, ident=1, d={})
    start_again(talk, 80)
    for place, (goes_on, token) in enumerate(zip(plainly, tokens, strict=False)):
        conn = 11 + place
        opened(talk, (81 + place) * S, conn)
        authorize(talk, 82 + place, conn=conn, token=token, s=200)
        if goes_on:
            sync(talk, 83 + place, conn=conn, ident=1, d={})
    return talk


MARKET = "«md-token#1»"


@pytest.mark.parametrize(
    ("told", "verdict"),
    [
        ({"asks": (True,), "plainly": ()}, "pass"),
        ({"asks": (True,), "plainly": (), "early": True}, "blocked"),
        ({"asks": (False,), "plainly": (True,)}, "fail"),
        ({"asks": (False,), "plainly": (False,)}, "blocked"),
        ({"asks": (False, True), "plainly": (False, True)}, "pass"),  # one that asks nothing, opened first
        ({"asks": (False, True), "plainly": (False, True), "tokens": (MARKET, OLD)}, "pass"),
        ({"asks": (True, True, False), "plainly": (True, True, True)}, "fail"),  # the third of three
        ({"asks": (False, True), "plainly": (True, True), "tokens": (MARKET, OLD)}, "fail"),
        ({"asks": (True, False), "plainly": (False, True), "tokens": (MARKET, OLD)}, "fail"),  # each kind by itself
    ],
    ids=str,
)
def test_a_batched_answer_is_found_by_as_many_sockets_of_a_kind_as_a_plain_one(
    told: dict[str, Any], verdict: str
) -> None:
    assert batch(**told).verdict("LOG-070") == verdict


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


FRESH = "«access-token#2»"


@pytest.mark.parametrize(
    ("how", "fetched", "uses", "verdict"),
    [
        ("expired", True, 0, "pass"),
        ("expired", True, 1, "fail"),  # its end stood in the answer that it came with
        ("expired", False, 1, "pass"),
        ("expired", False, 2, "fail"),
        ("revoked", True, 1, "pass"),
        ("revoked", True, 2, "fail"),
        ("revoked", False, 1, "pass"),
        ("revoked", False, 2, "fail"),
    ],
)
def test_a_token_that_ended_while_away_may_be_tried_once_where_nobody_could_know(
    how: str, fetched: bool, uses: int, verdict: str
) -> None:
    talk = alone(120)
    if fetched:
        talk.told += [
            r.Accepted(t=S, conn=50),
            r.RestRequest(t=S, conn=50, ordinal=1, method="POST", target="/v1/auth/accessTokenRequest"),
            r.RestAnswer(t=S, conn=50, ordinal=1, status=200, body=f'{{"accessToken":"{OLD}"}}'),
        ]
    authorize(talk, 2, s=200)
    talk.told.append(r.Ended(t=30 * S, conn=1, by="broker", how="fin"))
    ends(talk, how, 31 * S)
    for number in range(uses):
        opened(talk, (33 + 3 * number) * S, 2 + number)
        authorize(talk, 33.5 + 3 * number, conn=2 + number, s=401)
        talk.told.append(r.Ended(t=(34 + 3 * number) * S, conn=2 + number, by="client", how="fin"))
    opened(talk, 50 * S, 9)
    authorize(talk, 51, conn=9, token=FRESH, s=200)
    assert talk.verdict("REC-070") == verdict


@pytest.mark.parametrize(("again", "verdict"), [(2.011, "fail"), (2.3, "fail"), (2.009, "pass")])
def test_a_second_use_on_a_socket_counts_unless_it_had_left_before_the_refusal(again: float, verdict: str) -> None:
    talk = alone(120)
    ends(talk, "expired", 0)
    authorize(talk, 2, s=401)
    authorize(talk, again, ident=1, s=401)
    opened(talk, 5 * S, 2)
    authorize(talk, 6, conn=2, token=FRESH, s=200)
    assert talk.verdict("LOG-050") == verdict


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


def test_one_that_asks_before_the_answer_is_not_praised_for_what_it_asks_after_it() -> None:
    talk = batch(asks=(True,), plainly=(True,), early=True)
    talk.client(10 * S, 1, "account/list\n7\n\n")
    assert talk.verdict("LOG-070") == "blocked"


@pytest.mark.parametrize(("by", "verdict"), [("client", "fail"), ("broker", "not observed")])
def test_a_socket_that_the_client_gives_up_without_its_answer_was_watched_long_enough(by: r.Side, verdict: str) -> None:
    talk = batch(asks=(False,), plainly=(True,))
    talk.told.append(r.Ended(t=12 * S, conn=1, by=by, how="fin"))
    assert talk.verdict("LOG-070") == verdict


@pytest.mark.parametrize(("dies", "verdict"), [(False, "pass"), (True, "not observed")])
def test_one_that_dies_of_a_hollow_success_is_not_praised(dies: bool, verdict: str) -> None:
    talk = alone(200)
    authorize(talk, 2, s=200, d={"errorText": "no"})
    talk.told.append(r.Ended(t=3 * S, conn=1, by="client", how="fin"))
    if dies:
        talk.exit(3 * S + 10, 1)
    talk.told.append(r.SubjectStarted(t=80 * S, start=2))
    opened(talk, 81 * S, 11)
    authorize(talk, 82, conn=11, s=200)
    sync(talk, 83, conn=11, ident=1, d={})
    assert talk.verdict("LOG-100") == verdict


def test_what_follows_a_real_success_on_the_same_socket_is_not_too_early() -> None:
    talk = alone(120)
    authorize(talk, 2, s=200, d={"p-ticket": "«p-ticket#1»", "p-time": 3})
    authorize(talk, 5.1, ident=1, s=200)
    sync(talk, 6, ident=2, d={})
    assert talk.verdict("LOG-100") == "pass"


def test_a_hollow_success_is_judged_by_sockets_of_its_own_kind_only() -> None:
    """A socket that never asks anything shows nothing, be there others that do."""

    def hollow(*sockets: tuple[str, bool]) -> str:
        talk = Talk(ends=200 * S)
        talk.told.append(r.SubjectStarted(t=0))
        for start in (1, 2):
            if start == 2:
                start_again(talk, 80)
            for place, (token, goes_on) in enumerate(sockets):
                conn, at = 10 * start + place, 80 * (start - 1) + 2 + place
                opened(talk, (at - 1) * S, conn)
                authorize(talk, at, conn=conn, token=token, s=200, **({"d": {"errorText": "no"}} if start == 1 else {}))
                if start == 2 and goes_on:
                    sync(talk, at + 1, conn=conn, ident=1, d={})
        return talk.verdict("LOG-100")

    assert hollow((OLD, True)) == "pass"
    assert hollow((MARKET, False), (OLD, True)) == "pass"
    assert hollow((MARKET, False)) == "not observed"


@pytest.mark.parametrize(
    ("again", "captcha", "sockets", "verdict"),
    [
        (3, False, 1, "warning"),
        (9.94, False, 1, "warning"),
        (9.97, False, 1, "pass"),
        (14, False, 1, "pass"),
        (3, True, 1, "warning"),
        (3599, True, 1, "warning"),
        (3601, True, 1, "pass"),
        (3, True, 2, "pass"),
        (3, False, 2, "pass"),  # it may be the other socket's first
        (3, False, 0, "pass"),  # nobody knows how many it has
    ],
)
def test_the_time_of_a_ticket_passes_before_the_next_authorize(
    again: float, captcha: bool, sockets: int, verdict: str
) -> None:
    talk = alone(again + 110)
    ticket = {"p-ticket": "«p-ticket#1»", "p-time": 10} | ({"p-captcha": True} if captcha else {})
    authorize(talk, 2, s=200, d=ticket)
    talk.told.append(r.Ended(t=round(2.5 * S), conn=1, by="client", how="fin"))
    opened(talk, round((2.005 + again) * S), 2)
    authorize(talk, 2.01 + again, conn=2, s=200)
    sync(talk, 2.5 + again, conn=2, d={})
    lanes = tuple(Lane(endpoint="/v1/websocket", credential="access-token", count=1) for _ in range(sockets))
    assert talk.verdict("LOG-100", shape=Shape(lanes=lanes) if sockets else None) == verdict
