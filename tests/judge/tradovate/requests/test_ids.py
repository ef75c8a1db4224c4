"""Ids of requests: REQ-010."""

from __future__ import annotations

import pytest
from asked import ask, outcome
from beating import logged_in
from brokercert.judge import judge_trace
from brokercert.trace import records as r
from talks import JUDGING, ROWS, S
from traces import trace_of


@pytest.mark.parametrize(
    ("idents", "verdict"),
    [(("1", "2"), "pass"), (("1", "1"), "fail"), (("7", "07"), "fail"), (("0", "1"), "fail"), ((), "not observed")],
    ids=["two", "one twice", "7 and 07 are one number", "that of authorize again", "authorize alone shows nothing"],
)
def test_an_id_is_one_requests_whatever_its_endpoint(idents: tuple[str, ...], verdict: str) -> None:
    talk = logged_in(60)
    for place, (ident, endpoint) in enumerate(zip(idents, ("account/list", "order/list"), strict=False)):
        talk.client((10 + place) * S, 1, f"{endpoint}\n{ident}\n\n")
    assert talk.verdict("REQ-010") == verdict


@pytest.mark.parametrize("most", [1 << 8, pytest.param(1 << 16, marks=pytest.mark.long)])
def test_an_id_that_comes_round_is_seen_however_late(most: int) -> None:
    """Of one byte, and of two: judged in a moment, though each request was asked for, answered and told of."""

    def numbered(count: int) -> str:
        talk = logged_in(60)
        for number in range(1, count + 1):
            t, ident = 10 * S + number, 1000 + number % most
            ask(talk, t / S, number)
            talk.client(t, 1, f"order/item\n{ident}\nid={number}\n")
            talk.broker(t, 1, {"s": 200, "i": ident, "d": {"id": number}})
            outcome(talk, t / S, number)
        findings = talk.findings(exercises=("REQ-010", "REQ-020"), offers=("wire", "tokens", "request"))
        return next(str(f.verdict) for f in findings if f.requirement == "REQ-010")

    assert numbered(most + 1) == "fail"
    assert numbered(1 << 8) == "pass"


TICKET = "«p-ticket#1»"
RETRY = f'user/syncrequest\n1\n\n{{"entityTypes":["order"],"p-ticket":"{TICKET}"}}'


@pytest.mark.parametrize(
    ("text", "at", "verdict"),
    [
        (RETRY, 16, "warning"),
        (RETRY.replace("\n1\n", "\n01\n"), 16, "warning"),
        (RETRY.replace("\n1\n", "\n2\n"), 16, "pass"),
        (RETRY.replace("\n1\n", "\n0\n"), 16, "fail"),
        (RETRY.replace('["order"]', '["order","fill"]'), 16, "fail"),
        (RETRY.replace("user/syncrequest", "order/list"), 16, "fail"),
        (RETRY, 10.5, "fail"),
    ],
    ids=["under its id", "the same number", "under a new one", "under the login's", "changed", "elsewhere", "too soon"],
)
def test_a_retry_under_its_own_id_is_the_same_request(text: str, at: float, verdict: str) -> None:
    """No document asks for a new id: the documents ask for the same body, and the ticket (TP §7.2)."""
    talk = logged_in(60)
    talk.client(10 * S, 1, 'user/syncrequest\n1\n\n{"entityTypes":["order"]}')
    talk.broker(11 * S, 1, {"s": 200, "i": 1, "d": {"p-ticket": TICKET, "p-time": 5}})
    talk.client(round(at * S), 1, text)
    talk.broker(17 * S, 1, {"s": 200, "i": int(text.split("\n")[1]), "d": {"users": []}})
    assert talk.verdict("REQ-010") == verdict


def test_a_retry_that_draws_a_ticket_may_be_retried_under_the_same_id() -> None:
    talk = logged_in(60)
    for at, ticket in ((10, None), (16, "«p-ticket#1»"), (22, "«p-ticket#2»")):
        more = f',"p-ticket":"{ticket}"' if ticket else ""
        talk.client(at * S, 1, f'order/item\n1\nid=7\n{{"a":1{more}}}')
        data = {"p-ticket": f"«p-ticket#{at // 6}»", "p-time": 5} if at < 22 else {"id": 7}
        talk.broker((at + 1) * S, 1, {"s": 200, "i": 1, "d": data})
    assert talk.verdict("REQ-010") == "warning" and talk.verdict("RLP-030") == "pass"


def test_what_came_in_one_read_with_its_like_is_no_retry() -> None:
    """It is told behind the ticket, and bears the time of that read: the client cannot have known of the ticket."""
    talk = logged_in(60)
    sent = f'order/item\n1\nid=7\n{{"p-ticket":"{TICKET}"}}'
    talk.client(10 * S, 1, "order/item\n1\nid=7\n{}")
    talk.client(10 * S + 1, 1, sent)
    talk.broker(10 * S + 2, 1, {"s": 200, "i": 1, "d": {"p-ticket": TICKET, "p-time": 5}})
    talk.broker(11 * S, 1, {"s": 200, "i": 1, "d": {"id": 7}})
    told = talk.trace()
    records = list(told.records)
    place = next(n for n, x in enumerate(records) if isinstance(x, r.Frame) and x.text == sent)
    records[place : place + 2] = reversed(records[place : place + 2])
    found = judge_trace(trace_of(told.header, records), ROWS, JUDGING)
    assert [str(f.verdict) for f in found if f.requirement == "REQ-010"] == ["fail"]
