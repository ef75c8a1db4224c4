"""The readers of files as targets: traces, configurations, requirement sets, finds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from brokercert.engine.ask.config import load_config
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import load_dialect
from brokercert.fuzz.documents import wrong_bytes, wrong_json, wrong_text
from brokercert.fuzz.finds import load
from brokercert.fuzz.targets import Plain, target
from brokercert.hostile import Hostile, Level
from brokercert.hostile.edits import one_of
from brokercert.judge import judge_trace
from brokercert.requirements import RequirementError, load_set, parse_set
from brokercert.trace import TraceError
from brokercert.trace.reader import parse_trace

_encode = msgspec.json.Encoder().encode

HEADER = {
    "kind": "header", "format": 1, "tool": "t", "tier": "real", "clock": "monotonic", "source": "mock",
    "set_id": "tradovate-stage2", "set_version": "1", "set_hash": "", "scenario": "s", "exercises": ["MSG-010"],
    "path": "direct", "exclusive": False, "seed": 1, "subject": "x", "level": "wire", "offers": ["wire"], "absent": {},
    "readings": {}, "limits": {"connect": 5.0},
}  # fmt: skip
RECORDS: tuple[dict[str, Any], ...] = (
    {"kind": "accepted", "t": 1, "conn": 1},
    {"kind": "head", "t": 2, "conn": 1, "method": "GET", "target": "/", "headers": [["Host", "x"]], "upgrade": True},
    {"kind": "upgrade-answer", "t": 3, "conn": 1, "status": 101},
    {"kind": "frame", "t": 4, "conn": 1, "sender": "broker", "ordinal": 1, "opcode": 1, "text": "o"},
    {"kind": "raw", "t": 5, "conn": 1, "base64": "wQFh"},
    {"kind": "report", "t": 6, "event": "processed", "body": {"event": "processed", "id": 1}},
    {"kind": "finished", "t": 7, "state": "completed"},
)


def _draw_trace(rng: Random, level: Level | None) -> Hostile:
    lines = [_encode(line).decode() for line in (HEADER, *RECORDS)]
    place = int(rng.random() * len(lines))
    name, lines[place] = wrong_json(rng, (HEADER, *RECORDS)[place])
    text = "\n".join(lines) + "\n"
    if rng.random() < 0.2:
        name, text = wrong_text(rng, text)
    return _often_bytes(rng, name, text)


def _often_bytes(rng: Random, name: str, text: str) -> Hostile:
    """As it is, or with bytes changed that a text cannot have."""
    if rng.random() < 0.6:
        return Hostile("json", name, text)
    name, data = wrong_bytes(rng, text.encode("utf-8", "surrogatepass"))
    return Hostile("websocket", name, "", data)


def _bytes_of(hostile: Hostile) -> bytes:
    return hostile.wire or hostile.text.encode("utf-8", "surrogateescape")


@target("trace", "The trace reader: `TraceError`, or a trace that can be judged.", _draw_trace)
async def _trace() -> Plain:
    rows = load_set("tradovate-stage2")
    judging = load_dialect(rows.id).judging

    def take(hostile: Hostile) -> None:
        try:
            trace = parse_trace(_bytes_of(hostile))
        except TraceError:
            return
        judge_trace(trace, rows, judging)

    return Plain(take)


CONFIG = """
[subject]
name = "bot"
command = ["node", "client.mjs", "{url}"]
level = "reports"
stop = "signal"
instances = 3

[subject.env]
LOG_LEVEL = "debug"

[areas]
login = { rows = "LOG", title = "Login" }

[capabilities]
offers = ["tokens"]

[capabilities.absent]
orders = "it only watches"

[readings]
sync-filter = "partner"

[run]
set = "tradovate-stage2"
part = "core"
strict = false
jobs = 4
seed = 1
out = "out"

