"""The end of a run: whatever cannot be written or shown, the result is told, the status stands, `latest` is right."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import brokercert_reports.console
import pytest
from brokercert.cli.finish import finish
from brokercert.engine.errors import UsageError
from brokercert.engine.run.folder import run_folder
from brokercert.engine.run.latest import point_latest
from brokercert.verdict import EXIT_CODES, RunRecord, Verdict
from brokercert_reports import write

sys.path.insert(0, str(Path(__file__).parents[1] / "plugin"))

FILES = ("run.json", "report.html", "TEST-tradovate-stage2.xml", "summary.md", "plan.html", "plan.csv", "plan.xlsx")
FULL = OSError(errno.ENOSPC, "No space left on device")


RUN_OF: dict[Verdict | None, RunRecord] = {}


def run_of(verdict: Verdict | None) -> RunRecord:
    """A run in which one row has this verdict, and all others passed."""
    if verdict not in RUN_OF:
        from brokercert.engine.client.subject import SubjectSpec
        from brokercert.engine.run.run import RunRequest
        from fake_engine import fake_run

        asked = RunRequest("tradovate-stage2", SubjectSpec("odd", ("odd",)), part="core")
        RUN_OF[verdict] = fake_run(asked, {"LOG-010": verdict} if verdict else {})
    return RUN_OF[verdict]


@pytest.fixture(params=[None, Verdict.FAIL, Verdict.NOT_OBSERVED, Verdict.HARNESS_ERROR], ids=str)
def run(request: pytest.FixtureRequest) -> RunRecord:
    """A run of each outcome."""
    return run_of(request.param)


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A folder of runs, whose `latest` leads to an earlier one."""
    (tmp_path / "earlier").mkdir()
    point_latest(tmp_path / "earlier")
    return tmp_path


def refusing(names: tuple[str, ...], error: Exception) -> Callable[[Path, bytes], None]:
    real = write._write

    def instead(path: Path, content: bytes) -> None:
        if path.name in names:
            raise error
        real(path, content)

    return instead


@pytest.mark.parametrize("names", [*((name,) for name in FILES), FILES[1:], FILES], ids=len)
@pytest.mark.parametrize(
    "error", [FULL, PermissionError(13, "Permission denied"), RecursionError("too deep")], ids=repr
)
def test_files_that_cannot_be_written_are_told_and_change_nothing(
    before: Path,
    names: tuple[str, ...],
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = run_of(Verdict.FAIL)
    monkeypatch.setattr(write, "_write", refusing(names, error))
    folder = before / "new"
    assert finish(run, folder, newest=True) == EXIT_CODES[run.outcome]
    out, err = capfd.readouterr()
    assert out.splitlines()[-1] == run.sentence
    said = [line for line in err.splitlines() if str(folder) in line]
    assert len(said) == 1 and all(name in said[0] for name in names)
    assert "Traceback" not in err and sorted(os.listdir(folder)) == sorted(set(FILES) - set(names))
    assert (before / "latest").resolve() == folder


def test_a_folder_that_cannot_be_made_is_told_and_latest_leads_nowhere_old(
    before: Path, run: RunRecord, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise FULL

    for name in ("mkdir", "symlink_to"):
        monkeypatch.setattr(Path, name, full)
    monkeypatch.setattr(write, "_write", refusing(FILES, FULL))
    assert finish(run, before / "new", newest=True) == EXIT_CODES[run.outcome]
    out, err = capfd.readouterr()
    assert out.splitlines()[-1] == run.sentence
    assert "latest led to an earlier run and was removed" in err and not (before / "latest").is_symlink()


@pytest.mark.parametrize("error", [ValueError("width"), MemoryError(), RecursionError(), SystemExit(1)], ids=repr)
def test_a_result_that_cannot_be_drawn_is_told_in_its_sentence(
    before: Path,
    error: BaseException,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run = run_of(Verdict.FAIL)

    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(brokercert_reports.console, "render_console", broken)
    assert finish(run, before / "new", newest=True) == EXIT_CODES[run.outcome]
    out, err = capfd.readouterr()
    assert out.splitlines() == [run.sentence] and type(error).__name__ in err


def test_a_file_of_an_earlier_judging_is_told(
    before: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    run = run_of(Verdict.FAIL)
    finish(run, before / "judged")
    capfd.readouterr()
    monkeypatch.setattr(write, "_write", refusing(("report.html",), FULL))
    finish(run, before / "judged")
    assert "what is called report.html in" in capfd.readouterr().err


def test_latest_means_the_newest_run_and_leaves_what_is_not_ours(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        point_latest(tmp_path / name)
        assert (tmp_path / "latest").resolve() == tmp_path / name
    (tmp_path / "latest").unlink()
    assert point_latest(tmp_path / "one") == []
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").mkdir()
    (said,) = point_latest(tmp_path / "one")
    assert not (tmp_path / "latest").is_symlink() and f"use {tmp_path / 'one'}" in said


@pytest.mark.parametrize("kind", ["a copy of a run", "a file"])
def test_no_run_begins_where_latest_would_go_on_to_show_another(tmp_path: Path, kind: str) -> None:
    """As where a CI system brought `out/latest` back from an earlier job: a folder then, and no link any more."""
    latest = tmp_path / "latest"
    latest.mkdir() if kind == "a copy of a run" else latest.touch()
    with pytest.raises(UsageError, match=f"--out: {latest} is no link"), run_folder(tmp_path, "now", "--out"):
        pass
    assert os.listdir(tmp_path) == ["latest"]
