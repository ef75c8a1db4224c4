"""Saved traces are judged the same whatever does the work; what is wrong with them is said in their order."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from brokercert.cli import main
from brokercert.engine.errors import UsageError
from brokercert.engine.run import offline
from brokercert.engine.run.offline import Judged, Share, is_little, judge_share, judge_traces
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.matrix.subjects import subject_named
from brokercert.parallel import Workers, local
from brokercert.verdict import ExitCode, Outcome, RunRecord, Verdict

SET = "tradovate-stage2"
NAMES = ("answer-held", "answer-in-batch", "loss-fin", "stop-away", "stop-open")


def threads() -> Executor:
    return ThreadPoolExecutor(2)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord]:
    """The folder and the record of a run in which rows pass and fail."""
    out = tmp_path_factory.mktemp("out")
    subject = subject_named(SET, "first-message-only")
    run = run_certification(RunRequest(SET, subject, out=out, scenarios=NAMES, tier="virtual"), Quiet())
    return out / run.run_id, run


def steady(run: RunRecord) -> RunRecord:
    return msgspec.structs.replace(run, started="")


@pytest.mark.parametrize("make", [threads, local(2)], ids=["threads", "processes"])
def test_the_record_is_the_same_whatever_the_executor(played: tuple[Path, RunRecord], make: Workers) -> None:
    folder, live = played
    here = judge_traces([folder])
    assert steady(judge_traces([folder], make=make)) == steady(here)
    said = {row.id: row.findings for row in live.rows if row.findings}
    found = {row.id: tuple(f for f in row.findings if f.scenario in NAMES) for row in here.rows}
    assert {row: findings for row, findings in found.items() if findings} == said
    failed = [row for row in here.rows if row.verdict is Verdict.FAIL]
    assert failed and all(row.excerpts for row in failed), "the records around what failed come with it"
    assert [one.name for one in here.scenarios if one.sha256] == sorted(NAMES)


def test_ctrl_c_keeps_what_is_judged(played: tuple[Path, RunRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = played

    def interrupted(share: Share) -> Judged:
        if share.path.stem == "loss-fin":
            raise KeyboardInterrupt
        return judge_share(share)

    monkeypatch.setattr(offline, "judge_share", interrupted)
    run = judge_traces([folder])
    assert run.outcome is Outcome.INTERRUPTED
    states = {one.name: one.state for one in run.scenarios if one.name in NAMES}
    assert states == {
        "answer-held": "completed",
        "answer-in-batch": "completed",
        "loss-fin": "not run",
        "stop-away": "not run",
        "stop-open": "not run",
    }
    found = {f.scenario for row in run.rows for f in row.findings if f.verdict is not Verdict.NOT_OBSERVED}
    assert found == {"answer-held", "answer-in-batch"}
    row = next(row for row in run.rows if row.id == "REC-010")
    assert row.verdict is Verdict.UNTESTED and "loss-fin" in row.reason, "no pass of what was not judged"


@pytest.mark.parametrize("make", [None, threads], ids=["here", "threads"])
def test_the_first_file_that_is_no_trace_is_named(
    played: tuple[Path, RunRecord], tmp_path: Path, make: Workers | None
) -> None:
    good = sorted((played[0] / "traces").glob("*.jsonl"))
    bad = [tmp_path / "b.jsonl", tmp_path / "a.jsonl"]
    for path, copy in zip(bad, (good[0], good[2]), strict=True):
        path.write_bytes(copy.read_bytes() + b"{}\n")
    with pytest.raises(UsageError, match=r"b\.jsonl:\d+: .* one trace record a line"):
        judge_traces([good[1], *bad], make=make)
    with pytest.raises(UsageError, match="a second trace of scenario 'answer-held'"):
        judge_traces([good[0], good[0]], make=make)


def test_few_traces_are_judged_in_this_process_and_many_are_shared_out(
    played: tuple[Path, RunRecord], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, _ = played
    assert is_little([folder])
    assert main(["judge", str(folder)]) == ExitCode.FAILED
    here = capfd.readouterr().out
    monkeypatch.setattr(offline, "LITTLE", 0)
    assert not is_little([folder])
    assert main(["judge", str(folder), "--jobs", "2"]) == ExitCode.FAILED
    assert capfd.readouterr().out == here
