"""Orders in flight: what becomes of the row, by what was sent and told of them."""

from __future__ import annotations

from typing import Any

from brokercert.judge.tradovate.model.conversation import Conversation
from brokercert.trace import records as r
from folds import folded
from talks import ROWS, S, alone, authorize, opened, sync


def in_flight(
    *, placed: bool = False, again: float | None = None, outcomes: tuple[tuple[float, bool], ...] = (),
    refused: int = 0, until: float = 120, looked: bool = True, shots: tuple[tuple[int, bool], ...] = (),
    own: tuple[float, ...] = (), apart: bool = False,
) -> str:  # fmt: skip
    """An order is sent at 10 s and its socket dies unanswered; back at 15 s, and synced where `looked`. `refused` is
    the status of an outcome that is none of success. `own` are orders of the client's own; `apart`: its orders go over
    a socket beside the one that is synced.
    """
    talk = alone(until)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    asked = {"endpoint": "order/placeorder", "body": {"symbol": "ESH6"}}
    talk.told.append(r.Command(t=9 * S, id=1, command="request", body=asked))
    place = 'order/placeorder\n7\n\n{"symbol":"ESH6"}'
    talk.client(10 * S, 1, place)
    if placed:
        talk.told.append(r.RuleApplied(t=10 * S, name="first", conn=1))
    talk.told.append(r.Ended(t=10 * S + 1, conn=1, by="broker", how="rst"))
    opened(talk, 15 * S, 2)
    authorize(talk, 16, conn=2, s=200)
    if apart:
        opened(talk, 15 * S, 3)
        authorize(talk, 16, conn=3, s=200)
    if looked:
        sync(talk, 17, conn=3 if apart else 2, ident=1, d={})
    for number, at in enumerate(own, 30):
        conn = 1 if at < 10 else 2
        talk.client(round(at * S), conn, f'order/placeorder\n{number}\n\n{{"symbol":"NQH6"}}')
        talk.broker(round(at * S), conn, {"s": 200, "i": number, "d": {"orderId": number}})
    if again is not None:
        talk.client(round(again * S), 2, place)
    for at, ok in outcomes:
        body: dict[str, Any] = {"event": "outcome", "id": 1, "status": 200 if ok else refused, "ok": ok}
        talk.told.append(r.SubjectReport(t=round(at * S), event="outcome", body=body))
    for number, (at, held) in enumerate(shots, 2):
        talk.told.append(r.Command(t=at * S, id=number, command="snapshot", body={}))
        body = {
            "event": "snapshot",
            "id": number,
            "entities": {"order": [{"id": 5, "ordStatus": "Working"}] if held else []},
        }
        talk.told.append(r.SubjectReport(t=at * S, event="snapshot", body=body))
    if shots:
        state = {"order": {"5": {"ordStatus": "Working"}}}
        talk.told.append(r.Ledger(t=25 * S, name="after the order in flight", state=state))
    return talk.verdict("REC-090", offers=("wire", "tokens", *ROWS.by_id["REC-090"].needs, "snapshot"))


def test_an_order_in_flight_is_not_sent_again_blindly_and_told_of_once_truly() -> None:
    assert in_flight(outcomes=((18, False),)) == "pass"
    assert in_flight(placed=True, outcomes=((18, True),)) == "pass"
    assert in_flight(placed=True, outcomes=((18, True),), shots=((35, True), (45, True))) == "pass"
    assert in_flight(placed=True, outcomes=((18, True),), shots=((35, False), (45, False))) == "fail", (
        "it knows no order"
    )
    assert in_flight(outcomes=((18, True),)) == "fail", "it never came to the broker"
    assert in_flight(placed=True, outcomes=((18, False),)) == "pass", "it is not known"
    assert in_flight(placed=True, outcomes=((18, False),), refused=200) == "fail", "nobody refused it"
    assert in_flight(outcomes=((18, False),), refused=404) == "pass", "it looked, and the order was not there"
    assert in_flight(outcomes=((18, False), (19, False))) == "fail"
    assert in_flight() == "fail" and in_flight(until=50) == "not observed", "60 s are what it may take"
    assert in_flight(again=20, outcomes=((21, True),)) == "pass", "it looked, and the order was not there"
    assert in_flight(again=20, looked=False, outcomes=((21, True),)) == "fail", "blindly"
    assert in_flight(placed=True, again=20, outcomes=((21, True),)) == "fail", "a second order"


def test_a_clients_own_orders_are_not_the_one_that_it_was_asked_for() -> None:
    for own in ((20.0,), (9.5,), (9.5, 18.0, 20.0)):
        assert in_flight(placed=True, outcomes=((18, False),), own=own) == "pass"
        assert in_flight(placed=True, again=21, outcomes=((22, True),), own=own) == "fail"


def test_what_became_of_an_order_may_be_seen_on_another_socket() -> None:
    assert in_flight(again=20, outcomes=((21, True),), apart=True) == "pass"
    assert in_flight(again=20, outcomes=((21, True),), apart=True, looked=False) == "fail", "blindly"


def asked(*reports: dict[str, Any]) -> Conversation:
    lines = [r.SubjectReport(t=S, event=body["event"], body=body) for body in reports]
    commands = [r.Command(t=0, id=1, command="whistle", body={}), r.Command(t=0, id=2, command="request", body={})]
    return folded(*commands, *lines)
