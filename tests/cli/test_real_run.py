"""Short runs in real time, engine, broker and all: what a user sees of clients that never get anywhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from brokercert.engine.run.offline import judge_traces
from brokercert.verdict import Outcome, Verdict, decode_run

DEADLINE = 40.0  # seconds; each of these takes three or so
BROKERCERT = (sys.executable, "-m", "brokercert")


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("BROKERCERT_")}


def left_of(folder: Path) -> list[psutil.Process]:
    """What still runs in a folder: clients are started there, and so are the children of theirs."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue  # it has gone, or is not ours
    return found


def test_a_client_that_exits_at_once_fails_one_row_with_its_last_words_shown(tmp_path: Path) -> None:
    client = ("sh", "-c", "seq 1001 1030; sleep 300 & exit 3")
    done = subprocess.run(
        [*BROKERCERT, "certify", "--only", "LOG-025", "--", *client],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1] == "sh -c: failed for tradovate-stage2: LOG-010"
    assert "1010" not in done.stdout and all(str(n) in done.stdout for n in range(1011, 1031)), "its last 20 lines"
    run = decode_run((tmp_path / "out" / "latest" / "run.json").read_bytes())
    assert " --only LOG-025 -- " in run.reproduce, "this run again, not one of the whole set"
    rows = {row.id: row.verdict for row in run.rows if row.verdict is not Verdict.UNTESTED}
    assert rows == {"LOG-010": Verdict.FAIL, "LOG-025": Verdict.BLOCKED}
    assert left_of(tmp_path) == []

    again = subprocess.run(
        [*BROKERCERT, "judge", "out/latest"], cwd=tmp_path, env=environment(), capture_output=True, timeout=DEADLINE
    )
    assert again.returncode == 1, "judged again, the same"


@pytest.mark.parametrize(
    ("set_id", "rows", "first"),
    [("tradovate-stage2", ("CON-010", "CON-050"), "LOG-010"), ("arrow-orders@2025", ("AOH-020", "AOC-020"), "AOC-010")],
)
def test_whatever_is_asked_of_a_client_that_never_starts_one_row_fails_and_the_rest_is_blocked(
    tmp_path: Path, set_id: str, rows: tuple[str, str], first: str
) -> None:
    only = [word for row in rows for word in ("--only", row)]
    done = subprocess.run(
        [*BROKERCERT, "certify", "--set", set_id, *only, "--", "sh", "-c", "exit 3"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 1, done.stderr
    run = decode_run((tmp_path / "out" / "latest" / "run.json").read_bytes())
    said = {row.id: row.verdict for row in run.rows if row.verdict is not Verdict.UNTESTED}
    assert said == {first: Verdict.FAIL, **dict.fromkeys(rows, Verdict.BLOCKED)}
    played = [path.name for path in (tmp_path / "out" / "latest" / "traces").iterdir()]
    assert played == ["preflight.jsonl"], "one start, whatever was asked for"
    again = judge_traces([tmp_path / "out" / "latest"])
    assert again.outcome is Outcome.FAILED and {row.id: row.verdict for row in again.rows if row.id in said} == said
    assert {(one.name, one.exit, one.state) for one in again.scenarios} == {
        (one.name, one.exit, one.state) for one in run.scenarios
    }
    blocked = [finding for row in run.rows if row.id in rows for finding in row.findings]
    assert {finding.blocked_by for finding in blocked if finding.verdict is Verdict.BLOCKED} == {first}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process alone")
def test_ctrl_c_ends_a_run_with_what_there_is_and_leaves_nobody(tmp_path: Path) -> None:
    client = "import time; print('up', flush=True); time.sleep(300)"
    harness = subprocess.Popen(
        [*BROKERCERT, "certify", "--only", "LOG-025", "--", sys.executable, "-c", client],
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + DEADLINE
        while not any(b'"output"' in path.read_bytes() for path in tmp_path.glob("out/*/traces/*.jsonl")):
            assert time.monotonic() < until and harness.poll() is None, "the client has not been seen"
            time.sleep(0.05)  # until another process has written: there is nothing to be told by
        harness.send_signal(signal.SIGINT)
        out, err = harness.communicate(timeout=DEADLINE)
    finally:
        harness.kill()
        harness.wait()
    assert harness.returncode == 130, err
    assert ": interrupted: " in out.splitlines()[-1]
    assert decode_run((tmp_path / "out" / "latest" / "run.json").read_bytes()).outcome is Outcome.INTERRUPTED
    assert left_of(tmp_path) == []
