"""Runs that were saved as `brokercert certify` saves them, and what is done to their folders."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.verdict import Outcome, RunRecord, decode_run, sentence_of
from brokercert_reports.seal import record_bytes
from brokercert_reports.write import write_reports
from msgspec import structs

SET = "tradovate-stage2"


def saved_run(request: RunRequest) -> tuple[Path, RunRecord]:
    """Its folder, with `run.json` and traces, and its record."""
    run = run_certification(request, Quiet())
    folder = request.out / run.run_id
    write_reports(run, folder)
    return folder, run


def copied(folder: Path, into: Path, *, record: bool = True) -> Path:
    """A copy of a run's folder, with or without its `run.json`."""
    shutil.copytree(folder, into)
    if not record:
        (into / "run.json").unlink()
    return into


def unvouched(run: RunRecord) -> RunRecord:
    """The same as it is judged from its traces alone: nothing vouches for them, so that nothing is certified."""
    outcome = Outcome.INCOMPLETE if run.outcome is Outcome.CERTIFIED else run.outcome
    words = {"subject": run.subject.name, "set_id": run.set_id, "part": run.part}
    sentence = sentence_of(outcome, run.rows, missing=run.missing, vouched=False, **words)
    return structs.replace(run, outcome=outcome, sentence=sentence, vouched=False)


def trace_in(folder: Path, scenario: str) -> Path:
    return folder / "traces" / f"{scenario}.jsonl"


def forged(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """The record of a run, changed in its file by somebody who makes chain and seal of it anew."""
    place = folder / "run.json"
    record = json.loads(place.read_bytes())
    change(record)
    if not record["manifest"]:  # of before there were seals
        record.update(chain="", seal="")
    place.write_bytes(record_bytes(decode_run(json.dumps(record).encode())))


def as_in_real_time(header: dict[str, Any]) -> None:
    """As a run in real time has it, of a client that takes commands."""
    settings = load_suite(header["set_id"]).by_name(header["scenario"]).settings_at(True, header["readings"])
    header.update(tier="real", clock="monotonic", level="commands", settings=settings)


def as_before_manifests(header: dict[str, Any]) -> None:
    """As a version wrote it that kept none."""
    header.pop("manifest")


def with_header(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """The header of a trace, changed in its file; its records stay."""
    first, newline, rest = path.read_bytes().partition(b"\n")
    header = json.loads(first)
    change(header)
    path.write_bytes(json.dumps(header).encode() + newline + rest)


def said(run: RunRecord) -> Mapping[str, tuple[str, str]]:
    """Verdict and reason of each row."""
    return {row.id: (row.verdict.value, row.reason) for row in run.rows}
