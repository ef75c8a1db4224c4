"""Hostile clients through `brokercert certify`, as a process. The laws, for each of them: the exit status is one of a
verdict, nothing is a *harness error*, no process, file or secret is left, and memory stays below a bound.

Of the kinds a few are drawn, by a seed; with `TORTURE=SEED` in the environment (in CI) a handful by that one.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from brokercert.trace.disguises import disguises_of, found_in
from brokercert.verdict import EXIT_CODES, Outcome, Verdict, decode_run
from test_torture import HERE, KINDS

SEED = os.environ.get("TORTURE", "")
DRAWN = random.Random(int(SEED or 1)).sample(KINDS, 6 if SEED else 1)
AT_ONCE = 3  # of them: each sleeps most of its time
WITHIN = 55.0  # seconds for one run, on a busy machine; most take six
EVERY = 0.02  # seconds between two looks at its memory
MOST = 300 * 1024 * 1024  # bytes of the harness's own process
VERDICTS = {Verdict.PASS, Verdict.FAIL, Verdict.BLOCKED, Verdict.NOT_OBSERVED, Verdict.INCONCLUSIVE}
# Writes down what it was given, and becomes the hostile client.
TELLS = (
    "import os, sys\n"
    "open(sys.argv[1], 'a').write(os.environ['BROKERCERT_TOKEN'] + '\\n' + os.environ['BROKERCERT_PASSWORD'] + '\\n')\n"
    "os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(sys.platform != "linux", reason="only there a hidden daemon is found"),
]


@dataclass(frozen=True)
class Ran:
    """How one run ended. `peak`: bytes of memory, as far as it was looked at."""

    kind: str
    status: int
    printed: str
    peak: int
    folder: Path


def certified(file: str, kind: str, folder: Path) -> Ran:
    """Certify that client for LOG-010, in a folder of its own."""
    for name in ("work", "tmp", "told"):
        (folder / name).mkdir(parents=True)
    ours = {name: value for name, value in os.environ.items() if not name.startswith("BROKERCERT_")}
    client = [sys.executable, "-c", TELLS, str(folder / "told" / "secrets"), str(HERE / f"{file}.py"), kind]
    with open(folder / "told" / "printed", "wb") as printed:
        process = psutil.Popen(
            [sys.executable, "-m", "brokercert", "certify", "--only", "LOG-010", "--", *client],
            cwd=folder / "work",
            env={**ours, "TMPDIR": str(folder / "tmp")},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
        peak, until = 0, time.monotonic() + WITHIN
        try:
            while process.poll() is None:
                assert time.monotonic() < until, f"{kind}: no end within {WITHIN:g} s"
                try:
                    peak = max(peak, process.memory_info().rss)
                    process.wait(EVERY)
                except (psutil.TimeoutExpired, psutil.NoSuchProcess):
                    continue
        finally:
            if process.is_running():
                process.kill()
                process.wait(WITHIN)
    return Ran(f"{file}: {kind}", process.returncode, (folder / "told" / "printed").read_text("utf-8"), peak, folder)


def processes_of(folder: Path) -> list[str]:
    """Those that were started there, by their command or their working directory."""
    found = []
    for one in psutil.process_iter():
        try:
            if one.pid != os.getpid() and (str(folder) in " ".join(one.cmdline()) or one.cwd().startswith(str(folder))):
                found.append(str(one))
        except psutil.Error:
            continue
    return found


def test_a_hostile_client_gets_a_verdict_and_leaves_nothing(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(len(DRAWN))]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = list(pool.map(lambda args: certified(*args[0], args[1]), zip(DRAWN, folders, strict=True)))
    for ran in runs:
        (record,) = (ran.folder / "work" / "out").glob("*-*/run.json")
        run = decode_run(record.read_bytes())
        row = next(row for row in run.rows if row.id == "LOG-010")
        assert run.outcome in (Outcome.FAILED, Outcome.INCOMPLETE) and ran.status == EXIT_CODES[run.outcome], ran
        assert row.verdict in VERDICTS and not [one for one in run.scenarios if one.state == "harness error"], ran
        assert "Traceback" not in ran.printed and ran.printed.rstrip().endswith(run.sentence), ran
        assert 0 < ran.peak < MOST, ran
        assert processes_of(ran.folder) == [], ran.kind
        assert os.listdir(ran.folder / "work") == ["out"] and os.listdir(ran.folder / "tmp") == [], ran.kind
        told = set((ran.folder / "told" / "secrets").read_text().split())
        secrets = [disguises_of(one) for one in told]
        assert told
        for path in (p for p in (ran.folder / "work" / "out").rglob("*") if p.is_file()):
            text = path.read_bytes().decode("utf-8", "replace")
            assert not [hit for hit in found_in(text, secrets) if not hit.public], (ran.kind, path.name)
        assert not found_in(ran.printed, secrets), ran.kind
