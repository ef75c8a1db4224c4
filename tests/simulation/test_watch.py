"""The watch over the wire: what breaks an invariant, and what only looks as if it did."""

from __future__ import annotations

import json
from typing import Any

import pytest
from brokercert.simulation.watch import Watch


class Wire:
    """Frames as a broker tells of them, on socket 1."""

    def __init__(self) -> None:
        self.broke = 0
        self.watch = Watch(self._break)
        self.watch.upgrade_answer(0.0, 1, 101)

    def _break(self) -> None:
        self.broke += 1

    def asks(self, endpoint: str, ident: int, body: Any = None) -> None:
        text = f"{endpoint}\n{ident}\n\n{'' if body is None else json.dumps(body)}"
        self.watch.frame(1.0, 1, "client", 1, 1, text.encode())

    def answers(self, ident: int, data: Any = None, status: int = 200) -> None:
        text = "a" + json.dumps([{"e": "props", "d": {}}, {"s": status, "i": ident, "d": data}])
        self.watch.frame(1.0, 1, "broker", 1, 1, text.encode(), 1, 1)

    def tells(self, **line: Any) -> None:
        self.watch.line(2.0, json.dumps(line))

    def begins(self) -> None:
        self.asks("authorize", 0)
        self.answers(0)
        self.asks("user/syncrequest", 1, {"entityTypes": ["order"]})
        self.answers(1, {"orders": []})

    @property
    def breach(self) -> str:
        return self.watch.breach.invariant if self.watch.breach else ""


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_a_session_as_it_should_be(wire: Wire) -> None:
    wire.begins()
    tag = wire.watch.ask(7)
    wire.watch.frame(1.0, 1, "client", 1, 1, b"[]")
    wire.asks("order/placeorder", 2, {"clOrdId": tag})
    assert wire.watch.outstanding == [7]
    wire.answers(2, {"orderId": 5})
    wire.tells(event="outcome", id=7, status=200, ok=True)
    assert (wire.breach, wire.watch.outstanding, wire.broke) == ("", [], 0)


def test_a_second_sync(wire: Wire) -> None:
    wire.begins()
    wire.asks("user/syncRequest", 2, {})
    assert wire.breach == "one-sync" and wire.broke == 1


def test_a_sync_again_for_its_ticket_only_once(wire: Wire) -> None:
    wire.asks("authorize", 0)
    wire.answers(0)
    wire.asks("user/syncrequest", 1, {})
    wire.answers(1, {"p-ticket": "x", "p-time": 2})
    wire.asks("user/syncrequest", 2, {"p-ticket": "x"})
    assert wire.breach == ""
    wire.asks("user/syncrequest", 3, {"p-ticket": "x"})
    assert wire.breach == "one-sync"


@pytest.mark.parametrize("answer", [{"status": 401, "data": "Access is denied"}, {"data": {"p-ticket": "x"}}, None])
def test_a_request_before_authorize_was_answered(wire: Wire, answer: dict[str, Any] | None) -> None:
    wire.asks("authorize", 0)
    if answer is not None:
        wire.answers(0, **answer)
    assert wire.breach == ""
    wire.asks("account/list", 1)
    assert wire.breach == "authorized-first"


def test_a_request_that_comes_twice(wire: Wire) -> None:
    wire.begins()
    tag = wire.watch.ask(7)
    wire.asks("order/placeorder", 2, {"clOrdId": tag})
    wire.asks("order/placeorder", 3, {"clOrdId": tag})
    assert wire.breach == "request-once"


def test_a_request_again_for_its_ticket_over_rest_too(wire: Wire) -> None:
    wire.begins()
    body = {"clOrdId": wire.watch.ask(7)}
    wire.watch.rest_request(1.0, 2, 1, "POST", "/v1/order/placeorder", json.dumps(body))
    wire.watch.rest_answer(1.0, 2, 1, 200, json.dumps({"p-ticket": "x", "p-time": 1}))
    wire.asks("order/placeorder", 2, body | {"p-ticket": "x"})
    wire.answers(2, {"orderId": 5})
    wire.tells(event="outcome", id=7, status=200)
    assert wire.breach == ""
    wire.watch.rest_request(1.0, 2, 2, "POST", "/v1/order/placeorder", json.dumps(body))
    assert wire.breach == "request-once"


@pytest.mark.parametrize("data", [{"failureReason": "x"}, {"errorText": "x"}, {"violations": [{}]}, {"p-ticket": "x"}])
def test_success_that_no_answer_says(wire: Wire, data: dict[str, Any]) -> None:
    wire.begins()
    wire.asks("order/placeorder", 2, {"clOrdId": wire.watch.ask(7)})
    wire.answers(2, data)
    wire.tells(event="outcome", id=7, status=200, ok=True)
    assert wire.breach == "request-once"


def test_success_of_what_never_came(wire: Wire) -> None:
    wire.begins()
    wire.watch.ask(7)
    wire.tells(event="outcome", id=7, status=200)
    assert wire.breach == "request-once"


def test_failure_is_believed(wire: Wire) -> None:
    wire.begins()
    wire.asks("order/placeorder", 2, {"clOrdId": wire.watch.ask(7)})
    wire.tells(event="outcome", id=7, status=0, error="the connection was lost")
    assert wire.breach == ""


def test_two_outcomes_and_one_after_the_end(wire: Wire) -> None:
    wire.watch.ask(7)
    wire.tells(event="outcome", id=7, error="x")
    wire.watch.settle()
    wire.tells(event="outcome", id=7, error="x")
    assert wire.breach == "request-once"
    assert wire.watch.breach is not None and "long after" in wire.watch.breach.text


def test_what_it_does_not_support_is_not_asked_for_again(wire: Wire) -> None:
    wire.begins()
    wire.watch.ask(7)
    wire.tells(event="unsupported", id=7)
    assert (wire.breach, wire.watch.outstanding) == ("", [])
    wire.asks("order/placeorder", 2, {"clOrdId": wire.watch.ask(8)})
    wire.tells(event="unsupported", id=8)
    assert wire.breach == "request-once"


@pytest.mark.parametrize(
    "line", ["hello", "{", '{"event": 1}', '{"event": "outcome", "id": [1]}', "[]", '{"id": true}']
)
def test_lines_of_its_own_are_nobodys_business(wire: Wire, line: str) -> None:
    wire.watch.line(1.0, line)
    assert wire.breach == ""
