"""Certifies the same client again and again, idle and beside one busy process per core, and compares the verdicts.

    python3 dev.py repeat [--idle N] [--busy N] [ARGUMENTS OF brokercert certify]

No row may change between pass and fail; inconclusive is allowed where a time was measured, and only beside a load.
Exit status 0: so it is; 1: it is not, and the rows are named.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from busy import busy

UNSURE = "inconclusive: a time"


def certify(arguments: list[str], beside: int) -> dict[str, str]:
    """One run's verdicts, by row. `beside`: busy processes. What it printed goes to standard error where it broke."""
    with tempfile.TemporaryDirectory() as out, busy(beside):
        command = [sys.executable, "-m", "brokercert", "certify", "--out", out, *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        record = Path(out) / "latest" / "run.json"
        if done.returncode not in (0, 1, 4) or not record.exists():
            sys.exit(f"the run ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return {row["id"]: told(row) for row in json.loads(record.read_text())["rows"]}


def told(row: dict[str, Any]) -> str:
    """A row's verdict; a time that was too near its limit for a machine that was busy is told from other doubts."""
    doubts = [f for f in row.get("findings", ()) if f["verdict"] == "inconclusive"]
    timed = all(any(m["unit"] == "s" for m in f.get("measured", ())) for f in doubts)
    return UNSURE if row["verdict"] == "inconclusive" and doubts and timed else str(row["verdict"])


def disagreements(runs: list[tuple[bool, dict[str, str]]]) -> dict[str, list[str]]:
    """Rows that changed as they must not: row -> its verdict in each run."""
    found = {}
    for row in runs[0][1]:
        said = {run[row] for loaded, run in runs if not (loaded and run[row] == UNSURE)}
        if len(said) > 1:
            found[row] = [run[row] for _, run in runs]
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py repeat", description=__doc__, add_help=True)
    parser.add_argument("--idle", type=int, default=10, metavar="N", help="runs on the idle machine (10)")
    parser.add_argument("--busy", type=int, default=10, metavar="N", help="runs beside one busy process per core (10)")
    options, rest = parser.parse_known_args(arguments)
    plan = [False] * options.idle + [True] * options.busy
    if not plan:
        parser.error("nothing to repeat: --idle and --busy are both 0")
    runs = []
    for number, loaded in enumerate(plan, 1):
        began = time.monotonic()
        runs.append((loaded, certify(rest, multiprocessing.cpu_count() if loaded else 0)))
        counts: dict[str, int] = {}
        for verdict in runs[-1][1].values():
            counts[verdict] = counts.get(verdict, 0) + 1
        summary = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
        kind = "busy" if loaded else "idle"
        print(f"run {number} of {len(plan)}, {kind}: {summary} ({time.monotonic() - began:.0f} s)", flush=True)
    found = disagreements(runs)
    for row, verdicts in found.items():
        print(f"{row}: {', '.join(verdicts)}")
    failed = sorted({row for _, run in runs for row, verdict in run.items() if verdict == "fail"})
    print(f"{len(runs)} runs, {len(runs[0][1])} rows: {len(found)} changed; failed in some run: {failed or 'none'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
