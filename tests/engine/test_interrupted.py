"""Signals while a run measures, plays and judges: it is judged to its end, and nothing of it is lost."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.run import crew
from brokercert.engine.run import run as running
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.verdict import Outcome, RunRecord, Verdict

SET = "tradovate-stage2"


def request(out: Path) -> RunRequest:
    client = SubjectSpec("quits", (sys.executable, "-S", "-c", "print('up')"), cwd=out.parent)
    return RunRequest(SET, client, only=("LOG-010",), out=out)


def verdict_of(run: RunRecord, row: str) -> Verdict:
    return next(one.verdict for one in run.rows if one.id == row)


@pytest.mark.parametrize("numbers", [(signal.SIGINT,), (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)], ids=len)
def test_while_it_is_judged(
    tmp_path: Path, numbers: tuple[int, ...], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real = running.run_record

    def judged(*facts: Any) -> RunRecord:
        for number in numbers:
            os.kill(os.getpid(), number)
        return real(*facts)

    monkeypatch.setattr(running, "run_record", judged)
    run = run_certification(request(tmp_path / "out"), Quiet())
    assert run.outcome is Outcome.INTERRUPTED and verdict_of(run, "LOG-010") is Verdict.FAIL
    assert run.sentence.endswith("is not certified; it shows fails of LOG-010")
    assert [one.state for one in run.scenarios if one.trace] == ["completed"]
    told = capfd.readouterr().err.splitlines()
    assert len(told) == len(numbers) and all("judging what was recorded" in line for line in told)


def test_before_anything_was_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = crew.calibrate

    async def calibrate() -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return await real()

    monkeypatch.setattr(crew, "calibrate", calibrate)
    run = run_certification(request(tmp_path / "out"), Quiet())
    assert run.outcome is Outcome.INTERRUPTED and run.calibration is None
    assert not any(one.trace for one in run.scenarios)


@pytest.mark.parametrize("place", ["planned", "ended"])
def test_while_it_tells_how_it_goes(tmp_path: Path, place: str) -> None:
    """A signal is served in between whatever the loop computes."""

    class Asking(Quiet):
        pass

    def asked(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    setattr(Asking, place, asked)
    run = run_certification(request(tmp_path / "out"), Asking())
    assert run.outcome is Outcome.INTERRUPTED
    assert verdict_of(run, "LOG-010") in (Verdict.FAIL, Verdict.UNTESTED, Verdict.NOT_OBSERVED)
