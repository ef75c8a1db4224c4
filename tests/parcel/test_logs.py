"""Logs for people: the records that decide a row, by the clock, with direction; cut, small, and text alone."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from brokercert.parcel import logs
from brokercert.parcel.logs import logs_of
from brokercert.verdict import RunRecord, decode_run
from msgspec import structs

LINE = re.compile(r"^  [* ] \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  record \d+ .*")
HOSTILE = "=1\x1b[31m\x00\u202e<script>\n\t\ud800" + "x" * 2**20


@pytest.fixture(scope="module")
def run(certified: Path) -> RunRecord:
    return decode_run((certified / "run.json").read_bytes())


def test_every_row_has_one_and_those_that_were_judged_show_their_frames(run: RunRecord, certified: Path) -> None:
    made = logs_of(run, certified)
    assert set(made) == {f"logs/{row.id}.txt" for row in run.rows}
    for row in run.rows:
        text = made[f"logs/{row.id}.txt"].decode()
        assert text.startswith(f"{row.id} ({row.level}) ") and f"Verdict: {row.verdict.value}" in text
        shown = [line for line in text.splitlines() if LINE.match(line)]
        marked = {int(line.split("record ")[1].split()[0]) for line in shown if line.startswith("  *")}
        evidence = {number for finding in row.findings for number in finding.evidence}
        assert marked <= evidence and bool(marked) == bool(evidence), row.id


def test_direction_clock_and_labels(run: RunRecord, certified: Path) -> None:
    text = logs_of(run, certified)["logs/LOG-030.txt"].decode()
    assert re.search(r"client > broker +authorize", text) and re.search(r"broker > client +a\[", text)
    assert "«access-token#1»" in text and "2100-01-04T14:30:0" in text
    at = [line.split()[1 if line.startswith("  *") else 0] for line in text.splitlines() if LINE.match(line)]
    first = at[: next((n for n, (a, b) in enumerate(pairwise(at), 1) if b < a), len(at))]
    assert len(first) > 5, "in the order of the clock"


def test_together_they_fit_into_one_message(run: RunRecord, certified: Path) -> None:
    made = logs_of(run, certified)
    assert sum(map(len, made.values())) < logs.MOST
    assert max(len(line) for text in made.values() for line in text.decode().splitlines()) < logs.LONGEST + 2


@pytest.mark.parametrize("most", [100_000, 20_000, 6_000])
def test_what_is_more_is_split_into_messages_and_nothing_is_lost(
    run: RunRecord, certified: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = logs_of(run, certified)
    monkeypatch.setattr(logs, "MOST", most)
    made = logs_of(run, certified)
    parts: dict[str, int] = {}
    joined: dict[str, bytes] = {}
    for name, text in made.items():
        _, part, file = name.split("/")
        parts[part] = parts.get(part, 0) + len(text)
        joined[file.split(".")[0]] = joined.get(file.split(".")[0], b"") + text
    assert len(parts) > 1 and max(parts.values()) < most
    assert joined == {name.removeprefix("logs/").removesuffix(".txt"): text for name, text in whole.items()}


def test_what_a_client_said_is_a_line_of_text(run: RunRecord, certified: Path, tmp_path: Path) -> None:
    """In a record, and in what was observed of it."""
    row = next(row for row in run.rows if row.id == "LOG-030")
    finding = structs.replace(row.findings[0], observed=HOSTILE, expected=HOSTILE)
    foul = structs.replace(row, reason=HOSTILE, findings=(finding,))
    (tmp_path / "traces").mkdir()
    name = next(one.trace for one in run.scenarios if one.name == finding.scenario)
    lines = (certified / name).read_bytes().splitlines(keepends=True)
    for number in finding.evidence:
        record: dict[str, Any] = json.loads(lines[number])
        if record["kind"] == "frame":
            record["text"] = HOSTILE.replace("\ud800", "")
            lines[number] = json.dumps(record).encode() + b"\n"
    (tmp_path / name).write_bytes(b"".join(lines))
    text = logs_of(structs.replace(run, rows=(foul,)), tmp_path)["logs/LOG-030.txt"].decode()
    assert all(line.isprintable() for line in text.splitlines()), "and nothing moves a cursor"
    assert max(map(len, text.splitlines())) <= logs.LONGEST + 1 and len(text) < 20_000
