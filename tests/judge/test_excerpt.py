"""What is shown of the records that a finding points to: cut to a line, but for the entity that it is about."""

from __future__ import annotations

import json
from typing import Any

from brokercert.judge.excerpt import LONGEST, excerpt
from brokercert.judge.tradovate.model.entities import told_of
from brokercert.trace import Body, Trace
from brokercert.trace import records as r
from traces import header

HEADER = header("tradovate-stage2", tier="real", clock="monotonic", scenario="flow", level="commands", limits={})
PADDING = "x" * LONGEST
POSITION = {"padding": PADDING, "id": 31, "netPos": 2, "netPrice": 4500.25}
ORDER = {"id": 7, "ordStatus": "Working"}
VERSION = {"id": 8, "orderId": 7, "orderQty": 2, "price": 4500.25}


def shown(record: Body, *about: str) -> str:
    """The text of one record that is itself evidence."""
    (line,) = excerpt(Trace(HEADER, (record,)), [1], (about[0], about[1]) if about else None, told_of).lines
    assert line.marked
    return line.text


def frame(*messages: Any) -> r.Frame:
    return r.Frame(t=0, conn=1, sender="broker", ordinal=1, opcode=1, text="a" + json.dumps(messages))


def event(kind: str, entity: Any) -> dict[str, Any]:
    return {"e": "props", "d": {"entityType": kind, "eventType": "Updated", "entity": entity}}


def snapshot(**entities: Any) -> r.SubjectReport:
    return r.SubjectReport(t=0, event="snapshot", body={"event": "snapshot", "id": 1, "entities": entities})


def test_a_long_record_is_cut_but_for_the_entity_that_it_is_about() -> None:
    whole = json.dumps(POSITION, separators=(",", ":"))
    for record in (
        frame(event("position", POSITION)),
        frame({"s": 200, "i": 1, "d": {"users": [], "positions": [{"id": 30}, POSITION]}}),
        snapshot(position=[{"id": 30}, POSITION]),
        snapshot(Positions={"31": POSITION}),
    ):
        cut, found, rest = shown(record, "position", "31").partition("; in it: position ")
        assert found and rest == whole and len(cut) < LONGEST + 30
        assert "4500.25" not in shown(record), "nothing is about it"


def test_that_it_lacks_the_entity_is_said_and_a_short_record_says_it_itself() -> None:
    assert shown(snapshot(position=[{"id": 30, "padding": PADDING}]), "position", "31").endswith(
        "; no position 31 in it"
    )
    assert shown(frame(event("position", {"id": 31})), "position", "31").endswith("]")


def test_of_an_order_its_versions_and_commands_are_shown_too() -> None:
    record = frame(event("order", ORDER), event("orderVersion", [VERSION, {"id": 9, "orderId": 5}]), PADDING)
    assert shown(record, "order", "7").endswith(
        '; in it: order {"id":7,"ordStatus":"Working"}; orderVersion {"id":8,"orderId":7,"orderQty":2,"price":4500.25}'
    )


def test_the_ledger_shows_what_is_true_of_it() -> None:
    ledger = r.Ledger(t=0, name="the flow", state={"position": {"31": {"netPos": 2}}, "order": {}})
    assert shown(ledger, "position", "31") == 'its state at the flow; in it: position {"id":"31","netPos":2}'
    assert shown(ledger, "order", "7") == "its state at the flow; no order 7 in it"
    assert shown(ledger) == "its state at the flow"


def test_commands_and_reports_are_shown_as_the_json_that_they_are() -> None:
    body = {"command": "whistle", "id": 0}
    assert shown(r.Command(t=0, id=0, command="whistle", body=body)) == 'tells the client: {"command":"whistle","id":0}'
    assert shown(snapshot(order=None)) == 'reports {"event":"snapshot","id":1,"entities":{"order":null}}'
