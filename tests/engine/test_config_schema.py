"""The JSON Schema of brokercert.toml takes what the reader takes, field by field, and refuses what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import brokercert.cli
import fastjsonschema
import pytest
from brokercert.engine.ask.fields import FIELDS, read_fields
from brokercert.engine.ask.schema import SHAPES, config_schema
from brokercert.engine.errors import UsageError

VALID = fastjsonschema.compile(config_schema())
# What a field may be given: right and wrong for some field each.
VALUES: tuple[Any, ...] = (
    *("", " ", "a", "client.mjs", "wire", "reports", "wier", "signal", "none", "core", "."),
    *(True, False, -1, 0, 1, 40, 41, 1_000_000, 0.5),
    *([], [""], ["a"], ["a", "b"], [1], ["ACME_*"], ["*"], ["*A"], ["A B"]),
    *({}, {"connect": 6}, {"connect": 0}, {"connect": 1e6}, {"connect": True}),
    *({"A": "b"}, {"A": ""}, {"A": 1}, {"A": " "}),
)  # fmt: skip
# Refused by the reader for what stands outside the file, or inside a text: no schema can know it.
BEYOND = {("subject.cwd", "a"), ("subject.cwd", "client.mjs"), ("subject.cwd", "wire"), ("subject.cwd", "reports")}
BEYOND |= {("subject.cwd", value) for value in ("wier", "signal", "none", "core")}


def document(name: str, value: Any) -> dict[str, Any]:
    table, dot, key = name.rpartition(".")
    return {table: {key: value}} if dot else {key: value}


def toml(name: str, value: Any) -> str:
    table, dot, key = name.rpartition(".")
    shown = "{" + ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items()) + "}" if isinstance(value, dict) else (
        json.dumps(value)
    )  # fmt: skip
    return f"[{table}]\n{key} = {shown}\n" if dot else f"{key} = {shown}\n"


def is_read(folder: Path, text: str) -> bool:
    path = folder / "brokercert.toml"
    path.write_text(text)
    try:
        read_fields(path)
    except UsageError:
        return False
    return True


def is_valid(content: dict[str, Any]) -> bool:
    try:
        VALID(content)
    except fastjsonschema.JsonSchemaException:
        return False
    return True


def test_it_has_the_fields_of_the_reader() -> None:
    assert list(SHAPES) == list(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_value_is_valid_where_the_reader_takes_it(name: str, tmp_path: Path) -> None:
    verdicts = set()
    for value in VALUES:
        if (name, value) in BEYOND if isinstance(value, str) else False:
            continue
        read = is_read(tmp_path, toml(name, value))
        assert is_valid(document(name, value)) is read, (name, value)
        verdicts.add(read)
    assert verdicts == {True, False}, "values of both kinds were tried"


@pytest.mark.parametrize("content", [{"subjct": {}}, {"subject": {"comand": "x"}}, {"run": {"prat": "core"}}])
def test_what_is_not_known_is_refused_by_both(tmp_path: Path, content: dict[str, Any]) -> None:
    ((table, inside),) = content.items()
    text = f"[{table}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in inside.items())
    assert not is_valid(content) and not is_read(tmp_path, text)


def test_the_command_prints_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert brokercert.cli.main(["schema", "config"]) == 0
    assert json.loads(capfd.readouterr().out) == config_schema()
    assert brokercert.cli.main(["schema", "confg"]) == 2
    assert re.search(r"'confg' is not one of 'protocol', 'config'", capfd.readouterr().err)


@pytest.mark.parametrize("example", ["node", "python"])
def test_the_examples_are_valid(example: str) -> None:
    import tomllib

    text = (Path(__file__).parents[2] / "examples" / example / "brokercert.toml").read_text("utf-8")
    assert is_valid(tomllib.loads(text))
