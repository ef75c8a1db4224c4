"""Tickets: conversations with one thing changed, and what becomes of the row that it is about."""

from __future__ import annotations

import json
from typing import Any

import pytest
from brokercert.judge.tradovate.model.shape import sync_of
from brokercert.matrix.truth.reader import untrue
from brokercert.trace import Lane, Shape
from brokercert.trace import records as r
from talks import JUDGING, S, Talk, alone, authorize, opened, sync

TICKET = "«p-ticket#1»"
OTHER = "«p-ticket#2»"


BODY = {"accountId": 1}


def penalised(wait: float = 10, *, captcha: bool = False, until: float = 120) -> Talk:
    """A request of 10 s is answered with a ticket."""
    talk = alone(until)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    for at in range(3, round(until)):
        talk.client(round((at + 0.3) * S), 1, "[]")
    ask(talk, 10, ident=2, answer={"p-ticket": TICKET, "p-time": wait, **({"p-captcha": True} if captcha else {})})
    return talk


def ask(
    talk: Talk, at: float, *, ident: int, conn: int = 1, endpoint: str = "order/item", query: str = "id=1",
    ticket: str | None = None, answer: Any = None, **body: Any,
) -> None:  # fmt: skip
    """A request at that second; answered at once where `answer` is given."""
    t = round(at * S)
    sent = {**BODY, **body, **({"p-ticket": ticket} if ticket else {})}
    talk.client(t, conn, f"{endpoint}\n{ident}\n{query}\n{json.dumps(sent)}")
    if answer is not None:
        talk.broker(t, conn, {"s": 200, "i": ident, "d": answer})


@pytest.mark.parametrize(
    ("at", "verdict"),
    [(20.1, "pass"), (29, "pass"), (31, "fail"), (80, "fail"), (19.97, "pass"), (19.5, "fail"), (None, "fail")],
)
def test_a_retry_comes_from_the_penaltys_end_to_ten_seconds_later(at: float | None, verdict: str) -> None:
    talk = penalised()
    if at is not None:
        ask(talk, at, ident=3, ticket=TICKET, answer={})
    assert talk.verdict("RLP-020") == verdict


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({"ticket": TICKET}, "pass"),
        ({}, "fail"),
        ({"ticket": "«p-ticket#2»"}, "fail"),
        ({"ticket": TICKET, "endpoint": "order/items"}, "fail"),
        ({"ticket": TICKET, "query": "id=2"}, "fail"),
        ({"ticket": TICKET, "accountId": 2}, "fail"),
        ({"ticket": TICKET, "more": 1}, "fail"),
        ({"ticket": TICKET, "ident": 2}, "pass"),  # no document asks for a new id; two of one are REQ-010's matter
    ],
    ids=str,
)
def test_a_retry_is_the_same_request_with_its_ticket(changed: dict[str, Any], verdict: str) -> None:
    talk = penalised()
    ask(talk, 20.5, **{"ident": 3, "answer": {}, **changed})
    assert talk.verdict("RLP-030") == verdict


def test_a_ticket_goes_with_no_other_request() -> None:
    def carried(**changed: Any) -> str:
        talk = penalised()
        ask(talk, 20.5, **{"ident": 3, "ticket": TICKET, "answer": {}, **changed})
        return talk.verdict("RLP-090")

    assert carried() == "not observed", "nothing waited when its socket died"
    assert carried(endpoint="account/list") == "warning"
    assert carried(accountId=2) == "warning"


@pytest.mark.parametrize(("times", "verdict"), [(0, "pass"), (1, "pass"), (2, "warning"), (3, "warning")])
def test_what_waited_when_its_socket_died_is_sent_once_at_most(times: int, verdict: str) -> None:
    talk = penalised(20)
    talk.drop(lambda x: x.t > 15 * S)
    talk.told.append(r.Ended(t=15 * S, conn=1, by="broker", how="fin"))
    opened(talk, 16 * S, 2)
    authorize(talk, 17, conn=2, s=200)
    for number in range(times):
        ask(talk, 31 + number, ident=10 + number, conn=2, answer={})
    assert talk.verdict("RLP-090") == verdict


