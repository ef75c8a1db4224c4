"""Requests that a client is asked to send: conversations made by hand, and what becomes of the row each is about."""

from __future__ import annotations

from typing import Any

import pytest
from asked import answer, ask, asked_for, outcome
from brokercert.judge.told import Asked
from brokercert.judge.tradovate.model.conversation import Answer, Conversation, Request
from brokercert.judge.tradovate.model.sends import error_of, final_answer, sends_of
from brokercert.matrix.truth.reader import untrue
from brokercert.trace import records as r
from talks import ROWS, S, Talk, alone, authorize, opened, sync


def test_every_answer_is_told_of_its_own_request() -> None:
    def matched(first: int, second: int, *, told: bool = True) -> str:
        talk = asked_for()
        answer(talk, 12, 2)
        answer(talk, 13, 1)
        outcome(talk, 12.1, 2, item=second)
        if told:
            outcome(talk, 13.1, 1, item=first)
        return talk.verdict("REQ-020")

    assert matched(1, 2) == "pass"
    assert matched(2, 1) == matched(2, 2) == matched(1, 1) == "fail"
    assert matched(7, 2) == "not observed", "it shows nobody's answer"
    assert matched(1, 2, told=False) == "fail"


def one_by_one(*, late: float | None = None, gave_up: bool = True, first: int = 1, second: int = 2) -> list[Any]:
    """The second request is sent after the end of the first; an answer to the first comes at `late`. What is told of
    each shows the item `first`, `second`.
    """
    talk = alone(200)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=90, d={})
    for number, at in ((1, 10), (2, 40)):
        ask(talk, 9.5, number)
        talk.client(at * S, 1, f"order/item\n{number}\nid={number}\n")
    if gave_up:
        outcome(talk, 40, 1, ok=False, status=0)
    else:
        answer(talk, 20, 1)
        outcome(talk, 20.1, 1, item=first)
    if late is not None:
        answer(talk, late, 1)
    answer(talk, 43, 2)
    outcome(talk, 43.1 if second == 2 else 42.5, 2, item=second)
    return [f for f in talk.findings(offers=("wire", "request")) if f.requirement == "REQ-020"]


def test_answers_that_nobody_could_confuse_show_nothing() -> None:
    """`i` is looked at only where an answer may be another's: silence is no pass."""

    def said(**more: Any) -> str:
        (found,) = one_by_one(**more)
        return str(found.verdict)

    assert said(gave_up=False) == "not observed", "one after the other"
    assert said() == "not observed", "given up, and never answered"
    assert said(late=42) == "pass", "a late answer while the next one is awaited"
    assert said(late=42, second=1) == "fail", "the late answer was taken for the next one's"
    assert said(late=44) == "not observed", "it came when nothing was open"
    assert said(late=39) == "fail", "answered in its time, and told as never answered"


def test_two_sockets_do_not_confuse_each_others_answers() -> None:
    def reversed_on(second: int) -> str:
        talk = alone(200)
        authorize(talk, 2, s=200)
        opened(talk, 2 * S, 2)
        authorize(talk, 3, conn=2, s=200)
        for number, conn in ((1, 1), (2, second)):
            ask(talk, 9.5, number)
            talk.client((9 + number) * S, conn, f"order/item\n{number}\nid={number}\n")
        for number, conn, at in ((2, second, 12), (1, 1, 13)):
            talk.broker(at * S, conn, {"s": 200, "i": number, "d": {"id": number}})
            outcome(talk, at + 0.1, number)
        return talk.verdict("REQ-020")

    assert reversed_on(1) == "pass"
    assert reversed_on(2) == "not observed", "each had one request open"


def test_an_answered_request_is_not_told_as_one_that_was_not() -> None:
    talk = asked_for()
    for number in (1, 2):
        answer(talk, 12, number)
        outcome(talk, 60, number, ok=False, status=0)
    assert talk.verdict("REQ-020") == "fail"


def test_an_answer_of_which_nothing_is_told_is_waited_for_a_minute() -> None:
    def silent(until: float) -> str:
        talk = asked_for(until)
        answer(talk, 12, 1)
        return talk.verdict("REQ-020")

    assert silent(90) == "fail"
    assert silent(50) == "not observed"


def unanswered(ends: float | None, *, ok: bool = False, other: str = "answered", until: float = 200) -> str:
    """The first request is never answered and ends so long after it was sent; what becomes of the second."""
    talk = asked_for(until)
    if ends is not None:
        outcome(talk, 10 + ends, 1, ok=ok, status=0)
    if other == "answered":
        answer(talk, 12, 2)
        outcome(talk, 12.1, 2)
    elif other == "failed":
        outcome(talk, 12.1, 2, ok=False, status=0)
    return talk.verdict("REQ-030")


