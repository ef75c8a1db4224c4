"""Requests of one socket: ids, answers in any order, tickets waited out and sent again, lock-outs kept."""

import json
from typing import Any

import pytest
from brokercert.reference.tradovate import requests as module
from brokercert.reference.tradovate.requests import Lockout, Outcome, QueueFull, RequestQueue, error_in
from brokercert.reference.tradovate.wire import Reply
from hypothesis import given
from hypothesis import strategies as st

TICKET = {"p-ticket": "tick-1", "p-time": 3}


class Desk:
    """A queue with what came out of it: frames as (endpoint, id, body), outcomes by name."""

    def __init__(self, lockout: Lockout | None = None) -> None:
        self.queue = RequestQueue(lockout or Lockout(3600.0))
        self.outcomes: dict[str, Outcome] = {}

    def ask(self, name: str, endpoint: str = "account/list", *, now: float = 0.0, **more: Any) -> None:
        def done(outcome: Outcome, _now: float) -> None:
            assert name not in self.outcomes, "an outcome came twice"
            self.outcomes[name] = outcome

        self.queue.submit(endpoint, done, now=now, **more)

    def sent(self) -> list[tuple[str, int, Any]]:
        frames = [text.split("\n", 3) for text in self.queue.take()]
        return [(endpoint, int(ident), json.loads(body) if body else None) for endpoint, ident, _, body in frames]

    def answer(self, ident: int, data: Any = None, status: int = 200, now: float = 0.0) -> None:
        self.queue.on_reply(Reply(ident, status, data), now)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_ids_begin_at_0_and_never_repeat(desk: Desk) -> None:
    for name in "abc":
        desk.ask(name)
    assert [ident for _, ident, _ in desk.sent()] == [0, 1, 2]
    assert desk.sent() == []  # taken is taken


@given(st.permutations(range(6)))
def test_answers_are_matched_by_id_in_any_order(order: list[int]) -> None:
    desk = Desk()
    for number in range(6):
        desk.ask(str(number))
    for ident in order:
        desk.answer(ident, {"n": ident})
    assert {name: outcome.data["n"] for name, outcome in desk.outcomes.items()} == {str(n): n for n in range(6)}


def test_an_answer_to_nothing_and_a_second_answer_change_nothing(desk: Desk) -> None:
    desk.ask("a")
    desk.answer(99, "stray")
    desk.answer(-1, TICKET)
    desk.answer(0, "first")
    desk.answer(0, "second")
    assert desk.outcomes["a"].data == "first"
    assert len(desk.sent()) == 1 and desk.queue.due() == float("inf")


def test_a_request_that_is_never_answered_ends_and_others_go_on(desk: Desk) -> None:
    desk.ask("short", within=5)
    desk.ask("long", within=30)
    assert desk.queue.due() == 5
    desk.queue.tick(4.999)
    assert not desk.outcomes
    desk.queue.tick(5)
    assert desk.outcomes["short"].status == 0 and not desk.outcomes["short"].ok
    desk.answer(0, "too late", now=6)
    desk.answer(1, "in time", now=6)
    assert desk.outcomes["long"].ok


def test_a_ticket_is_waited_out_and_the_identical_request_sent_with_it(desk: Desk) -> None:
    desk.ask("a", "user/syncrequest", query="x=1", body={"entityTypes": ["order"], "splitResponses": True})
    desk.sent()
    desk.answer(0, TICKET, now=10)
    assert "a" not in desk.outcomes and desk.queue.due() == 13
    desk.queue.tick(12.999)
    assert desk.sent() == []
    desk.queue.tick(13)
    (text,) = desk.queue.take()
    endpoint, ident, query, body = text.split("\n", 3)
    assert (endpoint, ident, query) == ("user/syncrequest", "1", "x=1")
    assert json.loads(body) == {"entityTypes": ["order"], "splitResponses": True, "p-ticket": "tick-1"}
    desk.answer(1, {"users": []}, now=13.1)
    assert desk.outcomes["a"].ok


def test_a_request_without_a_body_keeps_its_ticket(desk: Desk) -> None:
    desk.ask("a")
    desk.answer(0, TICKET)
    desk.sent()
    desk.queue.tick(3)
    assert desk.sent() == [("account/list", 1, {"p-ticket": "tick-1"})]


def test_a_second_ticket_takes_the_place_of_the_first(desk: Desk) -> None:
    desk.ask("a", body={"b": 1})
    desk.answer(0, TICKET)
    desk.queue.tick(3)
    desk.answer(1, {"p-ticket": "tick-2", "p-time": 7}, now=4)
    desk.sent()
    desk.queue.tick(10.9)
    assert desk.sent() == []
    desk.queue.tick(11)
    assert desk.sent() == [("account/list", 2, {"b": 1, "p-ticket": "tick-2"})]


def test_only_the_penalized_endpoint_waits_and_the_ticket_goes_to_nobody_else(desk: Desk) -> None:
    desk.ask("a", body={"n": 1})
    desk.answer(0, TICKET)
    desk.sent()
    desk.ask("b", body={"n": 2}, now=1)
    desk.ask("other", "contract/list", body={"n": 3}, now=1)
    assert desk.sent() == [("contract/list", 1, {"n": 3})]
    desk.queue.tick(3)
    assert desk.sent() == [
        ("account/list", 2, {"n": 1, "p-ticket": "tick-1"}),
        ("account/list", 3, {"n": 2}),
    ]