@pytest.mark.parametrize(
    ("at", "verdict"), [(None, "pass"), (10.001, "fail"), (12, "fail"), (42, "fail"), (3609, "fail"), (3611, "pass")]
)
def test_a_captcha_is_not_retried_for_an_hour_however_short_it_was_watched(at: float | None, verdict: str) -> None:
    talk = penalised(captcha=True)
    talk.ends = round(max(120.0, at or 0.0) + 1) * S
    if at is not None:
        ask(talk, at, ident=3, ticket=TICKET, answer={})
    assert talk.verdict("RLP-040") == verdict


@pytest.mark.parametrize(("at", "verdict"), [(None, "pass"), (26, "fail"), (115, "fail")])
def test_a_captcha_in_the_answer_to_a_retry_is_not_retried_either(at: float | None, verdict: str) -> None:
    talk = penalised()
    captcha = {"p-ticket": OTHER, "p-time": 5, "p-captcha": True}
    ask(talk, 20.1, ident=3, ticket=TICKET, answer=captcha)
    if at is not None:
        ask(talk, at, ident=4, ticket=OTHER, answer={})
    assert talk.verdict("RLP-040") == verdict


@pytest.mark.parametrize(("by", "verdict"), [("client", "fail"), ("broker", "warning")])
def test_a_new_socket_that_syncs_again_is_a_retry_and_no_grave_one_where_the_broker_had_ended_the_old(
    by: Any, verdict: str
) -> None:
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 10, ident=2, d={"p-ticket": TICKET, "p-time": 5, "p-captcha": True})
    talk.told.append(r.Ended(t=12 * S, conn=1, by=by, how="fin"))
    opened(talk, 13 * S, 2)
    authorize(talk, 14, conn=2, s=200)
    sync(talk, 15, conn=2, ident=1, d={})
    assert talk.verdict("RLP-040") == verdict


@pytest.mark.parametrize(("share", "verdict"), [(1, "pass"), (0, "fail")])
def test_another_lanes_first_sync_is_no_retry_of_a_captcha(share: int, verdict: str) -> None:
    def body(remainder: int) -> dict[str, Any]:
        return {"entityTypes": ["order"], "shardingExpression": {"divisor": 2, "remainder": remainder}}

    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=2, body=body(0), d={"p-ticket": TICKET, "p-time": 5, "p-captcha": True})
    opened(talk, round(3.6 * S), 2)
    authorize(talk, 4, conn=2, s=200)
    sync(talk, 5, conn=2, ident=1, body=body(share), d={})
    assert talk.verdict("RLP-040") == verdict


@pytest.mark.parametrize(("count", "verdict"), [(2, "pass"), (1, "fail")])
def test_of_equal_sockets_one_beyond_the_start_is_a_retry_of_a_captcha(count: int, verdict: str) -> None:
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=2, d={"p-ticket": TICKET, "p-time": 5, "p-captcha": True})
    opened(talk, round(3.6 * S), 2)
    authorize(talk, 4, conn=2, s=200)
    sync(talk, 5, conn=2, ident=1, d={})
    (lane,) = {sync_of(c) for c in JUDGING.folded(talk.trace()).connections.values()}
    shape = Shape(lanes=(Lane(endpoint="/v1/websocket", credential="access-token", sync=lane, count=count),))
    assert talk.verdict("RLP-040", shape=shape) == verdict


@pytest.mark.parametrize(("told_at", "verdict"), [(10.5, "pass"), (5, "fail"), (None, "fail")])
def test_the_user_is_told_of_a_captcha_after_it_came(told_at: float | None, verdict: str) -> None:
    talk = penalised(captcha=True)
    if told_at is not None:
        talk.told.append(r.SubjectReport(t=round(told_at * S), event="error", body={"event": "error", "text": "no"}))
    assert talk.verdict("RLP-040", offers=("wire", "tokens", "report")) == verdict


@pytest.mark.parametrize(("silent", "verdict"), [((), "pass"), ((12, 50), "fail"), ((12, 30), "pass")])
def test_heartbeats_go_on_while_a_penalty_is_waited_out(silent: tuple[float, ...], verdict: str) -> None:
    talk = penalised(60)
    if silent:
        since, until = (round(one * S) for one in silent)
        talk.drop(lambda x: isinstance(x, r.Frame) and x.text == "[]" and since < x.t < until)
    ask(talk, 70.5, ident=3, ticket=TICKET, answer={})
    assert talk.verdict("RLP-080") == verdict