def test_a_request_that_is_never_answered_ends_in_a_minute_and_the_others_go_on() -> None:
    assert unanswered(30) == "pass"
    assert unanswered(70) == unanswered(None) == "fail"
    assert unanswered(None, until=50) == "not observed"
    assert unanswered(30, ok=True) == "fail", "told as a success"
    assert unanswered(30, other="failed") == unanswered(30, other="nothing") == "fail"
    assert unanswered(30, other="nothing", until=60) == "not observed"


@pytest.mark.parametrize(
    ("again", "ok", "waits", "told", "verdict"),
    [
        (False, True, False, True, "pass"),
        (True, True, False, True, "pass"),  # a read may be sent again
        (False, True, True, True, "pass"),  # who asks one thing at a time had not sent it yet
        (False, True, False, False, "fail"),  # that it is lost must be told
        (False, False, False, True, "fail"),  # the time-out of an old request has ended a new one
    ],
)
def test_what_is_lost_with_its_socket_need_not_go_on_and_what_is_asked_later_must(
    again: bool, ok: bool, waits: bool, told: bool, verdict: str
) -> None:
    talk = asked_for()
    if waits:
        talk.drop(lambda x: isinstance(x, r.Frame) and x.text.startswith("order/item\n2\n"))
    outcome(talk, 40, 1, ok=False, status=0)
    talk.told.append(r.Ended(t=41 * S, conn=1, by="broker", how="fin"))
    if told:
        outcome(talk, 41.1, 2, ok=again, status=200 if again else 0)
    opened(talk, 43 * S, 2)
    authorize(talk, 43, conn=2, s=200)
    if again:
        talk.client(44 * S, 2, "order/item\n5\nid=2\n")
        talk.broker(44 * S, 2, {"s": 200, "i": 5, "d": {"id": 2}})
    ask(talk, 60, 3)
    talk.client(60 * S, 2, "order/item\n6\nid=3\n")
    talk.broker(63 * S, 2, {"s": 200, "i": 6, "d": {"id": 3}})
    outcome(talk, 63.1 if ok else 61, 3, ok=ok, status=200 if ok else 0)
    assert talk.verdict("REQ-030") == verdict


@pytest.mark.parametrize(("ends", "verdict"), [(30, "pass"), (70, "fail"), (None, "fail")])
def test_the_retry_of_a_request_that_is_never_answered_ends_in_a_minute(ends: float | None, verdict: str) -> None:
    talk = asked_for()
    answer(talk, 12, 2)
    outcome(talk, 12.1, 2)
    talk.broker(12 * S, 1, {"s": 200, "i": 1, "d": {"p-ticket": "«p-ticket#1»", "p-time": 3}})
    talk.client(16 * S, 1, 'order/item\n3\nid=1\n{"p-ticket": "«p-ticket#1»"}')
    if ends is not None:
        outcome(talk, 16 + ends, 1, ok=False, status=0)
    assert talk.verdict("REQ-030") == verdict


@pytest.mark.parametrize(
    ("status", "data", "ok", "verdict"),
    [
        (200, {}, True, "pass"),
        (200, {}, False, "fail"),
        (404, {}, True, "fail"),
        (404, {}, False, "pass"),
        (500, {}, True, "fail"),
        (200, {"errorText": "no"}, True, "fail"),
        (200, {"failureReason": "RiskCheck"}, True, "fail"),
        (200, {"violations": [1]}, True, "fail"),
        (200, {"violations": [1]}, False, "pass"),
        (200, {"failureReason": "Success"}, True, "pass"),
    ],
)
def test_an_answer_is_told_as_what_it_is(status: int, data: dict[str, Any], ok: bool, verdict: str) -> None:
    talk = asked_for()
    answer(talk, 12, 1, status, **data)
    answer(talk, 12, 2)
    outcome(talk, 13, 1, ok=ok, status=status)
    outcome(talk, 13, 2)
    assert talk.verdict("REQ-040") == verdict


def given_up(after: float, *, status: int = 200, answered: float = 1, until: float = 200, **more: Any) -> Talk:
    """The first request is told as never answered so long after it was sent, and answered a second after that."""
    talk = asked_for(until)
    answer(talk, 10 + after + answered, 1, status, **more)
    outcome(talk, 10 + after, 1, ok=False, status=0)
    answer(talk, 12, 2)
    outcome(talk, 13, 2)
    return talk


