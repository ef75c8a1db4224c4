"""A run that is repeated: of each row the worst verdict counts, and how often stands beside it."""

from __future__ import annotations

import asyncio
import io
import itertools
import os
import shutil
import signal
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import brokercert.cli
import pytest
from brokercert.engine.ask.given import is_file
from brokercert.engine.errors import UsageError
from brokercert.engine.loops import run_loop
from brokercert.engine.machine import priority
from brokercert.engine.run import run as engine
from brokercert.engine.run.believed import believed
from brokercert.engine.run.offline import judge_traces
from brokercert.engine.run.repeat import repeated
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.judge.plays import MOST
from brokercert.matrix.subjects import subject_named
from brokercert.verdict import ExitCode, Outcome, RunRecord, Verdict, decode_run, severity
from brokercert_reports.console import render_console
from brokercert_reports.html import render_html
from brokercert_reports.junit import render_junit
from brokercert_reports.seal import record_bytes
from brokercert_reports.summary import render_summary
from msgspec import structs
from rich.console import Console

SET = "tradovate-stage2"
SCENARIO = "answer-in-batch"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRecord, RunRecord]:
    """One run that passes LOG-070 and one that fails it."""
    out = tmp_path_factory.mktemp("out")
    runs = [
        run_certification(
            RunRequest(SET, subject_named(SET, name), out=out, scenarios=(SCENARIO,), tier="virtual"), Quiet()
        )
        for name in ("reference", "first-message-only")
    ]
    good, bad = (structs.replace(run, subject=runs[0].subject) for run in runs)
    return good, bad


@pytest.mark.parametrize("pattern", list(itertools.product("gb", repeat=3)))
def test_the_worst_verdict_counts_in_whatever_run_it_came(
    both: tuple[RunRecord, RunRecord], pattern: tuple[str, ...]
) -> None:
    good, bad = both
    runs = [structs.replace(bad if one == "b" else good, run_id=f"r-{n}") for n, one in enumerate(pattern)]
    record = repeated(runs, "all")
    assert record.run_id == "all" and record.repeats == 3
    for place, row in enumerate(record.rows):
        tries = [run.rows[place] for run in runs]
        assert row.tries == tuple(one.verdict for one in tries)
        assert severity(row.verdict, row.level) == min(severity(one.verdict, one.level) for one in tries)
    row = next(row for row in record.rows if row.id == "LOG-070")
    assert row.tries.count(Verdict.FAIL) == pattern.count("b")
    assert (record.outcome is Outcome.FAILED) is ("b" in pattern)
    assert record.sentence.endswith("; the worst of 3 runs counts")
    believed(Path("run.json"), record_bytes(record))
    # Evidence leads to the run that it is of.
    if "b" in pattern:
        (finding,) = [one for one in row.findings if one.verdict is Verdict.FAIL]
        (shown,) = [s for s in record.scenarios if (s.name, s.play) == (finding.scenario, finding.play)]
        assert finding.play == pattern.index("b") * MOST + 1
        assert shown.trace == f"r-{pattern.index('b')}/traces/{SCENARIO}.jsonl"


def test_it_is_told_in_every_format_how_often(both: tuple[RunRecord, RunRecord]) -> None:
    good, bad = both
    record = repeated([good, bad, good, bad], "all")
    words = "fail, in 2 of 4 runs"
    out = io.StringIO()
    render_console(record, Console(file=out, width=200))
    for text in (out.getvalue(), render_html(record), render_summary(record)):
        assert words in text and "The run was repeated: 4 runs, and of each row the worst verdict counts." in text
        assert f"LOG-070 ({words})" in text
    suite = ET.fromstring(render_junit(record))
    properties = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert properties["repeated"] == "4"
    case = next(case for case in suite.iter("testcase") if case.get("name", "").startswith("LOG-070"))
    runs = {one.get("name"): one.get("value") for one in case.iter("property")}["runs"]
    assert runs == f"{words}: pass, fail, pass, fail"
    failure = case.find("failure")
    assert failure is not None and f"LOG-070 {words}" in failure.get("message", "")


def test_runs_that_say_the_same_say_so(both: tuple[RunRecord, RunRecord]) -> None:
    assert "All of them said the same of every row." in render_summary(repeated([both[0], both[0]], "all"))


def test_a_fail_behind_something_worse_is_named(both: tuple[RunRecord, RunRecord]) -> None:
    good, bad = both
    rows = tuple(
        structs.replace(row, verdict=Verdict.HARNESS_ERROR) if row.id == "LOG-070" else row for row in good.rows
    )
    record = repeated([structs.replace(good, rows=rows), bad], "all")
    assert record.outcome is Outcome.HARNESS_ERROR and "show fails of LOG-070" in record.sentence


