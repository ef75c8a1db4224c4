"""docs/subject-protocol.md, its JSON Schema, and what the harness and the clients really say are one thing."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
from brokercert.judge.tradovate.model.differences import COMPARED
from click.testing import CliRunner

PAGE = (Path(__file__).parents[2] / "docs" / "subject-protocol.md").read_text()
SCHEMA = json.loads(resources.files("brokercert.data").joinpath("subject-protocol.schema.json").read_text())
SCHEMA_OF: dict[str, Any] = {
    name: fastjsonschema.compile({**SCHEMA, "oneOf": [{"$ref": f"#/definitions/{name}"}]})
    for name in ("command", "report")
}


def block(name: str) -> list[Any]:
    found = re.search(f"<!-- {name}: begin -->\n```json\n(.*?)```\n<!-- {name}: end -->", PAGE, re.DOTALL)
    assert found, f"docs/subject-protocol.md has no block {name}"
    return [json.loads(line) for line in found[1].splitlines()]


@pytest.mark.parametrize(
    ("name", "kind"),
    [("reports", "report"), ("commands", "command"), ("answers", "report"), ("arrow", "report")],
)
def test_the_examples_of_the_page_are_of_the_schema(name: str, kind: str) -> None:
    lines = block(name)
    assert len(lines) >= 4
    for line in lines:
        SCHEMA_OF[kind](line)


def test_every_report_and_command_of_the_schema_has_an_example() -> None:
    reports = block("reports") + block("answers") + block("arrow")
    shown = {x["event"] for x in reports} | {x["command"] for x in block("commands")}
    assert shown == {
        "connecting", "processed", "error", "unsupported", "snapshot", "outcome", "request", "stop", "whistle",
        "raised", "handled", "tracked",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("report", {"event": "processed", "id": 4}),
        ("report", {"event": "processed", "entityType": "order", "id": 4, "eventType": "Changed"}),
        ("report", {"event": "outcome", "id": 4, "status": "200", "error": ""}),
        ("report", {"event": "snapshot", "id": 4, "entities": {"order": [{"id": 1}]}}),
        (
            "report",
            {"event": "snapshot", "id": 4, "entities": {"cashBalance": [{"id": 1, "accountId": 2, "amount": "x"}]}},
        ),
        ("report", {"event": "error"}),
        ("report", {"event": "raised", "name": "opened"}),
        ("report", {"event": "tracked", "orderId": "1", "outcome": "OPEN"}),
        ("report", {"event": "handled", "handler": "*", "orderId": "1"}),
        ("command", {"command": "snapshot"}),
        ("command", {"command": "request", "id": 4, "endpoint": ""}),
    ],
)
def test_the_schema_refuses_what_is_wrong(kind: str, line: Any) -> None:
    with pytest.raises(fastjsonschema.JsonSchemaException):
        SCHEMA_OF[kind](line)


def test_the_page_and_the_schema_name_the_compared_fields() -> None:
    table = re.search("<!-- fields: begin -->\n(.*?)<!-- fields: end -->", PAGE, re.DOTALL)
    assert table
    rows = [line.split(" | ") for line in table[1].splitlines()[2:]]
    assert {row[0].strip("| `"): tuple(re.findall("`(.*?)`", row[1])) for row in rows} == COMPARED
    for kind, names in COMPARED.items():
        assert set(SCHEMA["definitions"][kind]["properties"]) == {"id", *names}


def test_the_command_line_prints_it() -> None:
    from brokercert.cli import cli

    done = CliRunner().invoke(cli, ["schema"])
    assert json.loads(done.stdout) == SCHEMA
