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
) -> str:  # fmt: skip
    """An order is sent at 10 s and its socket dies unanswered; back at 15 s, and synced where `looked`. `refused` is
    the status of an outcome that is none of success.
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
    if looked:
        sync(talk, 17, conn=2, ident=1, d={})
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


def asked(*reports: dict[str, Any]) -> Conversation:
    lines = [r.SubjectReport(t=S, event=body["event"], body=body) for body in reports]
    commands = [r.Command(t=0, id=1, command="whistle", body={}), r.Command(t=0, id=2, command="request", body={})]
    return folded(*commands, *lines)
