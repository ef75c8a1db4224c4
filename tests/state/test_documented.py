"""What the schema documents of an entity is played, or `documented.toml` says why not: each field, each value."""

from __future__ import annotations

import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.judge.tradovate.model.conversation import data_of, objects_in
from brokercert.matrix.subjects import REFERENCE, subject_named
from brokercert.trace import records as r
from brokercert_mock.tradovate.state import TYPES
from virtual_play import LISTED, ROWS, SCENARIOS, SET, SUITE

TABLE: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("documented.toml").read_text("utf-8"))
SINGULAR = {plural: kind for kind, plural in TYPES.items()}
Entity = dict[str, Any]


# The statuses of answers (TP §3), and where one is never played, why.
STATUSES = {200, 400, 401, 403, 404, 408, 423, 429, 500}
NOT_PLAYED = {423: "it precedes the lock-out that 429 is, which is played; what it asks for is the same hour"}
ANSWERS = "REQ-040 RLP-070 RLP-010 RLP-040 LOG-040 LOG-070 LOG-100".split()  # rows whose scenarios answer so
SHUTDOWNS = {"Maintenance", "ConnectionQuotaReached", "IPQuotaReached"}  # the reasons (TP §4)


@cache
def sent() -> dict[str, list[Entity]]:
    """Every entity that the broker tells the reference client of in the scenarios about states, by type."""
    found: dict[str, list[Entity]] = defaultdict(list)
    for text in (text for name in SCENARIOS for text in _texts(name)):
        for kind, entity in _entities(text):
            found[kind].append(entity)
    return found


def _texts(scenario: str) -> list[str]:
    """The data frames that the broker sends the reference client in a scenario."""
    with tempfile.TemporaryDirectory() as folder:
        request = RunRequest(SET, subject_named(SET, REFERENCE, 1), tier="virtual")
        trace = play_alone(SUITE.by_name(scenario), request, ROWS, "test", Path(folder)).trace
    frames = (x for x in trace.records if isinstance(x, r.Frame) and x.sender == "broker")
    return [frame.text for frame in frames if frame.text is not None and frame.text.startswith("a[")]


@cache
def _messages(rows: tuple[str, ...]) -> list[Entity]:
    """The messages of the scenarios of these rows."""
    names = dict.fromkeys(name for row in rows for name in LISTED[row])
    return [message for name in names for text in _texts(name) for message in objects_in(text)]


def test_every_documented_status_of_an_answer_is_sent_or_excused() -> None:
    assert {x["s"] for x in _messages(tuple(ANSWERS)) if "s" in x} == STATUSES - set(NOT_PLAYED)


def test_an_error_comes_in_each_of_its_forms() -> None:
    told = [x for x in _messages(tuple(ANSWERS)) if "s" in x]
    inside = {name for x in told if isinstance(x.get("d"), dict) for name in x["d"]}
    assert {"errorText", "failureReason", "failureText", "violations", "p-ticket", "p-time", "p-captcha"} <= inside
    texts = [x.get("d") for x in told if x["s"] >= 400]
    assert None in texts and any(str(text).startswith('"') for text in texts)
    assert not all(str(text).isascii() for text in texts)


def test_every_reason_of_a_shutdown_is_sent_with_its_text_and_without() -> None:
    told = [data_of(x) for x in _messages(("EVT-140",)) if x.get("e") == "shutdown"]
    assert {x["reasonCode"] for x in told} == SHUTDOWNS
    assert {"reason" in x for x in told} == {True, False}


def _entities(text: str) -> Iterator[tuple[str, Entity]]:
    for message in objects_in(text):
        data = data_of(message)
        if message.get("e") == "props":
            told = data["entity"]
            yield from ((data["entityType"], one) for one in (told if isinstance(told, list) else [told]))
        elif "users" in data:
            yield from ((SINGULAR[name], one) for name, entities in data.items() for one in entities)


def _words(kind: str, name: str) -> set[str]:
    return set(TABLE[kind].get(name, "").split())


def _unplayed(kind: str) -> set[str]:
    return set(TABLE[kind].get("unplayed", {}))


def test_every_type_that_is_sent_is_in_the_table() -> None:
    assert {kind for kind, entities in sent().items() if entities} == set(TABLE)


@pytest.mark.parametrize("kind", TABLE)
def test_the_fields_are_those_of_the_schema_and_each_is_played_or_excused(kind: str) -> None:
    required, optional = _words(kind, "required"), _words(kind, "optional")
    entities = sent()[kind]
    assert all(required <= set(entity) <= required | optional for entity in entities)
    both = {name for name in optional if any(name in x for x in entities) and any(name not in x for x in entities)}
    assert both == optional - _unplayed(kind)


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind in TABLE for field in TABLE[kind].get("values", {})]
)
def test_every_listed_value_is_sent_or_excused(kind: str, field: str) -> None:
    listed = set(TABLE[kind]["values"][field].split())
    excused = {words[1] for name in _unplayed(kind) if len(words := name.split()) == 2 and words[0] == field}
    assert {x[field] for x in sent()[kind] if field in x} == listed - excused


@pytest.mark.parametrize(("kind", "field"), [(kind, field) for kind in TABLE for field in TABLE[kind].get("signs", {})])
def test_a_number_has_each_sign(kind: str, field: str) -> None:
    values = [x[field] for x in sent()[kind] if field in x]
    signs = {"-" if value < 0 else "+" if value > 0 else "0" for value in values}
    assert signs == set(TABLE[kind]["signs"][field])


def test_the_texts_of_times_have_every_length() -> None:
    lengths = {len(x["timestamp"]) for entities in sent().values() for x in entities if "timestamp" in x}
    assert lengths == {
        len(text) for text in ("2026-01-05T14:30Z", *(f"2026-01-05T14:30:17{x}Z" for x in ("", ".123", ".123456")))
    }