class Door:
    """`brokercert certify`, whose runs are played in virtual time by the clients that a test names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.clients: list[str] = []
        self.requests: list[RunRequest] = []
        monkeypatch.chdir(folder)
        (folder / ".git").mkdir()
        (folder / "brokercert.toml").write_text("[subject]\nname = 'mine'\ncommand = ['sh']\n")
        real = engine.run_certification

        def run(request: RunRequest, progress: object) -> RunRecord:
            self.requests.append(request)
            name = self.clients.pop(0)
            if name == "gone":
                raise UsageError("the client's command was not found")
            if name in ("lost", "taken away"):  # with a run that has traces and no record; or with all of the folder
                shutil.rmtree(request.out) if name == "taken away" else (request.out / "x" / "traces").mkdir(
                    parents=True
                )
                raise UsageError("what was asked for cannot be")
            if name == "stopped":  # between two runs: the next one begins with it
                os.kill(os.getpid(), signal.SIGINT)
                run_loop(asyncio.sleep(0), lambda: "beginning")
            subject = replace(subject_named(SET, name), name=request.subject.name)
            return real(
                RunRequest(SET, subject, out=request.out, scenarios=(SCENARIO,), tier="virtual", again=request.again),
                Quiet(),
            )

        monkeypatch.setattr(engine, "run_certification", run)
        monkeypatch.setattr(priority, "raise_priority", lambda: None)

    def __call__(self, *clients: str, words: tuple[str, ...] = ()) -> int:
        self.clients = list(clients)
        return brokercert.cli.main(["certify", "--repeat", str(len(clients)), *words])


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Door:
    return Door(monkeypatch, tmp_path)


def test_each_run_has_a_folder_in_which_it_is_judged(
    door: Door, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert door("reference", "first-message-only") == ExitCode.FAILED
    out, err = capfd.readouterr()
    assert "run 1 of 2" in err and "run 2 of 2" in err
    assert "LOG-070 fail, in 1 of 2 runs" in out and "--repeat 2 --only LOG-070" in out.replace("\n", " ")
    latest = tmp_path / "out" / "latest"
    record = decode_run((latest / "run.json").read_bytes())
    assert record.repeats == 2 and is_file(latest / "report.html")
    assert all(is_file(latest / one.trace) for one in record.scenarios if one.trace)
    runs = sorted({one.trace.partition("/")[0] for one in record.scenarios if one.trace})
    assert sorted(judge_traces([latest / run]).outcome for run in runs) == ["failed", "incomplete"]
    with pytest.raises(UsageError, match=r"a run that was repeated; judge one of its runs, as in `brokercert judge "):
        judge_traces([latest])
    assert brokercert.cli.main(["report", str(latest)]) == ExitCode.FAILED


def test_a_folder_of_runs_is_told_from_a_run_that_was_repeated(door: Door, tmp_path: Path) -> None:
    door("reference", "reference")
    (repeated_run,) = (one for one in (tmp_path / "out").iterdir() if not one.is_symlink())
    (one, *_, newest) = sorted(path.parent.parent for path in repeated_run.glob("[0-9]*/traces/*.jsonl"))
    with pytest.raises(UsageError, match=rf"a folder of runs; judge one of them, as in `brokercert judge {newest}`"):
        judge_traces([tmp_path / "out"])
    (repeated_run / "run.json").unlink()  # as of one that was killed
    with pytest.raises(UsageError, match=rf"a folder of runs; .* `brokercert judge {repeated_run}/latest`"):
        judge_traces([repeated_run])
    assert one != newest and judge_traces([newest]).outcome is Outcome.INCOMPLETE
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no trace in this folder; expected "):
        judge_traces([tmp_path / "empty"])


def test_fail_fast_ends_the_repeating_too(door: Door, tmp_path: Path) -> None:
    assert door("first-message-only", "reference", words=("--fail-fast",)) == ExitCode.FAILED
    assert decode_run((tmp_path / "out" / "latest" / "run.json").read_bytes()).repeats == 1


def test_a_client_that_goes_away_between_two_runs_loses_none(
    door: Door, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert door("reference", "gone") == ExitCode.USAGE
    assert "was not found; the runs before it stand in out/" in capfd.readouterr().err
    assert list((tmp_path / "out").glob("*/*/run.json"))
    for place in (tmp_path / "out").iterdir():
        place.unlink() if place.is_symlink() else None
    assert door("gone", "reference") == ExitCode.USAGE
    assert not (tmp_path / "out" / "latest").is_symlink(), "nothing was run"


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_signal_between_two_runs_keeps_those_that_were(
    door: Door, tmp_path: Path, capfd: pytest.CaptureFixture[str], before: int
) -> None:
    assert door(*["first-message-only"] * before, "stopped", "reference") == ExitCode.INTERRUPTED
    out, err = capfd.readouterr()
    latest = tmp_path / "out" / "latest"
    if not before:
        assert "brokercert: interrupted\n" in err and not os.path.lexists(latest) and not any(tmp_path.glob("out/*"))
        return
    record = decode_run((latest / "run.json").read_bytes())
    assert record.outcome is Outcome.INTERRUPTED and record.repeats == before
    assert f"interrupted before run {before + 1} of {before + 2}: {before} run" in err
    assert "interrupted" in out.splitlines()[-1] and "LOG-070" in out
    assert brokercert.cli.main(["report", str(latest)]) == ExitCode.INTERRUPTED


@pytest.mark.parametrize("how", ["lost", "taken away"])
@pytest.mark.parametrize("before", [0, 1])
def test_whatever_stands_in_its_folder_wrong_use_is_wrong_use(
    door: Door, tmp_path: Path, capfd: pytest.CaptureFixture[str], how: str, before: int
) -> None:
    """Traces of a run that ended without a record stay, and a folder that is gone breaks nothing."""
    assert door(*["reference"] * before, how, "reference") == ExitCode.USAGE
    assert "brokercert: what was asked for cannot be" in capfd.readouterr().err
    folders = [one for one in (tmp_path / "out").glob("*") if not one.is_symlink()]
    assert len(folders) == (how == "lost")
    assert all((one / "x" / "traces").is_dir() for one in folders)
    assert os.path.lexists(tmp_path / "out" / "latest") is (how == "lost")


def test_a_folder_of_runs_that_cannot_be_made_is_wrong_use(
    door: Door, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert door("reference", "reference", words=("--out", "file/runs")) == ExitCode.USAGE
    assert "--out: no run can be written to file/runs: " in capfd.readouterr().err