@pytest.mark.parametrize(("at", "code"), [(10.4, 1), (10.4, 0), (12, 3)])
def test_one_that_dies_at_a_captcha_is_not_praised_for_not_retrying(at: float, code: int) -> None:
    talk = alone(60)
    authorize(talk, 2, s=200)
    sync(talk, 10, d={"p-ticket": "«p-ticket#1»", "p-captcha": True})
    assert talk.verdict("RLP-040") == "pass"
    talk.exit(round(at * S), code)
    assert talk.verdict("RLP-040") == "not observed"


# Which request is the retry.


def both(talk: Talk) -> tuple[str, str]:
    return talk.verdict("RLP-020"), talk.verdict("RLP-030")


@pytest.mark.parametrize("at", [10.02, 11, 15, 20.3])
@pytest.mark.parametrize("query", ["id=2", "id=1"])
def test_the_retry_is_the_one_that_brings_the_ticket_back_whatever_goes_before(at: float, query: str) -> None:
    """A read of the same endpoint goes first, or crosses the ticket on its way."""
    talk = penalised()
    ask(talk, at, ident=3, query=query, answer={})
    ask(talk, 20.5, ident=4, ticket=TICKET, answer={})
    assert both(talk) == ("pass", "pass")


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
@pytest.mark.parametrize("query", ["id=2", "id=1"])
def test_two_pipelined_requests_that_drew_tickets_have_a_retry_each(order: tuple[int, int], query: str) -> None:
    talk = alone(120)
    authorize(talk, 2, s=200)
    tickets = {1: "«p-ticket#1»", 2: "«p-ticket#2»"}
    queries = {1: "id=1", 2: query}
    for n in tickets:
        ask(talk, 10 + n / 1000, ident=n, query=queries[n])
    for n, ticket in tickets.items():
        talk.broker(round((10.01 + n / 1000) * S), 1, {"s": 200, "i": n, "d": {"p-ticket": ticket, "p-time": 10}})
    for place, n in enumerate(order):
        ask(talk, 20.1 + place / 10, ident=10 + n, query=queries[n], ticket=tickets[n], answer={})
    assert both(talk) == ("pass", "pass")


def pipelined(*tickets: str) -> Talk:
    """Two of the same request leave one after the other; the first draws these tickets, the second the last of them or
    a plain answer.
    """
    talk = alone(120)
    authorize(talk, 2, s=200)
    for ident in (1, 2):
        ask(talk, 10 + ident / 1000, ident=ident)
    for ident in (1, 2):
        data = {"p-ticket": tickets[ident - 1], "p-time": 10} if len(tickets) >= ident else {}
        talk.broker(round((10.2 + ident / 1000) * S), 1, {"s": 200, "i": ident, "d": data})
    return talk


def test_no_request_is_the_retry_of_two() -> None:
    """Two of the same, both with tickets, and one sent again: the other was not."""
    talk = pipelined(TICKET, "«p-ticket#2»")
    ask(talk, 20.6, ident=4, ticket="«p-ticket#2»", answer={})
    assert talk.verdict("RLP-020") == "fail"


def test_what_crossed_the_ticket_is_no_retry() -> None:
    talk = pipelined(TICKET)
    ask(talk, 20.6, ident=4, answer={})
    assert both(talk) == ("pass", "fail"), "in its window, without the ticket"


def test_a_stranger_that_brings_the_ticket_back_is_no_retry_where_the_same_request_does() -> None:
    talk = penalised()
    ask(talk, 12, ident=3, endpoint="account/list", ticket=TICKET, answer={})
    ask(talk, 20.5, ident=4, ticket=TICKET, answer={})
    assert both(talk) == ("pass", "pass")


def test_another_body_is_another_request() -> None:
    talk = penalised()
    ask(talk, 20.5, ident=3, accountId=2, answer={})
    assert both(talk) == ("fail", "blocked")


def test_another_request_is_no_retry() -> None:
    talk = penalised()
    for at in range(21, 40):
        ask(talk, at, ident=at, query="id=2", answer={})
    assert both(talk) == ("fail", "blocked")


@pytest.mark.parametrize("gap", [0.0, 0.001, 0.2, 3])
def test_the_same_again_without_the_ticket_is_a_retry_and_early(gap: float) -> None:
    """Nothing was under way that could have crossed the ticket: it is its answer."""
    talk = penalised()
    ask(talk, 10 + gap, ident=3, answer={"p-ticket": "«p-ticket#2»", "p-time": 10})
    assert both(talk) == ("fail", "fail")