def test_what_waits_leaves_by_priority_and_within_one_first_come(desk: Desk) -> None:
    desk.ask("first")
    desk.answer(0, TICKET)
    desk.sent()
    for name, priority in (("c", 5), ("d", 5), ("e", 9), ("a", 1), ("b", 1)):
        desk.ask(name, body={"name": name}, priority=priority, now=1)
    desk.queue.tick(3)
    assert [body.get("name") for _, _, body in desk.sent()] == [None, "a", "b", "c", "d", "e"]


def test_a_captcha_is_an_error_and_is_not_retried(desk: Desk) -> None:
    desk.ask("a")
    desk.sent()
    desk.answer(0, {**TICKET, "p-captcha": True})
    assert not desk.outcomes["a"].ok and "captcha" in desk.outcomes["a"].error
    desk.queue.tick(7200)
    assert desk.sent() == []


def test_after_429_nothing_is_sent_for_an_hour(desk: Desk) -> None:
    desk.ask("a")
    desk.sent()
    desk.answer(0, None, status=429, now=100)
    assert desk.outcomes["a"].status == 429 and not desk.outcomes["a"].ok
    desk.ask("b", "contract/list", now=101)
    desk.queue.tick(3699.9)
    assert desk.sent() == []
    desk.queue.tick(3700)
    assert [endpoint for endpoint, _, _ in desk.sent()] == ["contract/list"]


def test_a_ticket_that_falls_due_in_a_lock_out_waits_for_its_end(desk: Desk) -> None:
    desk.ask("penalized")
    desk.ask("locked out", "contract/list")
    desk.sent()
    desk.answer(0, TICKET)
    desk.answer(1, None, status=429)
    desk.queue.tick(60)
    assert desk.sent() == []


def test_the_longer_of_two_penalties_of_an_endpoint_holds_the_queue(desk: Desk) -> None:
    desk.ask("a")
    desk.ask("b")
    desk.answer(0, TICKET)
    desk.answer(1, {"p-ticket": "tick-2", "p-time": 10})
    desk.ask("c", body={"name": "c"})
    desk.queue.tick(3)
    assert {"name": "c"} not in [body for _, _, body in desk.sent()]


def test_a_penalty_outlives_the_socket_that_drew_it() -> None:
    user = Lockout(3600.0)
    first, second = Desk(user), Desk(user)
    first.ask("a")
    first.answer(0, TICKET)
    first.queue.abandon(1)
    second.ask("b", now=2)
    second.ask("c", "contract/list", now=2)
    assert [endpoint for endpoint, _, _ in second.sent()] == ["contract/list"]
    second.answer(0, now=2)
    assert second.queue.due() == 3, "it is woken at the penalty's end"
    second.queue.tick(2.9)
    assert second.sent() == []
    second.queue.tick(3)
    assert [endpoint for endpoint, _, _ in second.sent()] == ["account/list"]


@pytest.mark.parametrize("wait", [None, "3", -1, 0, {}])
def test_a_ticket_without_a_readable_time_is_still_a_ticket(desk: Desk, wait: Any) -> None:
    desk.ask("a")
    desk.sent()
    desk.answer(0, {"p-ticket": "t", "p-time": wait}, now=5)
    assert "a" not in desk.outcomes
    desk.queue.tick(5)
    assert desk.sent() == [("account/list", 1, {"p-ticket": "t"})]


def test_a_full_queue_refuses(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    desk.ask("a")
    desk.answer(0, TICKET)
    desk.ask("b", now=1)
    desk.ask("c", now=1)
    with pytest.raises(QueueFull):
        desk.ask("d", now=1)


@pytest.mark.parametrize(
    ("status", "data", "error"),
    [
        (200, None, ""),
        (200, {"users": []}, ""),
        (200, {"errorText": ""}, ""),
        (200, {"failureReason": "Success"}, ""),
        (200, {"violations": []}, ""),
        (200, {"errorText": "Operation failed"}, "Operation failed"),
        (200, {"failureReason": "RiskCheck", "failureText": "too large"}, "too large"),
        (200, {"failureReason": "RiskCheck"}, "RiskCheck"),
        (200, {"violations": [{"constraint": "x"}]}, "violations"),
        (401, "Access is denied", "Access is denied"),
        (404, None, "status 404"),
        (500, {"a": 1}, "status 500"),
        (0, None, "status 0"),
        (300, "", "status 300"),
    ],
)
def test_what_is_an_error(status: int, data: Any, error: str) -> None:
    assert error_in(status, data) == error


@given(st.data())
def test_whatever_the_order_of_things_each_request_has_one_outcome_at_most_and_ids_never_repeat(
    data: st.DataObject,
) -> None:
    desk, now, seen, count = Desk(), 0.0, [], 0
    replies = st.sampled_from(
        [(200, None), (200, TICKET), (200, {**TICKET, "p-captcha": True}), (500, "x"), (429, None)]
    )
    for _ in range(data.draw(st.integers(1, 25))):
        now += data.draw(st.floats(0, 20))
        match data.draw(st.sampled_from(["ask", "reply", "tick"])):
            case "ask":
                desk.ask(str(count), data.draw(st.sampled_from(["a", "b"])), now=now)
                count += 1
            case "reply":
                status, body = data.draw(replies)
                desk.answer(data.draw(st.integers(0, count)), body, status, now)
            case _:
                desk.queue.tick(now)
        seen += [ident for _, ident, _ in desk.sent()]
    assert seen == list(range(len(seen)))
    assert set(desk.outcomes) <= {str(n) for n in range(count)}
