"""Traces that were tampered with, with and without the record of their run: never certified, and never a traceback."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from brokercert.cli import main
from brokercert.engine.play.play import trace_name
from brokercert.engine.run.manifest import kept_in, read_kept, todays
from brokercert.engine.run.offline import judge_traces
from brokercert.engine.run.run import RunRequest
from brokercert.matrix.subjects import subject_named
from brokercert.sets import own_sets
from brokercert.trace import read_header
from brokercert.verdict import ExitCode, Outcome, Verdict
from saved_runs import SET, as_in_real_time, copied, forged, saved_run, trace_in, with_header

Edit = Callable[[Random, bytes], bytes]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the reference client that is certified for the core."""
    request = RunRequest(
        SET, subject_named(SET, "reference"), out=tmp_path_factory.mktemp("good"), tier="virtual", part="core"
    )
    folder, run = saved_run(request)
    assert run.outcome is Outcome.CERTIFIED, run.sentence
    return folder


def cut(rng: Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) - 1)]


def flipped(rng: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def without_a_line(rng: Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    del lines[rng.randrange(len(lines))]
    return b"".join(lines)


def a_line_twice(rng: Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    place = rng.randrange(len(lines))
    return b"".join((*lines[:place], lines[place], *lines[place:]))


def two_lines_swapped(rng: Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    one = rng.randrange(len(lines) - 1)
    lines[one], lines[one + 1] = lines[one + 1], lines[one]
    return b"".join(lines)


EDITS: dict[str, Edit] = {
    edit.__name__: edit for edit in (cut, flipped, without_a_line, a_line_twice, two_lines_swapped)
}
OFTEN = 4  # of each kind, with and without the record; 13, so 130 in all, were tried once


@pytest.mark.parametrize("record", [True, False], ids=["with run.json", "without run.json"])
@pytest.mark.parametrize("name", EDITS)
def test_a_tampered_trace_is_never_certified(
    good: Path, tmp_path: Path, name: str, record: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = copied(good, tmp_path / "copy", record=record)
    for seed in range(OFTEN):
        rng = Random(seed)
        path = rng.choice(sorted((folder / "traces").glob("*.jsonl")))
        whole = path.read_bytes()
        path.write_bytes(EDITS[name](rng, whole))
        code = main(["judge", str(folder)])
        told = capfd.readouterr()
        assert code != ExitCode.CERTIFIED, seed
        assert "certified for" not in told.out and "Traceback" not in told.err, (seed, told)
        if record:
            assert code == ExitCode.USAGE and path.name in told.err, (seed, told)
        path.write_bytes(whole)


def emptied(field: str) -> Callable[[dict[str, Any]], object]:
    return lambda header: header.update({field: type(header[field])()})


def of_another_set(header: dict[str, Any]) -> None:
    header.update(scenario="kept-alive")


# Of a header: its change, and how the refusal begins. `all`: in each trace alike, so that they agree with each other.
HEADERS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "level emptied": (emptied("level"), "level ''; "),
    "limits emptied": (emptied("limits"), "limits, by their names, nothing; "),
    "a limit taken away": (lambda header: header["limits"].pop("reconnect"), "limits, by their names, "),
    "exercises emptied": (emptied("exercises"), "exercises nothing; "),
    "a row taken away": (lambda header: header.update(exercises=header["exercises"][1:]), "exercises "),
    "a row added": (lambda header: header["exercises"].append("REC-999"), "exercises "),
    "offers emptied": (emptied("offers"), "offers "),
    "asked emptied": (lambda header: header.pop("asked"), "asked missing; "),
    "settings added": (lambda header: header.update(settings={"x": 9.0}), "settings {'x': 9.0}"),
    "a reading that is none": (lambda header: header.update(readings={"moon": "full"}), "readings 'moon'; "),
    "an answer that is none": (
        lambda header: header.update(readings={"sync-filter": "x"}),
        "readings.sync-filter 'x'; ",
    ),
    "an absence that may not be": (lambda header: header.update(absent={"reconnect": "x"}), "absent 'reconnect'; "),
    "another path": (lambda header: header.update(path="moon"), "path moon; "),
    "alone": (lambda header: header.update(exclusive=not header["exclusive"]), "exclusive "),
    "the preflight": (lambda header: header.update(before_all=not header.get("before_all", False)), "before_all "),
    "real": (lambda header: header.update(tier="real"), "clock virtual; "),
    "a recording": (lambda header: header.update(source="recording"), "source recording; "),
    "another version": (lambda header: header.update(set_version="2"), "set version 2; "),
    "another set hash": (lambda header: header.update(set_hash="0" * 64), "set hash 000"),
    "another scenario": (of_another_set, "scenario 'kept-alive'; "),
    "half of the calibration": (lambda header: header.update(calibration={"lag_p99": 1.0}), "calibration lag_p99; "),
}


@pytest.mark.parametrize("record", [True, False], ids=["with run.json", "without run.json"])
@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_its_sets_manifest_contradicts_is_refused(
    good: Path, tmp_path: Path, name: str, record: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    change, said = HEADERS[name]
    folder = copied(good, tmp_path / "copy", record=record)
    traces = sorted((folder / "traces").glob("*.jsonl"))
    one = trace_in(folder, "loss-rst")
    with_header(one, change)
    for paths in ([one], [folder]):
        assert main(["judge", *map(str, paths)]) == ExitCode.USAGE, "alone, or beside others"
        told = capfd.readouterr()
        assert "certified for" not in told.out and str(one) in told.err
    for path in traces:
        if path != one and name != "another scenario":  # two of one scenario are refused as such
            with_header(path, change)
    assert main(["judge", str(folder)]) == ExitCode.USAGE, "in all alike"
    told = capfd.readouterr()
    if name != "another scenario":
        assert re.search(rf"jsonl: {re.escape(said)}.*the manifest of {SET}, version 1 says .*was altered", told.err), (
            told
        )
    assert "certified for" not in told.out and "Traceback" not in told.err


def test_settings_that_were_emptied_are_seen_where_the_scenario_has_any(
    good: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = copied(good, tmp_path / "copy", record=False)
    seen = 0
    for path in sorted((folder / "traces").glob("*.jsonl")):
        whole = path.read_bytes()
        if read_header(path).settings:
            with_header(path, lambda header: header.update(settings={}))
            assert main(["judge", str(path)]) == ExitCode.USAGE
            assert "jsonl: settings {}; the manifest" in capfd.readouterr().err
            path.write_bytes(whole)
            seen += 1
    assert seen


def test_a_virtual_trace_beside_real_ones_is_a_cell_of_the_grid(
    good: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = copied(good, tmp_path / "copy", record=False)
    one = trace_in(folder, "loss-rst")
    for path in (folder / "traces").glob("*.jsonl"):
        if path != one:
            with_header(path, as_in_real_time)
    assert main(["judge", str(folder)]) == ExitCode.USAGE
    assert "loss-rst.jsonl: tier virtual, beside a run in real time; " in capfd.readouterr().err


@pytest.mark.parametrize("record", [True, False], ids=["with run.json", "without run.json"])
@pytest.mark.parametrize("said", ["", "0" * 64], ids=["older than any", "unknown"])
def test_what_no_manifest_vouches_for_is_judged_and_never_certified(
    good: Path, tmp_path: Path, record: bool, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever forges all of it alike, with every hash made anew, gets no certificate by it either."""
    folder = copied(good, tmp_path / "copy", record=record)
    for path in (folder / "traces").glob("*.jsonl"):
        with_header(path, lambda header: header.update(manifest=said))
    if record:
        digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "traces").iterdir()}

        def forge(run: dict[str, Any]) -> None:
            run["manifest"] = said
            for one in run["scenarios"]:
                if one["sha256"]:
                    one["sha256"] = digests[trace_name(one["name"], one["play"])]

        forged(folder, forge)
        assert main(["report", str(folder), "--out", str(tmp_path / "reports")]) == ExitCode.USAGE
        told = capfd.readouterr()
        assert "knows no manifest" in told.err and "certified for" not in told.out
    assert main(["judge", str(folder)]) == ExitCode.INCOMPLETE
    told = capfd.readouterr()
    assert "certified for" not in told.out and "knows no manifest" in " ".join(told.out.split())
    fails = [row for row in judge_traces([folder]).rows if row.verdict is Verdict.FAIL]
    assert not fails, "they are judged all the same"


@pytest.mark.parametrize("gone", ["from its scenario", "from the record", "from both"])
def test_a_row_that_was_taken_out_of_the_record_is_missed(
    good: Path, tmp_path: Path, gone: str, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = copied(good, tmp_path / "copy")

    def forge(run: dict[str, Any]) -> None:
        if gone != "from the record":
            run["scenarios"] = [one for one in run["scenarios"] if one["name"] != "loss-rst"]
            for row in run["rows"]:
                row["scenarios"] = [name for name in row["scenarios"] if name != "loss-rst"]
                row["findings"] = [one for one in row["findings"] if one["scenario"] != "loss-rst"]
        if gone != "from its scenario":
            run["rows"] = [row for row in run["rows"] if row["id"] != "REC-010"]

    forged(folder, forge)
    assert main(["report", str(folder), "--out", str(tmp_path / "reports")]) == ExitCode.USAGE
    told = capfd.readouterr()
    assert "certified for" not in told.out and (": rows: " in told.err or ": scenarios: " in told.err), told
    assert main(["judge", str(folder)]) != ExitCode.CERTIFIED or gone == "from the record"


def test_the_kept_manifest_is_by_what_todays_traces_are_named() -> None:
    """So that a later version, which keeps it, knows what they should hold."""
    for set_id in own_sets():
        kept = [read_kept(path).manifest for path in kept_in(set_id).glob("*.json")]
        assert todays(set_id).hash in {one.hash for one in kept}
        assert len({one.version for one in kept}) == len(kept), "one of each version"


def test_what_nobody_touched_is_certified_as_its_run_was(good: Path) -> None:
    assert main(["judge", str(good)]) == ExitCode.CERTIFIED
