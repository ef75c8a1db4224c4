"""A machine that is short of something, and a client that takes the traces away: the run ends with its verdicts."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

from brokercert.verdict import RunRecord, decode_run

DEADLINE = 60.0  # seconds; each of these takes five or so
CERTIFY = (sys.executable, "-m", "brokercert", "certify")
WAITING = ("--only", "LOG-025", "--only", "CON-010")  # rows of three scenarios that are played together


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("BROKERCERT_", "TOXIPROXY"))}
    return subprocess.run(["sh", "-c", line], cwd=folder, env=ours, capture_output=True, text=True, timeout=DEADLINE)


def record(folder: Path) -> RunRecord:
    return decode_run((folder / "out" / "latest" / "run.json").read_bytes())


def test_a_hard_limit_that_is_too_low_for_all_makes_a_run_with_fewer(tmp_path: Path) -> None:
    client = ("sh", "-c", "ulimit -S -n; exit 3")
    done = shell(tmp_path, f"ulimit -n 52; exec {shlex.join((*CERTIFY, *WAITING, '--', *client))}")
    assert done.returncode == 1, done.stderr
    assert "Open files are limited to 52" in done.stderr and "2 at once are played, as with --jobs 2" in done.stderr
    assert "could not be started" not in done.stdout + done.stderr
    run = record(tmp_path)
    assert sum("--jobs 2" in note for note in run.notes) == 1
    assert {one.state for one in run.scenarios if one.trace} == {"completed"}


def test_a_soft_limit_is_raised_for_us_and_not_for_the_client(tmp_path: Path) -> None:
    client = ("sh", "-c", "ulimit -S -n; exit 3")
    done = shell(tmp_path, f"ulimit -S -n 45; exec {shlex.join((*CERTIFY, *WAITING, '--', *client))}")
    assert done.returncode == 1 and "limited" not in done.stderr, done.stderr
    played = [one for one in record(tmp_path).scenarios if one.trace]
    assert {one.output for one in played} == {("45",)}


def test_a_limit_that_leaves_room_for_no_client_is_a_sentence(tmp_path: Path) -> None:
    done = shell(tmp_path, f"ulimit -n 39; exec {shlex.join((*CERTIFY, *WAITING, '--', 'false'))}")
    assert done.returncode == 2 and not done.stdout
    (sentence,) = done.stderr.splitlines()
    assert "ulimit -n is 39" in sentence and "--jobs 1" in sentence and "client's command" not in sentence
    assert os.listdir(tmp_path) == [], "no folder is left"


def test_traces_that_the_client_takes_away_are_there_in_the_end(tmp_path: Path) -> None:
    client = ("sh", "-c", f"rm -rf {tmp_path}/out/*/traces; exit 3")
    done = shell(tmp_path, shlex.join((*CERTIFY, *WAITING, "--", *client)))
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    run = record(tmp_path)
    played = [one for one in run.scenarios if one.trace]
    assert played and {one.state for one in played} == {"completed"}
    assert all("written anew from memory" in one.note for one in played)
    judged = shell(tmp_path, shlex.join((sys.executable, "-m", "brokercert", "judge", "out/latest")))
    assert judged.returncode == 1 and judged.stdout.splitlines()[-1] == run.sentence, judged.stderr
