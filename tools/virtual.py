"""Virtual time against real time, and against itself.

    python3 dev.py virtual [--repeat N] [--scenario NAME]... [--set SET] [--full-volume] [--jobs N] [RUN]

Without --repeat: the reference client is played through every scenario in virtual time, at full volume. It must pass
everywhere, and its verdicts must be those of RUN, a run's folder in real time (default: out/latest), row by row over
the scenarios that both played. With it: each scenario N times, on all cores, and every body of its trace must be the
same, byte for byte. Exit status 0: so it is; 1: it is not, and where; 2: wrong use; 130: interrupted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import msgspec
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.matrix.again import Repeats, bodies, shares_of
from brokercert.matrix.subjects import REFERENCE, outside, subject_named
from brokercert.parallel import in_order, local
from brokercert.requirements import RequirementError, RequirementSet, set_named
from brokercert.sets import default_set
from brokercert.verdict import RunRecord, decode_run

LATEST = Path("out/latest")
PLAYED = ("completed", "harness error", "interrupted")


def play(set_id: str, seed: int, out: Path) -> RunRecord:
    subject = subject_named(set_id, REFERENCE, seed)
    return run_certification(RunRequest(set_id, subject, seed=seed, tier="virtual", out=out, full_volume=True), Quiet())


def verdicts(run: RunRecord, scenarios: set[str]) -> dict[str, str]:
    """Scenario and row -> the verdicts of its findings there; of rows that virtual time can show."""
    found: dict[str, set[str]] = {}
    hidden = outside(run.set_id)
    for row in run.rows:
        for finding in row.findings:
            if finding.scenario in scenarios and row.id not in hidden:
                found.setdefault(f"{row.id} in {finding.scenario}", set()).add(finding.verdict.value)
    return {key: ", ".join(sorted(said)) for key, said in found.items()}


def failures(virtual: RunRecord) -> list[str]:
    """What is no pass in a run in virtual time."""
    played = {s.name for s in virtual.scenarios if s.state in PLAYED}
    broken = [f"{s.name}: {s.state}: {s.note}" for s in virtual.scenarios if s.state in PLAYED[1:]]
    return broken + [f"{key}: {said}" for key, said in sorted(verdicts(virtual, played).items()) if said != "pass"]


def wrong_use(text: str) -> int:
    print(f"dev.py virtual: {text}", file=sys.stderr)
    return 2


def compare(folder: Path) -> int:
    try:
        real = decode_run((folder / "run.json").read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        return wrong_use(f"{folder}/run.json: {why}; expected a run's folder; `dev.py certify` makes {LATEST}")
    if real.tier != "real":
        return wrong_use(f"{folder}: a run in {real.tier} time; expected one in real time, to be compared with")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as out:
        virtual = play(real.set_id, real.seed, Path(out))
    wrong = failures(virtual)
    for line in wrong:
        print(f"{line}, at full volume in virtual time")
    count = sum(s.state in PLAYED for s in virtual.scenarios)
    print(f"{count} scenarios at full volume in {time.monotonic() - began:.0f} s, {len(wrong)} verdicts are no pass")
    both = {s.name for s in real.scenarios if s.state == "completed"}
    both &= {s.name for s in virtual.scenarios if s.state == "completed"}
    ours, theirs = verdicts(virtual, both), verdicts(real, both)
    differ = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
    for key in differ:
        print(f"{key}: {theirs.get(key, 'nothing')} in real time, {ours.get(key, 'nothing')} in virtual time")
    print(f"{len(both)} scenarios in both tiers, {len(theirs)} verdicts, {len(differ)} differ")
    return 1 if wrong or differ or not theirs else 0


def repeat(rows: RequirementSet, names: tuple[str, ...], times: int, *, full: bool, jobs: int) -> int:
    """Play each again and again; say how many different bodies there were."""
    set_id = rows.id
    offers = subject_named(set_id, REFERENCE).offers
    chosen = [s for s in load_suite(set_id).scenarios if not names or s.name in names]
    unknown = set(names) - {s.name for s in chosen}
    if unknown or not chosen:
        return wrong_use(f"--scenario {', '.join(sorted(unknown))}: no such scenario in {rows.name}")
    shares = []
    for scenario in chosen:
        lacking = set(scenario.needs) - offers
        if lacking:
            print(f"{scenario.name}: not played: it needs {', '.join(sorted(lacking))}")
            continue
        shares += shares_of(Repeats(set_id, scenario.name, times, full_volume=full))
    found: dict[str, Counter[str]] = {share.scenario: Counter() for share in shares}

    def on_result(place: int, told: Counter[str]) -> None:
        name = shares[place].scenario
        found[name] += told
        if found[name].total() == times:
            kinds = len(found[name])
            print(f"{name}: {times} times, {'all the same' if kinds == 1 else f'{kinds} different'}", flush=True)

    began = time.monotonic()
    done = in_order(bodies, shares, local(jobs), on_result)
    differ = sorted(name for name, told in found.items() if len(told) > 1)
    plays = sum(told.total() for told in found.values())
    print(f"{plays} plays of {len(found)} scenarios in {time.monotonic() - began:.0f} s: differ: {differ or 'none'}")
    return 130 if done.interrupted else 1 if differ else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py virtual", description=__doc__.partition("\n")[0])
    parser.add_argument("--set", default=default_set(), help=f"for --repeat ({default_set()})")
    parser.add_argument("--repeat", type=int, default=0, metavar="N", help="play each scenario N times")
    parser.add_argument("--scenario", action="append", default=[], metavar="NAME", help="for --repeat; all by default")
    parser.add_argument("--full-volume", action="store_true", help="for --repeat: not at that of the kill matrix")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="for --repeat: processes (one a core)")
    parser.add_argument("run", nargs="?", type=Path, default=LATEST, help=f"compared with ({LATEST})")
    options = parser.parse_args()
    if options.repeat:
        try:
            rows = set_named(options.set)
        except RequirementError as error:
            return wrong_use(f"--set {error}")
        return repeat(rows, tuple(options.scenario), options.repeat, full=options.full_volume, jobs=options.jobs)
    return compare(options.run)


if __name__ == "__main__":
    raise SystemExit(main())
