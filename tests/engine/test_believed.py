"""A `run.json` is not believed: whatever of it follows from something else is held against that."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from brokercert.cli import main
from brokercert.engine.errors import UsageError
from brokercert.engine.run.believed import _of_its_page, believed
from brokercert.engine.run.offline import judge_traces
from brokercert.engine.run.run import RunRequest
from brokercert.matrix.subjects import subject_named
from brokercert.verdict import ExitCode, RunRecord
from msgspec import structs
from saved_runs import SET, copied, saved_run

Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run of a client that fails its row."""
    out = tmp_path_factory.mktemp("failed")
    subject = subject_named(SET, "waits-12-s-before-reconnecting")
    return saved_run(RunRequest(SET, subject, out=out, tier="virtual", only=("REC-010",)))[0]


def row(record: dict[str, Any]) -> dict[str, Any]:
    return next(one for one in record["rows"] if one["id"] == "REC-010")


def is_certified(record: dict[str, Any]) -> None:
    record.update(outcome="certified", sentence="c: certified for tradovate-stage2 (81 of 81 rows applicable)")


EDITS: dict[str, tuple[Edit, str]] = {
    "outcome": (is_certified, "outcome: certified; what it is made of says: failed"),
    "sentence": (lambda record: record.update(sentence="c: certified"), "sentence: c: certified; what it is"),
    "name": (lambda record: record["subject"].update(name="another"), "sentence: "),
    "verdict": (
        lambda record: row(record).update(verdict="pass"),
        "REC-010: verdict: pass; what it is made of says: fail",
    ),
    "findings": (lambda record: row(record).update(findings=[]), "REC-010: verdict: fail; "),
    "row": (lambda record: record["rows"].remove(row(record)), "rows: "),
    "level": (
        lambda record: row(record).update(level="SHOULD"),
        "REC-010: level: SHOULD; what it is made of says: MUST",
    ),
    "part": (lambda record: row(record).update(in_part=False), "REC-010: in_part: false; "),
    "asked": (lambda record: record.update(selected=["LOG-010"]), "LOG-010: reason: deselected; "),
    "format": (lambda record: record.update(format=99), "format 99, this version reads "),
    "set": (lambda record: record.update(set_id="../../evil"), "no requirement set '../../evil'"),
    "set hash": (lambda record: record.update(set_hash="0" * 64), "set_hash: 000"),
    "version": (lambda record: record.update(set_version="2"), "set_version: 2; what it is made of says: 1"),
    "limit": (lambda record: record["limits"][0].update(value=99.0), "limits: "),
    "limits": (lambda record: record.update(limits=[]), "limits: ; what it is made of says: "),
    "no run id": (lambda record: record.update(run_id="x"), "seal: "),
    "trace": (lambda record: record["scenarios"][0].update(sha256="0" * 64), "chain: "),
    "no seal": (lambda record: record.update(seal=""), "seal: none; what stands in the file makes "),
    "no chain": (lambda record: record.update(chain=""), "chain: none; the SHA-256 of its traces make "),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_record_that_contradicts_itself_is_refused_and_nothing_is_written(
    failed: Path, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    edit, said = EDITS[name]
    folder = copied(failed, tmp_path / "copy")
    record = json.loads((folder / "run.json").read_text())
    edit(record)
    (folder / "run.json").write_text(json.dumps(record))
    assert main(["report", str(folder), "--out", str(tmp_path / "reports")]) == ExitCode.USAGE
    assert said in capfd.readouterr().err
    assert not list((tmp_path / "reports").glob("*"))


def test_a_record_as_its_run_wrote_it_is_reported_as_the_run_ended(failed: Path, tmp_path: Path) -> None:
    assert main(["report", str(failed), "--out", str(tmp_path / "reports")]) == ExitCode.FAILED


@pytest.mark.parametrize("at", [0, 1000, -2])
def test_a_byte_that_is_no_text_is_told(
    failed: Path, tmp_path: Path, at: int, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = copied(failed, tmp_path / "copy")
    for path in (folder / "run.json", *(folder / "traces").glob("loss-fin.jsonl")):
        whole = path.read_bytes()
        path.write_bytes(whole[:at] + b"\xff" + whole[at:][1:])
        command = "report" if path.name == "run.json" else "judge"
        assert main([command, str(path)]) == ExitCode.USAGE
        assert str(path) in capfd.readouterr().err
        path.write_bytes(whole)


CHANGED: dict[str, Edit] = {
    "subject": lambda record: record["subject"].update(name="another"),
    "seed": lambda record: record.update(seed=record["seed"] + 1),
    "set hash": lambda record: record.update(set_hash="0123456789abcdef"),
    "limits": lambda record: record["limits"][0].update(value=record["limits"][0]["value"] + 1),
    "readings": lambda record: record["subject"].update(readings={"ladder": "x"}),
    "absent": lambda record: record["subject"].update(absent=[{"name": "tls", "reason": "none"}]),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_the_record_and_the_traces_both_say_is_the_same(failed: Path, tmp_path: Path, name: str) -> None:
    folder = copied(failed, tmp_path / "copy")
    record = json.loads((folder / "run.json").read_text())
    CHANGED[name](record)
    (folder / "run.json").write_text(json.dumps(record))  # before its seal, the field is named
    with pytest.raises(UsageError, match=f"run\\.json: {name} .*the record of another run"):
        judge_traces([folder])


@pytest.fixture(scope="module")
def of_an_edition(tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """A short run by the first edition of a set that has two."""
    out = tmp_path_factory.mktemp("edition")
    client = subject_named("arrow-orders", "reference")
    folder, _ = saved_run(RunRequest("arrow-orders", client, out=out, tier="virtual", scenarios=("query-encoded",)))
    return believed(folder / "run.json", (folder / "run.json").read_bytes())


@pytest.mark.parametrize(
    ("said", "right"),
    [
        ("arrow-orders@2025", True),
        ("arrow-orders", True),
        ("", True),
        ("arrow-orders@2026", False),
        ("arrow-orders@", False),
        ("tradovate-stage2", False),
    ],
)
def test_a_record_names_its_set_with_its_edition_or_as_before_there_was_another(
    of_an_edition: RunRecord, said: str, right: bool
) -> None:
    assert of_an_edition.set_name == "arrow-orders@2025" and of_an_edition.source is not None
    record = structs.replace(of_an_edition, set_name=said)
    wrong = [(field, a, b) for field, a, b in _of_its_page(record) if a != b]
    assert wrong == ([] if right else [("set_name", said, "arrow-orders@2025")])
