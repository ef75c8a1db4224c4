"""The JSON Schema of brokercert.toml, for editors that complete and check it.

The law: it has the fields that the reader has, and no other (`fields.FIELDS`); a test holds each to what the reader
takes. Names that only a requirement set knows (limits, readings, capabilities) are texts here: a run checks them.
"""

from __future__ import annotations

from typing import Any

from brokercert.engine.ask.fields import FIELDS, LEVELS, MOST_JOBS, STOPS, VARIABLE
from brokercert.engine.client.subject import INSTANCES
from brokercert.sets import own_sets

TEXT: dict[str, Any] = {"type": "string", "pattern": r"\S"}
TEXTS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}
LIST: dict[str, Any] = {"type": "array", "items": {"type": "string", "minLength": 1}}

# Field -> its shape and what it is for.
SHAPES: dict[str, tuple[dict[str, Any], str]] = {
    "subject.name": (TEXT, "The client's name, in every verdict."),
    "subject.command": (
        {"oneOf": [TEXT, {**LIST, "minItems": 1}]},
        "How it is started: a program and its arguments, with placeholders as {url} and {token}.",
    ),
    "subject.cwd": (TEXT, "The folder in which it is started, relative to this file."),
    "subject.level": ({"enum": list(LEVELS)}, "How much is read from it."),
    "subject.stop": ({"enum": list(STOPS)}, "How it is asked to leave."),
    "subject.instances": ({"type": "integer", "minimum": 1, "maximum": INSTANCES}, "How many of it may run at once."),
    "subject.entity_types": (LIST, "The types of entities that it relies on."),
    "subject.inherit_env": (
        {"type": "array", "items": {"type": "string", "pattern": f"^(?:{VARIABLE.pattern})$"}},
        "Variables of the shell that it gets beside the usual ones; the last letter may be a star.",
    ),
    "subject.env": (TEXTS, "Its own variables, with placeholders."),
    "capabilities.offers": (LIST, "What more it can show."),
    "capabilities.absent": (
        {"type": "object", "additionalProperties": TEXT},
        "What it lacks: a capability, and the reason.",
    ),
    "readings": (TEXTS, "The answer that it is judged by, where documents leave a question open."),
    "run.set": ({**TEXT, "examples": list(own_sets())}, "The requirement set."),
    "run.part": (TEXT, "The part of the set that is certified; left out: all of it."),
    "run.strict": ({"type": "boolean"}, "Whether a warning fails."),
    "run.jobs": ({"type": "integer", "minimum": 1, "maximum": MOST_JOBS}, "Clients at once."),
    "run.seed": ({"type": "integer", "minimum": 0}, "The seed of all that is drawn."),
    "run.out": (TEXT, "Where runs are written, relative to this file."),
    "limits": (
        {"type": "object", "additionalProperties": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1e6}},
        "Other limits than the set's: each is a deviation, and every report says so.",
    ),
}


def config_schema() -> dict[str, Any]:
    """Draft 7."""
    top: dict[str, Any] = {}
    for name in FIELDS:
        shape, text = SHAPES[name]
        table, dot, key = name.rpartition(".")
        place = top.setdefault(table, _table({}))["properties"] if dot else top
        place[key] = {**shape, "description": text}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "brokercert.toml",
        "description": "What is said once of a client that brokercert certifies.",
        **_table(top),
    }


def _table(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}
