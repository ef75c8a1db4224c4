"""Virtual time against real time, and against itself.

    python3 dev.py virtual [--repeat N] [--scenario NAME]... [RUN]

Without --repeat: the reference client is played in virtual time, and its verdicts must be those of RUN, a run's folder
in real time (default: out/latest), row by row over the scenarios that both played. With it: each scenario N times,
and every body of its trace must be the same, byte for byte. Exit status 0: so it is; 1: it is not, and where.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path

from brokercert.engine.run import Quiet, RunRequest, run_certification
from brokercert.engine.scenario import load_suite
from brokercert.matrix.subjects import REFERENCE, subject_named
from brokercert.verdict import RunRecord, decode_run

LATENCY = {"EVT-150"}  # what computing costs: nothing in virtual time


def play(set_id: str, scenarios: tuple[str, ...], seed: int, out: Path) -> RunRecord:
    subject = subject_named(set_id, REFERENCE, seed)
    return run_certification(
        RunRequest(set_id, subject, seed=seed, tier="virtual", out=out, scenarios=scenarios), Quiet()
    )


def verdicts(run: RunRecord, scenarios: set[str]) -> dict[str, str]:
    """Scenario and row -> the verdicts of its findings there."""
    found: dict[str, set[str]] = {}
    for row in run.rows:
        for finding in row.findings:
            if finding.scenario in scenarios and row.id not in LATENCY:
                found.setdefault(f"{row.id} in {finding.scenario}", set()).add(finding.verdict.value)
    return {key: ", ".join(sorted(said)) for key, said in found.items()}


def compare(folder: Path) -> int:
    real = decode_run((folder / "run.json").read_bytes())
    assert real.tier == "real", f"{folder}: expected a run in real time"
    with tempfile.TemporaryDirectory() as out:
        virtual = play(real.set_id, (), real.seed, Path(out))
    both = {s.name for s in real.scenarios if s.state == "completed"}
    both &= {s.name for s in virtual.scenarios if s.state == "completed"}
    ours, theirs = verdicts(virtual, both), verdicts(real, both)
    differ = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
    for key in differ:
        print(f"{key}: {theirs.get(key, 'nothing')} in real time, {ours.get(key, 'nothing')} in virtual time")
    print(f"{len(both)} scenarios in both tiers, {len(theirs)} verdicts, {len(differ)} differ")
    return 1 if differ or not theirs else 0


def repeat(set_id: str, scenarios: tuple[str, ...], times: int) -> int:
    """Play each again and again; say how many different bodies there were."""
    names = scenarios or tuple(s.name for s in load_suite(set_id).scenarios)
    status = 0
    for name in names:
        bodies: dict[str, int] = {}
        for _ in range(times):
            with tempfile.TemporaryDirectory() as out:
                run = play(set_id, (name,), 1, Path(out))
                trace = next(s.trace for s in run.scenarios if s.name == name)
                if not trace:
                    break  # it asks for more than this client offers
                body = (Path(out) / run.run_id / trace).read_bytes().partition(b"\n")[2]
            digest = hashlib.sha256(body).hexdigest()
            bodies[digest] = bodies.get(digest, 0) + 1
        print(f"{name}: {times} times, {len(bodies)} different")
        status |= len(bodies) > 1
    return status


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py virtual", description=__doc__.partition("\n")[0])
    parser.add_argument("--set", default="tradovate-stage2")
    parser.add_argument("--repeat", type=int, default=0, metavar="N")
    parser.add_argument("--scenario", action="append", default=[], metavar="NAME")
    parser.add_argument("run", nargs="?", type=Path, default=Path("out/latest"))
    arguments = parser.parse_args()
    if arguments.repeat:
        return repeat(arguments.set, tuple(arguments.scenario), arguments.repeat)
    return compare(arguments.run)


if __name__ == "__main__":
    raise SystemExit(main())
