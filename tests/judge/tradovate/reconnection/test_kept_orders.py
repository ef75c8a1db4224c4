"""An order that is asked for while the client has no connection: what was told of it, and whether it came later."""

from __future__ import annotations

from typing import Any

import pytest
from brokercert.trace import records as r
from talks import ROWS, S, alone, authorize, opened, sync

PLACE = 'order/placeorder\n7\n\n{"symbol":"ESH6","price":4487}'


def away(
    *outcomes: tuple[float, bool], sent: float | None = None, asked: float = 21, back: float | None = 30,
    until: float = 120, rest: bool = False, own: float | None = None, other: bool = False, unsupported: bool = False,
) -> tuple[str, str]:  # fmt: skip
    """The socket is lost at 20 s; an order is asked for at 21 s. `outcomes` are (when, ok). `other`: a second socket
    lives on. `own`: when the client places another order by itself.
    """
    talk = alone(until)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    if other:
        opened(talk, 4 * S, 9)
        authorize(talk, 5, conn=9, s=200)
    talk.told.append(r.Ended(t=20 * S, conn=1, by="broker", how="fin"))
    body = {"endpoint": "order/placeorder", "body": {"symbol": "ESH6", "price": 4487}}
    talk.told.append(r.Command(t=0, id=0, command="whistle", body={}))
    talk.told.append(r.SubjectReport(t=1, event="unsupported", body={"event": "unsupported", "id": 0}))
    talk.told.append(r.Command(t=round(asked * S), id=1, command="request", body=body))
    if unsupported:
        talk.told.append(r.SubjectReport(t=22 * S, event="unsupported", body={"event": "unsupported", "id": 1}))
    if rest:
        talk.told.append(r.RestRequest(t=22 * S, conn=1, ordinal=0, method="POST", target="/v1/order/placeorder"))
    if back is not None:
        opened(talk, round(back * S), 2)
        authorize(talk, back + 1, conn=2, s=200)
        sync(talk, back + 2, conn=2, ident=1, d={})
    if sent is not None:
        talk.client(round(sent * S), 2, PLACE)
        talk.broker(round(sent * S) + 1, 2, {"s": 200, "i": 7, "d": {"orderId": 5}})
    if own is not None:
        talk.client(round(own * S), 2, PLACE.replace("4487", "4400").replace("7\n", "8\n"))
    for at, ok in outcomes:
        told: dict[str, Any] = {"event": "outcome", "id": 1, "status": 200 if ok else 0, "ok": ok}
        talk.told.append(r.SubjectReport(t=round(at * S), event="outcome", body=told | {"error": "" if ok else "away"}))
    talk.told.sort(key=lambda record: record.t)
    offers = ("wire", "tokens", *ROWS.by_id["REC-095"].needs)
    found = [f for f in talk.findings(offers=offers) if f.requirement == "REC-095"]
    return (str(found[0].verdict), found[0].observed) if found else ("", "")


def test_an_order_that_is_asked_for_while_away_is_told_as_not_sent_and_not_sent_later() -> None:
    assert away((21.1, False))[0] == "pass"
    assert away((50, False))[0] == "pass", "it may take its time to say so"
    assert away((21.1, False), own=40)[0] == "pass", "an order of its own"
    assert away((21.1, False), sent=33) == (
        "fail",
        "an order that was asked for without a connection was sent 12.000 s later, though it had been told as not sent",
    )
    assert away((34, True), sent=33) == (
        "fail",
        "an order that was asked for without a connection was sent 12.000 s later",
    )
    assert away((100, True), sent=95)[0] == "fail", "minutes later"
    assert away((21.1, True))[0] == "fail", "told as a success"
    assert away((21.1, False), (22, False))[0] == "fail", "told twice"


def test_an_order_of_which_nothing_is_told_is_waited_for_a_minute() -> None:
    assert away()[0] == "fail"
    assert away(until=80)[0] == "not observed"


def test_a_moment_is_no_keeping() -> None:
    """A reconnect was under way: the order is still one of its moment."""
    assert away((25.6, True), back=22, sent=25.5)[0] == "not observed"
    assert away((26.6, True), back=22, sent=26.5)[0] == "fail"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (away((21.1, False), back=None), "the client was not back"),
        (away((21.1, False), until=45), "watched for 13.990 s after the client was back only"),
        (away((21.1, True), rest=True), "the order went over REST"),
        (away(unsupported=True), "the client says that it does not support requests"),
    ],
)
def test_what_does_not_show_it_is_not_observed(told: tuple[str, str], why: str) -> None:
    assert told[0] == "not observed" and why in told[1]


def test_who_had_a_connection_or_could_not_know_of_its_loss_was_not_asked_while_away() -> None:
    for told in (away((21.1, False), other=True), away((21.1, False), asked=20.4), away((21.1, False), asked=15)):
        assert told[0] == "not observed" and "the client had a connection" in told[1]
    assert away((21.1, False), asked=20.6)[0] == "pass"
