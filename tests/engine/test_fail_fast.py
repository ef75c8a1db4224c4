"""`--fail-fast`: the first row that fails ends the run, which has failed, and is judged the same from its traces."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from brokercert.engine.ask.waivers import Waivers
from brokercert.engine.run.offline import judge_traces
from brokercert.engine.run.run import RunRequest
from brokercert.matrix.subjects import subject_named
from brokercert.verdict import Outcome, RunRecord, Verdict, Waiver
from saved_runs import saved_run

SET = "tradovate-stage2"
FAILS, LONG = "answer-in-batch", "steady"  # the second goes on for more than a minute and a half


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord, float]:
    """The folder of a run that ended so, its record, and the seconds that it took."""
    request = RunRequest(
        SET,
        subject_named(SET, "first-message-only"),
        out=tmp_path_factory.mktemp("out"),
        only=("LOG-070", "HBT-020"),
        scenarios=(FAILS, LONG),
        fail_fast=True,
    )
    began = time.monotonic()
    folder, run = saved_run(request)
    return folder, run, time.monotonic() - began


def test_the_run_ends_long_before_its_last_scenario_and_has_failed(ended: tuple[Path, RunRecord, float]) -> None:
    _, run, took = ended
    assert took < 60 and run.outcome is Outcome.FAILED and run.sentence.endswith(": LOG-070")
    assert run.ended_early == f"LOG-070 failed in {FAILS}, and --fail-fast ended the run there."
    assert run.ended_early in run.notes
    states = {one.name: one.state for one in run.scenarios if one.name in (FAILS, LONG)}
    assert states == {FAILS: "completed", LONG: "interrupted"}
    assert {row.id: row.verdict for row in run.rows}["HBT-020"] is not Verdict.PASS


def test_judge_says_the_same_of_it(ended: tuple[Path, RunRecord, float]) -> None:
    folder, run, _ = ended
    again = judge_traces([folder])
    assert again.outcome is Outcome.FAILED and run.ended_early in again.notes and again.ended_early == run.ended_early
    assert not any("interrupted or killed" in note for note in again.notes)


def test_without_its_record_nobody_knows_why_a_trace_ends_early(
    ended: tuple[Path, RunRecord, float], tmp_path: Path
) -> None:
    folder, _, _ = ended
    for trace in (folder / "traces").iterdir():
        (tmp_path / trace.name).write_bytes(trace.read_bytes())
    assert judge_traces([tmp_path]).outcome is Outcome.INTERRUPTED


def test_a_waived_failure_ends_nothing(tmp_path: Path) -> None:
    waiver = Waiver(row="LOG-070", reason="later", who="Ana", expiry="2099-01-01")
    request = RunRequest(
        SET,
        subject_named(SET, "first-message-only"),
        out=tmp_path,
        only=("LOG-070",),
        scenarios=(FAILS,),
        fail_fast=True,
        waivers=Waivers((waiver,), "2026-01-01"),
    )
    _, run = saved_run(request)
    assert run.ended_early == "" and run.outcome is Outcome.INCOMPLETE and run.sentence.endswith("waived: LOG-070")


def test_a_row_that_fails_in_the_preflight_ends_the_run_there(tmp_path: Path) -> None:
    request = RunRequest(
        SET,
        subject_named(SET, "authorizes-twice"),
        out=tmp_path,
        only=("LOG-020", "HBT-020"),
        scenarios=("preflight", LONG),
        fail_fast=True,
    )
    folder, run = saved_run(request)
    assert run.ended_early == "LOG-020 failed in preflight, and --fail-fast ended the run there."
    states = {one.name: one.state for one in run.scenarios if one.name in ("preflight", LONG)}
    assert run.outcome is Outcome.FAILED and states == {"preflight": "completed", LONG: "not run"}
    again = judge_traces([folder])
    assert (again.outcome, again.ended_early) == (run.outcome, run.ended_early)


def test_a_preflight_that_passes_ends_nothing(tmp_path: Path) -> None:
    request = RunRequest(
        SET,
        subject_named(SET, "first-message-only"),
        out=tmp_path,
        only=("LOG-010", "LOG-070"),
        scenarios=("preflight", FAILS),
        fail_fast=True,
    )
    _, run = saved_run(request)
    assert run.ended_early == f"LOG-070 failed in {FAILS}, and --fail-fast ended the run there."