[limits]
connect = 6
"""
TOML_VALUES = (
    '""', "0", "-1", "1.5", "inf", "nan", "true", "[]", "{}", '["☃"]', '[""]', "[1]", '"☃"', '"\\u0000"', "2026-01-05",
    "[[]]", "{a=1}", "9" * 30, '"../x"', "99999999999999999999",
)  # fmt: skip


def wrong_toml(rng: Random, document: str) -> tuple[str, str]:
    """(defect, text) of a TOML document: one line of it changed, or one place of its text."""
    if rng.random() < 0.2:
        return wrong_text(rng, document)
    lines = document.split("\n")
    places = [n for n, line in enumerate(lines) if line.strip()]
    place = places[int(rng.random() * len(places))]
    line = lines[place]
    key, equals, _ = line.partition("=")
    value = str(one_of(rng, TOML_VALUES))
    if not equals:
        name, changed = one_of(rng, (("no-table", ""), ("other-table", "[☃]"), ("twice", f"{line}\n{line}")))
    else:
        name, changed = one_of(
            rng,
            (
                ("value", f"{key}= {value}"),
                ("value", f"{key}= {value}"),
                ("value", f"{key}= {value}"),
                ("missing", ""),
                ("unknown", f"{line}\nstrange = {value}"),
                ("twice", f"{line}\n{line}"),
                ("table", f"[{key.strip()}]"),
            ),
        )
    lines[place] = changed
    return name, "\n".join(lines)


def _draw_config(rng: Random, level: Level | None) -> Hostile:
    return _often_bytes(rng, *wrong_toml(rng, CONFIG))


@target(
    "config",
    "The reader of brokercert.toml: `UsageError`, or a configuration from which a subject can be made or refused with"
    " `UsageError` again.",
    _draw_config,
)
async def _config() -> Plain:
    folder = Path(tempfile.mkdtemp(prefix="brokercert-fuzz-"))
    path = folder / "brokercert.toml"
    rows = load_set("tradovate-stage2")

    def take(hostile: Hostile) -> None:
        path.write_bytes(_bytes_of(hostile))
        try:
            load_config(path, environ={}).subject(rows)
        except UsageError:
            return

    return Plain(take, folder)


def _draw_set(rng: Random, level: Level | None) -> Hostile:
    return Hostile("json", *wrong_toml(rng, SET))


SET = """
[set]
id = "x-set"
title = "X"
dialect = "tradovate"
version = "1"
marker = "x"
text = "X."
stability = "LOG-010"
never_absent = ["sync"]
antecedents = ["connected"]
placeholders = ["symbol"]

[areas]
login = { rows = "LOG", title = "Login" }

[capabilities]
wire = "Wire."

[parts.core]
title = "Core"

[limits.connect]
value = 5
unit = "s"
origin = "doc"
text = "X."

[[reading]]
id = "r"
question = "?"
answers = ["a", "b"]
default = "a"
rows = ["LOG-010"]

[[requirement]]
id = "LOG-010"
title = "T"
level = "MUST"
text = "X."
source = "S2"
needs = ["wire"]
antecedent = "none"
demanded_by = ""
limits = ["connect"]
parts = ["core"]

[[requirement]]
id = "LOG-020"
title = "T"
level = "SHOULD"
text = "X."
source = "S2"
needs = ["wire"]
antecedent = "connected"
demanded_by = "LOG-010"
"""


@target("sets", "The reader of requirement sets: `RequirementError`, or a set.", _draw_set)
async def _sets() -> Plain:
    def take(hostile: Hostile) -> None:
        try:
            parse_set(hostile.text, name="x.toml")
        except RequirementError:
            return

    return Plain(take)


FIND = {
    "format": 1, "tool": "t", "target": "client", "cause": "c", "seed": 1, "detail": "",
    "frames": [
        {"level": "json", "defect": "cut", "text": "a["}, {"level": "websocket", "defect": "rsv1", "base64": "wQFh"},
    ],
}  # fmt: skip


def _draw_find(rng: Random, level: Level | None) -> Hostile:
    return _often_bytes(rng, *wrong_json(rng, FIND))


@target("finds", "The reader of finds: `UsageError`, or a find.", _draw_find)
async def _finds() -> Plain:
    folder = Path(tempfile.mkdtemp(prefix="brokercert-fuzz-"))
    path = folder / "find.json"

    def take(hostile: Hostile) -> None:
        path.write_bytes(hostile.wire or hostile.text.encode("utf-8", "surrogatepass"))
        try:
            load(path)
        except UsageError:
            return

    return Plain(take, folder)
