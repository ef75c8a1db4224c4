"""Order updates: conversations made by hand, and what becomes of the row that each is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from arrow_talks import VALID, Talk
from brokercert.judge.arrow.edition import FIRST
from brokercert.trace import records as r

ORDER = {
    "orderStatus": "OPEN", "quantity": 10, "filledQuantity": 4, "pendingQuantity": 6, "averagePrice": 1.25,
}  # fmt: skip
OVER = {**ORDER, "orderStatus": "COMPLETE", "filledQuantity": 10, "pendingQuantity": 0}


def believed(true: dict[str, Any], told: Any, at: float = 30) -> str:
    talk = Talk(60)
    talk.asks(1, 1)
    talk.ledger(10, "life", order=true)
    talk.snapshot(at, told)
    return talk.verdict("AOU-010")


@pytest.mark.parametrize("name", ORDER)
def test_every_field_of_an_order_is_compared(name: str) -> None:
    wrong = {**ORDER, name: "PENDING" if name == "orderStatus" else 7}
    assert believed({"1": ORDER}, {"1": ORDER}) == "pass"
    assert believed({"1": ORDER}, {"1": wrong}) == "fail"
    assert believed({"1": ORDER}, {"1": {k: v for k, v in ORDER.items() if k != name}}) == "fail"


def test_what_a_client_may_leave_out_and_what_not() -> None:
    assert believed({"1": ORDER}, [{"orderId": "1", **ORDER, "averagePrice": "1.250"}]) == "pass"
    assert believed({"1": ORDER}, {}) == "fail", "an open order"
    assert believed({"1": OVER}, {}) == "pass", "one that is over"
    assert believed({"1": ORDER}, {"1": ORDER, "2": ORDER}) == "fail", "one that does not exist"
    assert believed({"1": ORDER}, {}, at=12) == "not observed", "5 s are what it may take"


def updated(change: Callable[[Talk, dict[str, Any]], None], row: str) -> str:
    """An update at 10 s and the same again at 20 s; `change` makes the reports."""
    talk = Talk(60)
    talk.told.append(r.Ledger(t=0, name="told", state={"orders": ["1"]}))
    talk.asks(1, 1)
    body = talk.update(10, timestamp="t")
    talk.update(20, timestamp="t")
    change(talk, body)
    return talk.verdict(row)


@pytest.mark.parametrize(("times", "verdict"), [(0, "fail"), (1, "pass"), (2, "fail")])
def test_an_update_that_comes_twice_is_processed_once(times: int, verdict: str) -> None:
    def reports(talk: Talk, body: dict[str, Any]) -> None:
        for number in range(times):
            talk.done(10.1 + 10 * number, body)

    assert updated(reports, "AOU-020") == verdict


@pytest.mark.parametrize(
    ("handlers", "verdict"),
    [
        (("*", "1"), "pass"),
        (("*",), "fail"),
        (("1",), "fail"),
        (("*", "1", "1", "1"), "fail"),
        (("*", "1", "2"), "fail"),
    ],
)
def test_an_update_goes_to_its_own_handler_and_to_that_of_all(handlers: tuple[str, ...], verdict: str) -> None:
    def reports(talk: Talk, body: dict[str, Any]) -> None:
        for handler in handlers:
            talk.done(10.1, body, "handled", handler=handler)

    assert updated(reports, "AOU-040") == verdict


def hostile(change: Callable[[Talk], None], *, pongs: tuple[float, ...] = (31, 61, 91), told: int = 2) -> str:
    """Something unreadable at 10 s, two valid updates at 20 s, of which so many are processed."""
    talk = Talk(150)
    talk.asks(1, 1)
    talk.says(1, "rubbish", 10, by="broker")
    for number, body in enumerate([talk.update(20), talk.update(22)]):
        if number < told:
            talk.done(22.5, body)
    talk.pongs(1, *pongs)
    change(talk)
    return talk.verdict("AOU-050")


def test_what_is_no_update_changes_nothing() -> None:
    def nothing(talk: Talk) -> None:
        pass

    def dies(talk: Talk) -> None:
        talk.told.append(r.SubjectExited(t=40_000_000, code=1, asked=False))

    def leaves(talk: Talk) -> None:
        talk.closes(40, 1, "client", 1011)

    def closed(talk: Talk) -> None:
        talk.closes(40, 1)

    def closed_and_back(talk: Talk) -> None:
        closed(talk)
        talk.asks(42, 2)

    assert hostile(nothing) == hostile(closed_and_back) == "pass"
    for wrong in (dies, leaves, closed):
        assert hostile(wrong) == "fail"
    assert hostile(nothing, pongs=()) == "fail"
    assert hostile(nothing, told=1) == hostile(nothing, told=0) == "fail"


def invalid(*, errors: int, applied: bool) -> str:
    talk = Talk(60)
    talk.asks(1, 1)
    bodies = [talk.update(10, orderStatus="STRANGE"), talk.update(20, filledQuantity=None)]
    for number in range(errors):
        talk.report(25 + number, "error", text="an invalid update")
    if applied:
        talk.done(10.1, bodies[0])
    return talk.verdict("AOU-060")


def test_invalid_updates_are_reported_each_and_not_applied() -> None:
    assert invalid(errors=2, applied=False) == "pass"
    assert invalid(errors=1, applied=False) == invalid(errors=0, applied=False) == "warning"
    assert invalid(errors=2, applied=True) == "warning"


def tracked(*outcomes: tuple[float, str], terminal: float | None = 40, until: float = 200) -> str:
    """Told to track order 1 for 100 s at the most; it is complete at that second."""
    talk = Talk(until, settings={"told": {"TRACK_TIMEOUT": "100"}})
    talk.told.append(r.Ledger(t=0, name="told", state={"tracked": ["1"]}))
    talk.asks(1, 1)
    if terminal is not None:
        talk.update(terminal, orderStatus="COMPLETE", filledQuantity=10, pendingQuantity=0)
    for at, outcome in outcomes:
        talk.report(at, "tracked", orderId="1", outcome=outcome)
    return talk.verdict("AOU-080")


def test_tracking_ends_with_the_terminal_state_or_in_time() -> None:
    assert tracked((40.1, "COMPLETE")) == "pass"
    assert tracked((101, "timeout"), terminal=None) == "pass"
    assert tracked((40.1, "CANCELLED")) == "fail"
    assert tracked((40.1, "COMPLETE"), (41, "COMPLETE")) == "fail"
    assert tracked((60, "COMPLETE")) == "fail", "20 s late"
    assert tracked((30, "timeout"), terminal=None) == "fail", "70 s early"
    assert tracked((150, "timeout"), terminal=None) == "fail"
    assert tracked() == tracked(terminal=None) == "fail"
    assert tracked(terminal=None, until=60) == "not observed"


@pytest.mark.parametrize(
    "changed",
    [
        {"updateType": "ORDER_LOST"},
        {"orderStatus": "STRANGE"},
        {"orderId": ""},
        {"tradingSymbol": None},
        {"timestamp": 7},
        {"quantity": None},
        {"filledQuantity": "4"},
        {"pendingQuantity": -6},
        {"quantity": True},
        {"price": None},
        {"averagePrice": -1},
        {"filledQuantity": 5},
    ],
    ids=str,
)
def test_an_update_with_a_wrong_field_is_no_valid_one(changed: dict[str, Any]) -> None:
    valid = VALID | {"timestamp": "t"}
    assert FIRST.problem_of(valid) == ""
    assert FIRST.problem_of({k: v for k, v in (valid | changed).items() if v is not None}) != ""


def test_quantities_of_an_order_that_is_over_need_not_add_up() -> None:
    assert FIRST.problem_of(VALID | {"timestamp": "t", "orderStatus": "CANCELLED", "pendingQuantity": 0}) == ""


def test_what_was_on_its_way_when_the_socket_was_lost_need_not_be_processed() -> None:
    def one(lost_at: float) -> str:
        talk = Talk(60)
        talk.asks(1, 1)
        talk.done(5.1, talk.update(5))
        talk.update(5, timestamp="t5")
        talk.update(10)
        talk.ends(lost_at, 1)
        return talk.verdict("AOU-020")

    assert one(10.1) == "pass"
    assert one(11) == "fail"
