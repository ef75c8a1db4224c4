"""Tickets: conversations with one thing changed, and what becomes of the row that it is about."""

from __future__ import annotations

import json
from typing import Any

import pytest
from brokercert.trace import records as r
from talks import S, Talk, alone, authorize, opened, sync

TICKET = "«p-ticket#1»"


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
        ({"ticket": TICKET, "ident": 2}, "fail"),
    ],
    ids=str,
)
def test_a_retry_is_the_same_request_with_its_ticket_under_a_new_id(changed: dict[str, Any], verdict: str) -> None:
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


@pytest.mark.parametrize(("at", "verdict"), [(None, "pass"), (12, "fail"), (35, "fail"), (45, "pass")])
def test_a_captcha_is_not_retried(at: float | None, verdict: str) -> None:
    talk = penalised(captcha=True)
    if at is not None:
        ask(talk, at, ident=3, ticket=TICKET, answer={})
    assert talk.verdict("RLP-040") == verdict


@pytest.mark.parametrize(("by", "verdict"), [("client", "fail"), ("broker", "pass")])
def test_a_new_socket_that_syncs_again_is_a_retry_unless_the_broker_had_ended_the_old(by: Any, verdict: str) -> None:
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 10, ident=2, d={"p-ticket": TICKET, "p-time": 5, "p-captcha": True})
    talk.told.append(r.Ended(t=12 * S, conn=1, by=by, how="fin"))
    opened(talk, 13 * S, 2)
    authorize(talk, 14, conn=2, s=200)
    sync(talk, 15, conn=2, ident=1, d={})
    assert talk.verdict("RLP-040") == verdict


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
