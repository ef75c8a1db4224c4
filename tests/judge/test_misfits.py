"""Reports against the protocol: what is named is what the schema refuses, and what it takes is named nowhere."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import fastjsonschema
import pytest
from brokercert.judge.misfits import ENTITIES, misfit, unreadable
from brokercert.judge.told import told_in
from brokercert.judge.tradovate.model.differences import COMPARED
from brokercert.trace import records as r

SCHEMA = json.loads(resources.files("brokercert.data").joinpath("subject-protocol.schema.json").read_text())
REPORT: Any = fastjsonschema.compile({**SCHEMA, "oneOf": [{"$ref": "#/definitions/report"}]})
COMMANDS = {0: "whistle", 1: "snapshot", 2: "request"}
ORDER = {"id": 7, "accountId": 1, "contractId": 2, "action": "Buy", "ordStatus": "Working"}


def snapshot(**entities: Any) -> dict[str, Any]:
    return {"event": "snapshot", "id": 1, "entities": entities}


def outcome(**more: Any) -> dict[str, Any]:
    return {"event": "outcome", "id": 2, "status": 200, "data": {}, "error": "", **more}


def processed(**more: Any) -> dict[str, Any]:
    return {"event": "processed", "entityType": "order", "id": 7, "eventType": "Created", **more}


@pytest.mark.parametrize(
    "body",
    [
        snapshot(),
        snapshot(order=[ORDER], fill=[], account={"1": {"id": 1}, "2": {"name": "no id of its own"}}, market=[3]),
        snapshot(
            order=[
                {
                    "orderId": "x",
                    "orderStatus": "x",
                    "quantity": 1,
                    "filledQuantity": 1,
                    "pendingQuantity": 1,
                    "averagePrice": 1,
                }
            ]
        ),
        outcome(),
        outcome(ok=True, data=None),
        processed(),
        processed(id="7"),
        {"event": "processed", "connection": 1, "message": 4},
        {"event": "processed", "orderId": "x", "timestamp": "now"},
        {"event": "error", "text": "refused"},
        {"event": "connecting"},
    ],
)
def test_what_the_schema_takes_is_no_misfit(body: dict[str, Any]) -> None:
    REPORT(body)
    assert misfit(body, COMMANDS) == ""


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({**snapshot(), "entities": None}, "`entities` is null; expected an object with a list of entities"),
        ({**snapshot(), "entities": [{"order": [ORDER] * 9}]}, "`entities` is a list; expected an object"),
        ({"event": "snapshot", "id": 1}, "`entities` is missing; "),
        (snapshot(orders=[ORDER], order=7), "`entities.order` is 7; expected a list of entities, or an object of them"),
        (snapshot(order=[ORDER, {"accountId": 1}]), "`entities.order[1].id` is missing; expected the broker's number"),
        (snapshot(order=[{**ORDER, "id": None}]), "`entities.order[0].id` is null; "),
        (snapshot(fill=None), "`entities.fill` is null; "),
        (snapshot(account={"1": None}), "`entities.account[1]` is null; expected an entity"),
        (snapshot(account=["A"]), '`entities.account[0]` is "A"; expected an entity'),
        (outcome(status="200"), '`status` is "200"; expected a whole number'),
        (outcome(status=True), "`status` is true; "),
        (outcome(error=None), "`error` is null; expected a text, an empty one where there is no error"),
        (outcome(ok="yes"), '`ok` is "yes"; expected true or false'),
        (outcome(id="2"), '`id` is "2"; expected that of a command `request`'),
        (processed(entityType=None), "`entityType` is null; expected the event's"),
        ({"event": "processed", "id": 7}, "`entityType` is missing; "),
        (processed(id=[7]), "`id` is [7]; "),
        (processed(eventType=None), "`eventType` is null; expected the event's"),
        ({"event": "processed", "connection": 1, "message": "4"}, '`message` is "4"; expected a whole number'),
        ({"event": "processed", "connection": 1}, "`message` is missing; "),
        ({"event": "processed", "orderId": "x", "timestamp": 5}, "`timestamp` is 5; expected a text"),
        ({"event": "error", "text": ""}, '`text` is ""; expected what the user was told'),
    ],
)
def test_a_misfit_names_field_value_and_what_was_expected(body: dict[str, Any], why: str) -> None:
    with pytest.raises(fastjsonschema.JsonSchemaException):
        REPORT(body)
    assert misfit(body, COMMANDS).startswith(why)


def test_a_client_that_repeats_what_a_hostile_event_was_called_is_not_blamed() -> None:
    assert misfit(processed(eventType="☃", entityType=""), COMMANDS) == ""


@pytest.mark.parametrize(("ident", "wrong"), [(1, False), (2, True), (9, True)])
def test_an_answer_is_that_of_a_command_of_its_kind(ident: int, wrong: bool) -> None:
    assert bool(misfit({**snapshot(), "id": ident}, COMMANDS)) is wrong


def test_what_can_be_compared_all_the_same_is_read() -> None:
    """Nothing of a type and an entry that is none are no entities; what has no id is nobody knows which."""
    assert unreadable(snapshot(order=None, account=["A"], fill={"1": None}, market=7)) == ""
    assert unreadable(snapshot(order=[{}])) and unreadable(snapshot(order=7))


def test_the_types_are_those_that_are_compared() -> None:
    assert set(ENTITIES) == set(COMPARED)


def test_a_line_is_counted_among_all_lines_unless_some_were_thrown_away() -> None:
    def lines(*between: r.Body) -> list[int]:
        bad = {"event": "error"}
        records: list[r.Body] = [r.SubjectOutput(t=0, stream=name, text="a") for name in ("out", "err")]
        records += [r.SubjectReport(t=1, event="error", body=bad), *between]
        records.append(r.SubjectReport(t=2, event="error", body=bad))
        return [x.line for x in told_in(records).misfits]

    assert lines() == [2, 3]
    assert lines(r.OutputDropped(t=1, lines=4, bytes=10)) == [2, 0]
    assert lines(r.OutputDropped(t=1, lines=0, bytes=10)) == [2, 3], "a part of a line"
    assert lines(r.OutputDropped(t=1, lines=4, bytes=10), r.BrokenReport(t=1, line=8, text="{", why="?")) == [2, 9]
