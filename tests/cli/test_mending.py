"""The loop of mending: `--failed`, and the one command that plays a row again, from where it was typed."""

from __future__ import annotations

import sys
from pathlib import Path

import brokercert.cli
import pytest
from brokercert.engine.ask.options import started_as
from brokercert.engine.machine import priority
from brokercert.engine.run import run as engine
from brokercert.engine.run.run import RunRequest
from brokercert.verdict import ExitCode, Verdict, decode_run, encode_run
from msgspec import structs

sys.path.insert(0, str(Path(__file__).parents[1] / "plugin"))
from fake_engine import fake_run

RED = {"LOG-010": Verdict.FAIL, "REC-010": Verdict.INCONCLUSIVE, "HBT-010": Verdict.WARNING}


class Door:
    """`brokercert certify` of a client called `mine`; each run finds what `verdicts` say, and has an id of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], folder: Path) -> None:
        self.requests: list[RunRequest] = []
        self.verdicts: dict[str, Verdict] = dict(RED)
        self._capfd = capfd
        (folder / "brokercert.toml").write_text("[subject]\nname = 'mine'\ncommand = ['sh']\n")

        def run(request: RunRequest, progress: object) -> object:
            self.requests.append(request)
            found = fake_run(request, self.verdicts)
            return structs.replace(found, run_id=f"20260101T00000{len(self.requests)}Z-abcd")

        monkeypatch.setattr(engine, "run_certification", run)
        monkeypatch.setattr(priority, "raise_priority", lambda: None)

    def __call__(self, *words: str) -> tuple[int, str]:
        code = brokercert.cli.main(["certify", "--part", "core", *words])
        return code, self._capfd.readouterr().err

    @property
    def played(self) -> tuple[str, ...]:
        return self.requests[-1].only


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], folder: Path) -> Door:
    return Door(monkeypatch, capfd, folder)


def test_what_was_not_green_is_played_again_and_of_that_what_still_is_not(door: Door) -> None:
    assert door()[0] == ExitCode.FAILED
    assert door("--failed")[0] == ExitCode.FAILED
    assert door.played == ("LOG-010", "REC-010"), "a warning is green"
    door.verdicts = {"REC-010": Verdict.FAIL}
    told = door("--failed")[1]
    assert (
        "--failed: LOG-010, REC-010: not green in out/20260101T000002Z-abcd, a run of LOG-010, REC-010 alone\n" in told
    )
    code, told = door("--failed")
    assert code == ExitCode.FAILED and door.played == ("REC-010",), "what was deselected is not red"
    assert "--failed: REC-010: not green in out/20260101T000003Z-abcd, a run of LOG-010, REC-010 alone\n" in told


def test_after_only_the_rows_of_that_run_are_meant_and_it_says_so(door: Door) -> None:
    door()
    door.verdicts = {"REC-010": Verdict.FAIL}
    door("--only", "LOG-010")
    code, told = door("--failed")
    assert code == ExitCode.USAGE and len(door.requests) == 2
    assert told == (
        "brokercert: --failed: out/20260101T000002Z-abcd, a run of LOG-010 alone, has no row that can be asked of mine "
        "and was not green; there is nothing to play; run once without --failed and --only, to ask for all rows\n"
    )


def test_under_strict_a_warning_is_not_green(door: Door) -> None:
    door("--strict")
    door("--failed")
    assert door.played == ("LOG-010", "HBT-010", "REC-010")


def test_after_a_green_run_nothing_is_played(door: Door, folder: Path) -> None:
    door.verdicts = {}
    door()
    code, err = door("--failed")
    assert code == ExitCode.USAGE and len(door.requests) == 1
    assert err == (
        "brokercert: --failed: out/20260101T000001Z-abcd has no row that can be asked of mine and was not green; there "
        "is nothing to play\n"
    )


def test_rows_that_nobody_can_ask_of_the_client_are_not_played_again(
    door: Door, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    door.verdicts = {"CON-030": Verdict.NOT_OBSERVED, "LOG-010": Verdict.FAIL}
    brokercert.cli.main(["certify"])
    brokercert.cli.main(["certify", "--failed"])
    assert door.played == ("LOG-010",), "CON-030 needs `tls`"
    told = "not green in out/20260101T000001Z-abcd; left out, since it cannot be asked of the client now: CON-030"
    assert told in capfd.readouterr().err


@pytest.mark.parametrize("other", ["name", "set", "judged", "broken", "none"])
def test_a_run_of_another_client_or_set_is_not_taken(door: Door, folder: Path, other: str) -> None:
    door()
    file = folder / "out" / "20260101T000001Z-abcd" / "run.json"
    run = decode_run(file.read_bytes())
    if other == "name":
        run = structs.replace(run, subject=structs.replace(run.subject, name="theirs"))
    elif other == "set":
        run = structs.replace(run, set_id="arrow-orders")
    elif other == "judged":
        run = structs.replace(run, environment={"judged": "offline"})
    if other == "none":
        file.unlink()
    else:
        file.write_bytes(b"{" if other == "broken" else encode_run(run))
    code, err = door("--failed")
    assert code == ExitCode.USAGE and len(door.requests) == 1
    assert err == (
        "brokercert: --failed: no run of mine against tradovate-stage2 stands in out; run once without --failed\n"
    )


def test_failed_and_only_are_one_of_both(door: Door) -> None:
    door()
    code, err = door("--failed", "--only", "LOG-010")
    assert code == ExitCode.USAGE and "--failed, beside --only: expected one of both; leave one out" in err


# The command that plays a row again.


def test_the_program_is_told_as_the_shell_finds_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = folder / ".venv" / "bin" / "brokercert"
    inside.parent.mkdir(parents=True)
    inside.write_text("#!/bin/sh\n")
    inside.chmod(0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    assert started_as(str(inside)) == (".venv/bin/brokercert",)
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert started_as(str(inside)) == (str(inside),)
    assert started_as("/usr/lib/brokercert/__main__.py") == (sys.executable, "-m", "brokercert")
    assert started_as("/usr/bin/pytest") == ("brokercert",)
    monkeypatch.setenv("PATH", str(inside.parent))
    assert started_as(str(inside)) == ("brokercert",)
