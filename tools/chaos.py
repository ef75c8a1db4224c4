"""Certifies correct clients on a machine that misbehaves: none may be failed, and no row may be lost.

    python3 dev.py chaos [--runs N] [--seed N] [--at-once N] [--short] [CLIENT...]
    python3 dev.py chaos --wrong        clients that are wrong in content or in restraint: none may be certified

CLIENT: reference, python, node, arrow (default: all that can be run here). The whole of part `core` is played, or with
`--short` six scenarios. Meanwhile the machine misbehaves, as the seed draws it for each run: the harness is stopped
(SIGSTOP) one to three times for 1 to 20 s, alone or together with its clients, or four processes per core compute.

The law: no row is *fail* or *warning*, and none is *harness error* or missing. Of four runs or more of a client, three
of four end with every row passed. Exit status 0: so it was; 1: it was not, and the rows are named.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from busy import busy

ROOT = Path(__file__).resolve().parent.parent
MODES = ("stopped alone", "stopped with its clients", "busy")
LONGEST_STOP = 20.0  # seconds: longer than every legal watchdog of Stage 2
STOPS = (1, 3)  # in a run, at random moments of its first round: what is played again is to have a chance
BESIDE = 4  # processes per core that compute
WITHIN = 1800  # seconds that one run may take: a machine that is stopped half the time takes a quarter of that
SHARE = 0.75  # of the runs that end with every row passed
ENOUGH = 4  # runs of a client, of which a share says something

SHORT = ("LOG-060", "EVT-110", "OFF-010", "LOG-080")  # six scenarios: stability, a way out, and two ways to give up
SHORT_ARROW = ("AOH-010", "AOR-060", "AOC-040", "AOR-040")  # six, likewise


@dataclass(frozen=True)
class Client:
    """How a client is certified, and which rows are asked of it in short."""

    name: str
    arguments: tuple[str, ...]
    short: tuple[str, ...] = SHORT
    lasts: float = 110.0  # seconds of its first round
    lasts_short: float = 75.0  # and in short

    def command(self, short: bool, out: Path) -> list[str]:
        rows = [word for row in self.short for word in ("--only", row)]
        part = ["--part", "core"] if self.short is SHORT else []
        return [
            sys.executable,
            "-m",
            "brokercert",
            "certify",
            "--out",
            str(out),
            *(rows if short else part),
            *self.arguments,
        ]


CLIENTS = (
    Client("reference", ("--reference",)),
    Client("python", ("--config", str(ROOT / "examples/python/brokercert.toml"))),
    Client("node", ("--config", str(ROOT / "examples/node/brokercert.toml"))),
    Client("arrow", ("--set", "arrow-orders@2025", "--reference"), SHORT_ARROW),
)

# Wrong in content, or in restraint: the mutant, and the row that it must not pass.
WRONG = (
    ("prints-its-token", "LOG-090"),
    ("authorizes-at-tcp-open", "LOG-025"),
    ("pipelines-the-sync", "EVT-020"),
    ("one-id-for-all", "REQ-010"),
    ("no-entity-types", "EVT-030"),
    ("retries-without-the-ticket", "RLP-030"),
    ("retries-a-captcha", "RLP-040"),
    ("ignores-refusal", "LOG-040"),
    ("authorizes-again-on-a-second-open", "MSG-020"),
    ("comes-back-after-log-off", "OFF-010"),
)


@dataclass(frozen=True)
class Told:
    """What came of a run. `verdicts`: of the rows that were asked and apply."""

    client: str
    mode: str
    seed: int
    status: int
    verdicts: dict[str, str]
    again: int
    took: float
    problem: str = ""

    @property
    def failed(self) -> list[str]:
        return [row for row, verdict in self.verdicts.items() if verdict == "fail"]

    @property
    def warned(self) -> list[str]:
        return [row for row, verdict in self.verdicts.items() if verdict == "warning"]

    @property
    def lost(self) -> list[str]:
        return [row for row, verdict in self.verdicts.items() if verdict in ("harness error", "untested")]

    @property
    def whole(self) -> bool:
        return not self.problem and all(verdict == "pass" for verdict in self.verdicts.values())

    def line(self) -> str:
        if self.problem:
            said = self.problem
        else:
            counts: dict[str, int] = {}
            for verdict in self.verdicts.values():
                counts[verdict] = counts.get(verdict, 0) + 1
            said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
        named = [f"{row} {verdict}" for row, verdict in self.verdicts.items() if verdict != "pass"]
        rest = f" ({', '.join(named)})" if named else ""
        cost = f"{self.again} playings more, {self.took:.0f} s"
        return f"{self.client}, {self.mode}, seed {self.seed}: exit {self.status}, {said}{rest}; {cost}"


class Stopper(threading.Thread):
    """Stops a process at random moments of its first `lasts` seconds, alone or with all that it started."""

    def __init__(self, process: subprocess.Popen[bytes], draw: random.Random, *, together: bool, lasts: float) -> None:
        super().__init__(daemon=True)
        self._process, self._together = process, together
        moments = sorted(draw.uniform(2.0, lasts) for _ in range(draw.randint(*STOPS)))
        self._plan = [(moment, draw.uniform(1.0, LONGEST_STOP)) for moment in moments]
        self._over = threading.Event()

    def run(self) -> None:
        began = time.monotonic()
        for moment, length in self._plan:
            if self._over.wait(max(0.5, moment - (time.monotonic() - began))):
                return
            stopped = self._stop()
            self._over.wait(length)
            for pid in stopped:
                with suppress(OSError):
                    os.kill(pid, signal.SIGCONT)

    def close(self) -> None:
        self._over.set()
        self.join()

    def _stop(self) -> list[int]:
        pids = [self._process.pid]
        if self._together:
            with suppress(psutil.Error):
                pids += [child.pid for child in psutil.Process(self._process.pid).children(recursive=True)]
        stopped = []
        for pid in pids:
            with suppress(OSError):
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
        return stopped


def play(client: Client, mode: str, seed: int, *, short: bool) -> Told:
    """One run in one mode."""
    draw = random.Random(f"{client.name} {mode} {seed}")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="brokercert-chaos-") as scratch:
        out, log = Path(scratch) / "out", Path(scratch) / "log"
        with log.open("wb") as file:
            process = subprocess.Popen(client.command(short, out), stdout=file, stderr=file, stdin=subprocess.DEVNULL)
            stopper = Stopper(
                process, draw, together=mode == MODES[1], lasts=client.lasts_short if short else client.lasts
            )
            if mode != "busy":
                stopper.start()
            try:
                status = process.wait(WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                status = process.wait()
            finally:
                if mode != "busy":
                    stopper.close()
        took = time.monotonic() - began
        record = out / "latest" / "run.json"
        if not record.exists():
            last = log.read_text("utf-8", "replace")[-3000:]
            return Told(client.name, mode, seed, status, {}, 0, took, f"no record of the run: {last}")
        run = json.loads(record.read_text())
        told = Told(client.name, mode, seed, status, verdicts_of(run), playings(run), took)
        if told.failed or told.warned or told.lost or status not in (0, 4):
            keep(out, told)
        return told


def verdicts_of(run: dict[str, Any]) -> dict[str, str]:
    """Of the rows that the run was asked for, less those that do not apply."""
    asked = set(run["selected"])
    rows = [row for row in run["rows"] if (row["id"] in asked if asked else row["in_part"])]
    return {row["id"]: row["verdict"] for row in rows if row["verdict"] != "not applicable"}


def playings(run: dict[str, Any]) -> int:
    return sum(scenario.get("play", 1) > 1 for scenario in run["scenarios"])


def keep(out: Path, told: Told) -> None:
    """The traces of a run that broke the law, for whoever looks into it."""
    folder = ROOT / "out" / f"chaos-{told.client}-{told.mode.replace(' ', '-')}-{told.seed}"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(out, folder, symlinks=True)
    print(f"kept: {folder}", flush=True)


def chaos(clients: Sequence[Client], *, runs: int, seed: int, at_once: int, short: bool) -> bool:
    """True where the law held."""
    plan = [
        (client, MODES[(place + n) % len(MODES)], seed + n) for n in range(runs) for place, client in enumerate(clients)
    ]
    told: list[Told] = []

    def one(client: Client, mode: str, number: int) -> None:
        result = play(client, mode, number, short=short)
        told.append(result)
        print(result.line(), flush=True)

    # Busy runs have the load of their own; the others share the machine with each other only.
    quiet = [entry for entry in plan if entry[1] != "busy"]
    loaded = [entry for entry in plan if entry[1] == "busy"]
    # More than three of them would be load for each other, beside the load that they are to have.
    for entries, processes, most in ((loaded, BESIDE * multiprocessing.cpu_count(), 3), (quiet, 0, at_once)):
        with busy(processes if entries else 0), ThreadPoolExecutor(min(at_once, most)) as pool:
            for done in [pool.submit(one, *entry) for entry in entries]:
                done.result()
    good = True
    for client in clients:
        own = [one for one in told if one.client == client.name]
        whole = sum(one.whole for one in own)
        wrong = [one for one in own if one.failed or one.warned or one.lost or one.problem or one.status not in (0, 4)]
        fine = not wrong and (whole >= SHARE * len(own) or len(own) < ENOUGH)
        good &= fine
        print(
            f"{'ok ' if fine else 'NOT'} {client.name}: {len(own)} runs, {whole} with every row passed, "
            f"{len(wrong)} against the law"
        )
    return good


def wrong_ones(*, seed: int, at_once: int) -> bool:
    """True where no wrong client passed the row that it breaks."""
    good = True

    def one(place: int, name: str, row: str) -> bool:
        arguments = ("--", sys.executable, "-m", "brokercert.mutants.tradovate", name)
        client = Client(name, arguments, (row,))
        told = play(client, MODES[place % 2], seed, short=True)
        verdict = told.verdicts.get(row, told.problem or "missing")
        fine = verdict in ("fail", "warning", "inconclusive", "not observed", "blocked")  # LOG-090 is a SHOULD
        print(
            f"{'ok ' if fine else 'NOT'} {name}: {row} {verdict}, {told.again} playings more, {told.took:.0f} s",
            flush=True,
        )
        return fine

    with ThreadPoolExecutor(at_once) as pool:
        for done in [pool.submit(one, place, *pair) for place, pair in enumerate(WRONG)]:
            good &= done.result()
    return good


def usable(client: Client) -> str:
    """Why it cannot be run here; empty where it can."""
    if client.name != "node":
        return ""
    if shutil.which("node") is None:
        return "no node here"
    return "" if (ROOT / "examples/node/node_modules").is_dir() else "run `npm ci` in examples/node first"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="dev.py chaos", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("clients", nargs="*", metavar="CLIENT")
    parser.add_argument("--runs", type=int, default=20, help="of each client (20)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=4, help="runs at the same time (4; they sleep)")
    parser.add_argument("--short", action="store_true", help="six scenarios instead of part core")
    parser.add_argument("--wrong", action="store_true", help="wrong clients: none may pass")
    options = parser.parse_args(arguments)
    known = {client.name: client for client in CLIENTS}
    for name in options.clients:
        if name not in known:
            parser.error(f"{name}: expected one of {', '.join(known)}")
    if options.wrong:
        return 0 if wrong_ones(seed=options.seed, at_once=options.at_once) else 1
    chosen = []
    for client in [known[name] for name in options.clients] or CLIENTS:
        why = usable(client)
        if why:
            print(f"not run: {client.name}: {why}", flush=True)
        else:
            chosen.append(client)
    good = chaos(chosen, runs=options.runs, seed=options.seed, at_once=options.at_once, short=options.short)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