@pytest.mark.parametrize(
    ("after", "verdict"),
    [(0.1, "fail"), (1.9, "fail"), (2, "pass"), (30, "pass"), (60, "pass"), (61, "fail")],
)
def test_who_gives_up_before_the_answer_comes_is_excused_from_two_seconds_to_a_minute(
    after: float, verdict: str
) -> None:
    assert given_up(after).verdict("REQ-040") == verdict
    assert given_up(after, answered=-0.05).verdict("REQ-040") == "fail", "the answer had come"
    assert given_up(after, status=404).verdict("REQ-040") == "pass", "it was none, and was told as none"


def test_the_sentence_says_how_long_it_was_awaited() -> None:
    for took, talk in (("0.400", given_up(0.4)), ("61.000", given_up(61))):
        findings = [x for x in talk.findings(offers=("wire", "request")) if x.requirement == "REQ-040"]
        (said,) = findings
        assert (
            f"told as never answered {took} s after it was sent, and answered by a plain 200 1.000 s" in said.observed
        )
        assert untrue(talk.trace(), findings) == []


def test_who_was_asked_to_stop_or_lost_the_socket_waits_for_no_answer() -> None:
    stopped = given_up(1)
    stopped.stop(round(10.9 * S))
    assert stopped.verdict("REQ-040") == "pass"
    lost = given_up(1)
    lost.end(round(10.9 * S), 1)
    assert lost.verdict("REQ-040") == "pass"


def test_in_a_trace_of_before_that_limit_any_wait_excuses() -> None:
    older = {limit.name: limit.value for limit in ROWS.limits.values() if limit.name != "request_wait"}
    assert given_up(0.1).verdict("REQ-040", limits=older) == "pass"


def test_a_retry_is_awaited_anew() -> None:
    """Its penalty was no wait for an answer."""
    for after, verdict in ((1, "fail"), (3, "pass")):
        talk = asked_for()
        talk.broker(12 * S, 1, {"s": 200, "i": 1, "d": {"p-ticket": "«p-ticket#1»", "p-time": 3}})
        talk.client(16 * S, 1, 'order/item\n3\nid=1\n{"p-ticket": "«p-ticket#1»"}')
        outcome(talk, 16 + after, 1, ok=False, status=0)
        talk.broker(round((17 + after) * S), 1, {"s": 200, "i": 3, "d": {"id": 1}})
        answer(talk, 12, 2)
        outcome(talk, 13, 2)
        assert talk.verdict("REQ-040") == verdict


@pytest.mark.parametrize(("error", "key"), [("", ""), ("status 200 with `errorText`", "errorText")])
def test_an_error_says_what_makes_it_one(error: str, key: str) -> None:
    assert error_of(Answer(0, 1, 200, {key: "no"} if key else {})) == error


def is_the_one(wanted: Any, sent: Any, query: str = "") -> bool:
    talk = Conversation()
    talk.feed(r.Accepted(t=0, conn=1))
    asked = Asked(0, 0, 1, "request", {"endpoint": "order/item", "query": "id=1&b=2", "body": wanted}, True)
    query = query or "b=2&id=1"
    talk.connections[1].requests.append(Request(1, 5, 1, "order/item", "7", query, "", sent))
    return bool(sends_of(talk, asked))


@pytest.mark.parametrize(
    ("sent", "same"),
    [
        ({"a": 1, "legs": [1, 2]}, True),
        ({"a": "1", "legs": [1, 2], "more": 3}, True),
        ({"a": 2, "legs": [1, 2]}, False),
        ({"a": 1}, False),
        ({"a": 1, "legs": [1]}, False),
        ({"a": 1, "legs": [2, 1]}, False),
        (None, False),
    ],
)
def test_a_request_is_known_by_every_value_that_was_asked_for(sent: Any, same: bool) -> None:
    assert is_the_one({"a": 1, "legs": [1, 2]}, sent) is same


def test_a_request_is_known_by_its_query_too() -> None:
    assert is_the_one(None, None)
    assert not is_the_one(None, None, "id=2&b=2")


def test_a_ticket_is_no_final_answer() -> None:
    first, retry = (Request(n, n, 1, "order/item", str(n), "", "", None) for n in (1, 2))
    first.answer = Answer(1, 2, 200, {"p-ticket": "«p-ticket#1»", "p-time": 5})
    assert final_answer([first, retry]) is None
    retry.answer = Answer(3, 4, 200, {"id": 1})
    assert final_answer([first, retry]) is retry.answer
    late = Request(5, 5, 1, "order/item", "3", "", "", None, Answer(6, 6, 200, {"p-ticket": "«p-ticket#2»"}))
    assert final_answer([first, retry, late]) is retry.answer