@pytest.mark.parametrize(("synced", "verdict"), [(None, "pass"), (11, "warning"), (3000, "warning"), (3620, "pass")])
def test_after_a_loss_a_captcha_is_rested_for_an_hour_before_the_next_sync(synced: int | None, verdict: str) -> None:
    """It may come back and log in meanwhile."""
    talk = alone(3700)
    authorize(talk, 2, s=200)
    sync(talk, 10, ident=2, d={"p-ticket": TICKET, "p-time": 5, "p-captcha": True})
    talk.told.append(r.Ended(t=12 * S, conn=1, by="broker", how="fin"))
    opened(talk, 13 * S, 2)
    authorize(talk, 14, conn=2, s=200)
    if synced is not None:
        sync(talk, 14 + synced, conn=2, ident=1, d={})
    assert talk.verdict("RLP-040") == verdict


def test_the_captcha_that_such_a_sync_draws_is_not_watched_for_its_own_sake() -> None:
    talk = alone(60)
    authorize(talk, 2, s=200)
    captcha = {"p-time": 5, "p-captcha": True}
    sync(talk, 10, ident=2, d={"p-ticket": TICKET, **captcha})
    talk.told.append(r.Ended(t=50 * S, conn=1, by="broker", how="fin"))
    opened(talk, 51 * S, 2)
    authorize(talk, 52, conn=2, s=200)
    sync(talk, 53, conn=2, ident=1, d={"p-ticket": "«p-ticket#2»", **captcha})
    assert talk.verdict("RLP-040") == "warning"


@pytest.mark.parametrize(("by", "verdict"), [("broker", "pass"), ("client", "fail")])
def test_a_ticket_whose_socket_the_broker_ended_owes_no_retry(by: Any, verdict: str) -> None:
    talk = penalised()
    talk.told.append(r.Ended(t=15 * S, conn=1, by=by, how="fin"))
    opened(talk, 16 * S, 2)
    authorize(talk, 17, conn=2, s=200)
    assert talk.verdict("RLP-020") == verdict


@pytest.mark.parametrize(
    ("at", "ticket", "verdict"),
    [(18, TICKET, "fail"), (19.97, TICKET, "pass"), (22, TICKET, "pass"), (18, None, "pass"), (40, None, "pass")],
)
def test_on_a_new_socket_the_ticket_comes_back_no_earlier(at: float, ticket: str | None, verdict: str) -> None:
    """A sync request without it is the new socket's own."""
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 10, ident=2, d={"p-ticket": TICKET, "p-time": 10})
    talk.told.append(r.Ended(t=12 * S, conn=1, by="broker", how="fin"))
    opened(talk, 13 * S, 2)
    authorize(talk, 14, conn=2, s=200)
    sync(talk, at, conn=2, ident=1, ticket=ticket, d={})
    assert talk.verdict("RLP-020") == verdict


@pytest.mark.parametrize(("lost", "retried", "verdict"), [(29, None, "pass"), (31, None, "fail"), (31, 34, "fail")])
def test_a_loss_after_a_retry_was_due_excuses_nothing(lost: int, retried: int | None, verdict: str) -> None:
    talk = penalised()
    talk.told.append(r.Ended(t=lost * S, conn=1, by="broker", how="fin"))
    opened(talk, (lost + 1) * S, 2)
    authorize(talk, lost + 2, conn=2, s=200)
    if retried is not None:
        ask(talk, retried, ident=5, conn=2, ticket=TICKET, answer={})
    assert talk.verdict("RLP-020") == verdict


def test_a_loss_that_was_not_watched_up_to_the_penaltys_end_shows_nothing() -> None:
    talk = penalised(until=18)
    talk.told.append(r.Ended(t=15 * S, conn=1, by="broker", how="fin"))
    assert talk.verdict("RLP-020") == "not observed"


@pytest.mark.parametrize(
    ("first", "at", "later", "verdict"),
    [
        ({}, 30, {}, "warning"),
        ({}, 30, {"ticket": None}, "not observed"),
        ({"p-ticket": TICKET, "p-time": 3}, 24, {}, "not observed"),  # given once more, and so brought back once more
        ({"errorText": "no"}, 30, {}, "not observed"),  # that it was used up then is in no document
        (None, 30, {}, "not observed"),
    ],
)
def test_a_ticket_that_was_used_with_success_is_not_sent_again(
    first: Any, at: float, later: dict[str, Any], verdict: str
) -> None:
    talk = penalised()
    ask(talk, 20.5, ident=3, ticket=TICKET, answer=first)
    ask(talk, at, ident=4, **{"ticket": TICKET, "answer": {}, **later})
    assert talk.verdict("RLP-090") == verdict


