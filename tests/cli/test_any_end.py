"""A run that ends at any moment, by any signal: what was recorded can be judged, `latest` is right, nothing is left.

Each moment with one or two signals; with `EVERY_MOMENT=1` in the environment (in CI) with all of them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from brokercert.engine.run.offline import judge_traces
from brokercert.verdict import EXIT_CODES, Outcome, decode_run

DEADLINE = 50.0  # seconds for any one thing; each takes one or two
BROKERCERT = (sys.executable, "-m", "brokercert")
STAYS = (  # until it is asked to go, and then it takes its time
    "import signal, sys, time\n"
    "def leave(*_): print('leaving', flush=True); time.sleep(0.7); sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, leave); print('up', flush=True); time.sleep(300)"
)
QUITS = "print('up')"


class Run:
    """One run, to be ended. `moment` is waited for by looking at what the run has written so far."""

    def __init__(self, folder: Path, client: str) -> None:
        self.folder = folder
        (folder / "out" / "earlier").mkdir(parents=True)
        (folder / "out" / "latest").symlink_to("earlier")
        (folder / "tmp").mkdir()
        ours = {name: value for name, value in os.environ.items() if not name.startswith("BROKERCERT_")}
        with open(folder / "err", "wb") as err, open(folder / "printed", "wb") as out:
            self.process = subprocess.Popen(
                [*BROKERCERT, "certify", "--only", "LOG-010", "--only", "CON-010", "--", sys.executable, "-c", client],
                cwd=folder,
                env={**ours, "TMPDIR": str(folder / "tmp")},
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def told(self) -> str:
        return (self.folder / "err").read_text()

    @property
    def folders(self) -> list[Path]:
        return [path for path in (self.folder / "out").iterdir() if path.name not in ("latest", "earlier")]

    def handles_signals(self) -> bool:
        """Before that the program has not begun: Python itself is starting."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        caught = next(line for line in status.splitlines() if line.startswith("SigCgt"))
        return bool(int(caught.split()[1], 16) & 1 << (signal.SIGTERM - 1))

    def printed(self, text: bytes) -> bool:
        return any(text in path.read_bytes() for folder in self.folders for path in folder.glob("traces/*.jsonl"))

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end and self.process.poll() is None, self.told
            time.sleep(0.005)  # until another process has written: there is nothing to be told by


MOMENTS: dict[str, tuple[str, Callable[[Run], None]]] = {  # its client, and how to come there
    "at once": (STAYS, lambda run: run.until(run.handles_signals)),
    "planned": (STAYS, lambda run: run.until(lambda: "scenario(s), about" in run.told)),
    "client": (STAYS, lambda run: run.until(lambda: run.printed(b'"up"'))),
    "leaving": (STAYS, lambda run: _leaving(run)),
    "ended": (QUITS, lambda run: run.until(lambda: "nothing else is played" in run.told)),
    "written": (QUITS, lambda run: run.until(lambda: any((path / "run.json").exists() for path in run.folders))),
}
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGKILL")
SOME = {
    ("at once", "SIGTERM"),
    ("planned", "SIGHUP"),
    ("client", "SIGKILL"),
    ("leaving", "SIGINT"),
    ("leaving", "SIGKILL"),
    ("ended", "SIGINT"),
    ("ended", "SIGKILL"),
    ("written", "SIGTERM"),
}


def _leaving(run: Run) -> None:
    """It was asked to end, and is ending its client."""
    run.until(lambda: run.printed(b'"up"'))
    run.process.send_signal(signal.SIGTERM)
    run.until(lambda: run.printed(b'"leaving"'))


def chosen() -> Iterator[tuple[str, str]]:
    for moment in MOMENTS:
        for name in SIGNALS:
            if os.environ.get("EVERY_MOMENT") or (moment, name) in SOME:
                yield moment, name


def end(place: tuple[Path, str, str]) -> tuple[str, str, Run]:
    """Play a run up to a moment, and end it."""
    folder, moment, name = place
    client, comes = MOMENTS[moment]
    run = Run(folder, client)
    try:
        comes(run)
        run.process.send_signal(getattr(signal, name))
        run.process.wait(DEADLINE)
    finally:
        run.process.kill()
        run.process.wait()
    return moment, name, run


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="what a process handles is told in /proc alone")
@pytest.mark.timeout(300)
def test_a_run_that_ends_in_any_way_loses_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    places = [(tmp_path / f"{number}", *which) for number, which in enumerate(chosen())]
    with ThreadPoolExecutor(4) as pool:  # they mostly wait
        for moment, name, run in pool.map(end, places):
            check(run, killed=name == "SIGKILL", where=f"{moment}, {name}: {run.told}")


def check(run: Run, *, killed: bool, where: str) -> None:
    assert "Traceback" not in run.told and "Event loop" not in run.told, where
    latest = (run.folder / "out" / "latest").resolve()
    assert [latest] == [path.resolve() for path in run.folders] or (latest.name == "earlier" and not run.folders), where
    status = run.process.returncode
    records = [path / "run.json" for path in run.folders if (path / "run.json").exists()]
    if killed:
        assert status == -signal.SIGKILL, where
    else:
        assert status == 130 or records, where
        assert bool(records) is bool(run.folders), where
    for record in records:
        outcome = decode_run(record.read_bytes()).outcome
        assert killed or status == EXIT_CODES[outcome], where
        assert outcome in (Outcome.INTERRUPTED, Outcome.FAILED), where
    for folder in run.folders:
        if any(folder.glob("traces/*.jsonl")):
            judged = judge_traces([folder]).outcome
            assert judged in (Outcome.INTERRUPTED, Outcome.INCOMPLETE, Outcome.FAILED), where
            assert not records or judged is decode_run(records[0].read_bytes()).outcome, where
    nothing_stays(run, where)


def nothing_stays(run: Run, where: str) -> None:
    """No process, no state folder: at the latest when the guard has done its work."""
    until = time.monotonic() + DEADLINE
    while left := [*_processes(run.folder), *os.listdir(run.folder / "tmp")]:
        assert time.monotonic() < until, f"{where}: {left}"
        time.sleep(0.05)


def _processes(folder: Path) -> Iterator[int]:
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                yield process.pid
        except psutil.Error:
            continue  # it has gone, or is not ours
