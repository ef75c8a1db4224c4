"""The comparison behind `dev.py virtual`: what is no pass is named, and so is what differs."""

from __future__ import annotations

import runpy
from pathlib import Path

import msgspec
import pytest
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.matrix.subjects import subject_named
from brokercert.requirements import load_set
from brokercert.verdict import RunRecord, encode_run

SET = "tradovate-stage2"
TOOL = runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools" / "virtual.py"))


def played(folder: Path, subject: str, *scenarios: str) -> RunRecord:
    request = RunRequest(SET, subject_named(SET, subject), out=folder, scenarios=scenarios, tier="virtual")
    return run_certification(request, Quiet())


def test_what_is_no_pass_is_named(tmp_path: Path) -> None:
    assert TOOL["failures"](played(tmp_path / "good", "reference", "answer-held", "stop-open")) == []
    wrong = TOOL["failures"](played(tmp_path / "bad", "first-message-only", "answer-in-batch", "stop-open"))
    assert wrong and all(line.endswith(": fail") and "in answer-in-batch" in line for line in wrong)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "run.json: No such file or directory; expected a run's folder; `dev.py certify` makes out/latest"),
        (b"{", "run.json: Input data was truncated; expected a run's folder"),
        (b'{"format": 1}', "missing required field"),
    ],
)
def test_what_is_no_run_is_wrong_use_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_bytes(content)
    assert TOOL["compare"](tmp_path) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"dev.py virtual: {tmp_path}") and said in err and err.count("\n") == 1


def test_a_run_in_virtual_time_is_no_run_to_be_compared_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.json").write_bytes(encode_run(played(tmp_path, "reference", "stop-open")))
    assert TOOL["compare"](tmp_path) == 2
    assert f"{tmp_path}: a run in virtual time; expected one in real time" in capsys.readouterr().err


def test_a_run_in_real_time_that_says_otherwise_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = played(tmp_path, "reference", "answer-in-batch")
    bad = played(tmp_path, "first-message-only", "answer-in-batch")
    compare = TOOL["compare"]
    for record, status, told in ((good, 0, "0 differ"), (bad, 1, "in answer-in-batch: fail in real time, pass in")):
        monkeypatch.setitem(compare.__globals__, "play", lambda *_: good)
        (tmp_path / "run.json").write_bytes(encode_run(msgspec.structs.replace(record, tier="real")))
        assert compare(tmp_path) == status
        assert told in capsys.readouterr().out


def test_a_scenario_that_there_is_none_of_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert TOOL["repeat"](load_set(SET), ("tomorrow",), 2, full=False, jobs=1) == 2
    assert "--scenario tomorrow: no such scenario" in capsys.readouterr().err