def test_a_used_ticket_is_not_sent_again_on_a_later_socket_either() -> None:
    talk = penalised()
    ask(talk, 20.5, ident=3, ticket=TICKET, answer={})
    talk.told.append(r.Ended(t=40 * S, conn=1, by="broker", how="fin"))
    opened(talk, 41 * S, 2)
    authorize(talk, 42, conn=2, s=200)
    ask(talk, 43, ident=4, conn=2, ticket=TICKET, answer={})
    assert talk.verdict("RLP-090") == "warning"


@pytest.mark.parametrize(
    ("at", "ticket", "verdict"),
    [(18, None, "warning"), (19.97, None, "pass"), (25, None, "pass"), (25, TICKET, "pass")],
)
def test_what_waited_when_its_socket_died_is_not_sent_before_its_time(
    at: float, ticket: str | None, verdict: str
) -> None:
    talk = penalised()
    talk.drop(lambda x: x.t > 15 * S)
    talk.told.append(r.Ended(t=15 * S, conn=1, by="broker", how="fin"))
    opened(talk, 16 * S, 2)
    authorize(talk, 17, conn=2, s=200)
    ask(talk, at, ident=1, conn=2, ticket=ticket, answer={})
    assert talk.verdict("RLP-090") == verdict


# What a ticket is taken for.


def sync_ticketed(until: float = 120) -> Talk:
    talk = alone(until)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=2, d={"p-ticket": TICKET, "p-time": 5})
    return talk


def said(talk: Talk, row: str = "RLP-010") -> list[str]:
    return [f"{f.verdict}: {f.observed}" for f in talk.findings() if f.requirement == row]


def test_a_late_retry_is_no_success() -> None:
    talk = sync_ticketed()
    sync(talk, 20, ident=3, ticket=TICKET, d={})
    assert talk.verdict("RLP-010") == "pass" and talk.verdict("RLP-020") == "fail"


def test_nothing_at_all_says_nothing() -> None:
    talk = sync_ticketed()
    assert said(talk)[0].startswith("not observed: no retry, no report and no request")
    assert "success" not in said(talk)[0].replace("taken for a success", "")
    assert talk.verdict("RLP-020") == "fail"


def test_a_failure_that_was_told_is_no_success() -> None:
    talk = sync_ticketed()
    talk.report(4 * S, "error", text="sync refused: penalty ticket, not synchronised")
    assert talk.verdict("RLP-010") == "pass"


def test_a_client_that_dies_of_its_ticket_is_not_praised_for_it() -> None:
    talk = sync_ticketed()
    talk.told.append(r.Ended(t=4 * S, conn=1, by="client", how="fin"))
    talk.exit(4 * S + 10, code=1)
    assert talk.verdict("RLP-010") == "not observed" and talk.verdict("RLP-020") == "fail"
    gave_up = sync_ticketed()
    gave_up.told.append(r.Ended(t=4 * S, conn=1, by="client", how="fin"))
    assert gave_up.verdict("RLP-010") == "pass"


@pytest.mark.parametrize(
    ("elsewhere", "verdict"),
    [("after", "fail"), ("before", "not observed"), ("never", "not observed")],
)
def test_what_is_sent_only_after_a_success_elsewhere_shows_that_the_ticket_was_taken_for_one(
    elsewhere: str, verdict: str
) -> None:
    talk = sync_ticketed()
    talk.client(4 * S, 1, 'md/subscribequote\n3\n\n{"symbol":"ESH6"}')
    opened(talk, 30 * S, 2)
    authorize(talk, 31, conn=2, s=200)
    sync(talk, 32, conn=2, ident=1, d={})
    if elsewhere != "never":
        at = 33 if elsewhere == "after" else 31.5
        talk.client(round(at * S), 2, 'md/subscribequote\n5\n\n{"symbol":"ESH6"}')
    assert talk.verdict("RLP-010") == verdict


def test_of_a_ticket_that_answers_a_retry_it_is_said_that_no_document_has_it() -> None:
    talk = sync_ticketed()
    sync(talk, 8.1, ident=3, ticket=TICKET, d={"p-ticket": "«p-ticket#2»", "p-time": 2})
    sync(talk, 10.2, ident=4, ticket="«p-ticket#2»", d={})
    first, second = said(talk)
    assert "no document" not in first and "which no document has" in second
    assert both(talk) == ("pass", "pass")


# A client that gives its socket up at a penalty, and brings the ticket back on its next one.


def moved(*, login: float = 14, silent: tuple[float, float] | None = None, at: float = 75) -> Talk:
    """Its sync request draws a ticket of 60 s; it leaves at once, logs in anew, and brings the ticket back there."""
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 10, ident=1, d={"p-ticket": TICKET, "p-time": 60})
    talk.end(round(10.1 * S), 1, "client", "fin")
    opened(talk, round((login - 0.5) * S), 2)
    authorize(talk, login, conn=2, s=200)
    for beat in range(round(login) + 1, 120):
        if silent is None or not silent[0] < beat < silent[1]:
            talk.client(round((beat + 0.3) * S), 2, "[]")
    sync(talk, at, conn=2, ident=1, d={}, ticket=TICKET)
    return talk


def test_who_leaves_at_a_ticket_ended_no_healthy_connection() -> None:
    talk = moved()
    assert talk.verdict("LOG-060") == "pass"
    assert talk.verdict("RLP-020") == "pass"


@pytest.mark.parametrize(("silent", "verdict"), [(None, "pass"), ((20, 60), "fail"), ((20, 40), "pass")])
def test_heartbeats_go_on_where_the_ticket_comes_back_on_another_socket(
    silent: tuple[float, float] | None, verdict: str
) -> None:
    assert moved(silent=silent).verdict("RLP-080") == verdict


def test_a_login_just_before_the_retry_shows_nothing_of_the_heartbeats() -> None:
    assert moved(login=60).verdict("RLP-080") == "pass"
    assert moved(login=74.5).verdict("RLP-080") == "not observed"


# What is processed while a penalty is waited out.


def processed_in_penalty(*, event_on: int, entity: int = 7, told: bool = True, by_place: bool = False) -> Talk:
    """A read draws a ticket of 40 s on socket 1, and comes back there; an event comes meanwhile on one of two synced
    sockets, and is told of by its entity or by its place.
    """
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    opened(talk, 4 * S, 2)
    authorize(talk, 5, conn=2, s=200)
    sync(talk, 6, conn=2, ident=1, d={})
    talk.client(10 * S, 1, "order/list\n2\n\n")
    talk.broker(round(10.01 * S), 1, {"s": 200, "i": 2, "d": {"p-ticket": TICKET, "p-time": 40}})
    for at in range(11, 60, 2):
        talk.client(at * S, 1, "[]")
    for conn, ident in ((1, 7), (2, 8)):
        if conn == event_on or event_on == 0:
            event = {"entityType": "order", "eventType": "Created", "entity": {"id": ident}}
            talk.broker(20 * S, conn, {"e": "props", "d": event})
    if told and by_place:
        talk.report(round(20.1 * S), "processed", connection=1 if entity == 7 else 2, message=4)
    elif told:
        talk.report(round(20.1 * S), "processed", entityType="Order", id=entity, eventType="Created")
    talk.client(round(50.1 * S), 1, f'order/list\n3\n\n{{"p-ticket":"{TICKET}"}}')
    talk.broker(round(50.2 * S), 1, {"s": 200, "i": 3, "d": {}})
    return talk


@pytest.mark.parametrize("by_place", [False, True])
def test_what_another_socket_brings_shows_nothing_of_the_one_that_waits(by_place: bool) -> None:
    def events(**more: Any) -> str | None:
        talk = processed_in_penalty(by_place=by_place, **more)
        offers = ("wire", "tokens", "report")
        findings = [f for f in talk.findings(offers=offers) if f.requirement == "RLP-080" and f.clause == "events"]
        assert untrue(talk.trace(offers=offers), findings) == []
        return str(findings[0].verdict) if findings else None

    assert events(event_on=1) == "pass"
    assert events(event_on=1, told=False) == "fail"
    assert events(event_on=2, told=False) is None, "none came on the socket that waits"
    assert events(event_on=0, entity=8) == "fail", "what the other socket brought is told, its own is not"
    assert events(event_on=0, entity=7) == "pass"
