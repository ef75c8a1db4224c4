"""Mutants as processes in real time: the kill matrix plays them in this process and in virtual time only.

    python3 dev.py mutants [NAME...]

Each plays the few scenarios below, in which it must fail, beside the others; then, alone, whoever is timed. What fails
is what is written of the mutant, and nothing else. A time that the machine was too busy to measure is not shown: then
once more. Exit status 0: all as written; 1: not, and where; 2: no such mutant below; 130: interrupted.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.machine.calibration import calibrate
from brokercert.engine.machine.standstill import StallMonitor
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.paths import Paths
from brokercert.engine.play.play import Played, Props, play
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.request import RunRequest, header_of, limits_of
from brokercert.judge import judge_trace
from brokercert.matrix.cells import FALLEN, Cell, Told
from brokercert.matrix.subjects import mutants_of
from brokercert.requirements import load_set
from brokercert.verdict import Calibration, Finding, Verdict, worst

TRIES = 2  # the machine may be busy once
TIMER = 0.005  # seconds by which a mutant's own timer may be late
STAGE2, ARROW, ARROW_2026 = "tradovate-stage2", "arrow-orders", "arrow-orders@2026"


@dataclass(frozen=True)
class Turn:
    """A mutant and the scenarios that it plays. `options` of its program, `limits` that differ; `takes`: the seconds
    that a row must have measured, within that figure's stated error.
    """

    set_id: str
    name: str
    scenarios: tuple[str, ...]
    options: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    takes: Mapping[str, float] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        suite = load_suite(self.set_id)
        return any(suite.by_name(name).exclusive for name in self.scenarios)

    @property
    def lasts(self) -> float:
        suite = load_suite(self.set_id)
        return max(suite.by_name(name).lasts for name in self.scenarios)


def _turn(set_id: str, name: str, scenarios: str, *options: str, **limits: float) -> Turn:
    return Turn(set_id, name, tuple(scenarios.split()), options, limits)


BURST = 3000  # messages of EVT-150: of so many a p99 tells as much as of ten thousand, in a third of the time
# Twenty losses take a minute where delays do not grow; REC-100 asks what is left, not when.
HASTY = "--hasty"

PLAN = (
    _turn(STAGE2, "a-second-is-enough", "slow-latency"),
    _turn(STAGE2, "blocks-through-a-penalty", "request-ticket-long"),
    _turn(STAGE2, "comes-back-after-log-off", "stop-open"),
    _turn(STAGE2, "counts-a-repeated-fill", "events-repeated"),
    _turn(STAGE2, "crashes-on-malformed-json", "malformed-json"),
    _turn(STAGE2, "dies-of-a-cut-handshake", "tls-cut"),
    _turn(STAGE2, "echoes-the-servers-beat", "load"),
    _turn(STAGE2, "first-message-only", "answer-in-batch events-in-one-frame"),
    _turn(STAGE2, "hammers-refused-token", "token-refused"),
    _turn(STAGE2, "heart-dies-with-its-socket", "idle-close"),
    _turn(STAGE2, "leaks-a-descriptor-a-socket", "twenty-drops", HASTY),
    _turn(STAGE2, "leaks-a-mebibyte-a-socket", "twenty-drops", HASTY),
    _turn(STAGE2, "leaks-a-thread-a-socket", "twenty-drops", HASTY),
    _turn(STAGE2, "no-watchdog", "silent-application"),
    _turn(STAGE2, "pipelines-the-sync", "answer-held"),
    _turn(STAGE2, "recovers-nothing-that-it-missed", "away-proxied"),
    _turn(STAGE2, "retries-too-early", "request-ticket"),
    _turn(STAGE2, "sends-an-order-again-after-a-cut", "order-in-flight-placed order-in-flight-lost"),
    _turn(STAGE2, "takes-a-text-for-success", "answers-errors"),
    _turn(STAGE2, "takes-the-id-0-for-none", "token-refused"),
    _turn(STAGE2, "waits-12-s-before-reconnecting", "loss-rst"),
    _turn(ARROW, "applies-anything", "invalid-updates"),
    _turn(ARROW, "comes-back-after-disconnect", "disconnect-open"),
    _turn(ARROW, "logs-its-address", "query-encoded"),
    _turn(ARROW, "never-fetches", "missed-updates"),
    _turn(ARROW, "null-kills", "unreadable"),
    _turn(ARROW, "pong-every-40-s", "steady"),
    _turn(ARROW, "time-out-counts-twice", "silence"),
    _turn(ARROW, "uncapped-ladder", "ladder-capped"),
    _turn(ARROW_2026, "ladder-of-the-older-page", "outage"),
    _turn(ARROW_2026, "names-of-the-older-page", "query-encoded"),
    _turn(ARROW_2026, "null-kills", "no-object"),
    _turn(ARROW_2026, "read-timeout-30-s", "silence"),
    _turn(ARROW_2026, "takes-the-oldest-row", "missed-updates-all-rows"),
    _turn(STAGE2, "slow-upgrade", "login-timed"),
    replace(_turn(STAGE2, "processes-150-ms-later", "burst-processed", burst_messages=BURST), takes={"EVT-150": 0.15}),
    _turn(STAGE2, "blocks-2-ms-a-message", "burst-processed", burst_messages=BURST),
)


# What was said, against what is written.


@dataclass(frozen=True)
class Result:
    """`wrong`: where it is not as written; `unshown`: rows of which the machine was too busy to say anything."""

    failed: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    unshown: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return bool(self.failed) and not self.wrong and not self.unshown


def compare(mutant: Any, told: Iterable[Told]) -> Result:
    """The rows that it must fail and that were played have failed, and no other but those that fall with them."""
    said: dict[str, set[str]] = {}
    wrong = []
    for one in told:
        if one.state != "completed":
            wrong.append(f"{one.cell.scenario}: {one.state}: {one.note}")
        for row, verdict in one.verdicts.items():
            said.setdefault(row, set()).add(verdict)
    must = mutant.fails & set(said)
    if not must:
        wrong.append("nothing was played that it must fail")
    failed = [row for row in sorted(must) if said[row] & FALLEN]
    unshown = [row for row in sorted(must - set(failed)) if Verdict.INCONCLUSIVE.value in said[row]]
    for row in sorted(must - set(failed) - set(unshown)):
        wrong.append(f"{row} must fail, and is said to be {' and '.join(sorted(said[row]))}")
    for row in sorted(set(said) - mutant.fails - mutant.also):
        if said[row] & FALLEN:
            wrong.append(f"{row} fails, and nothing says why")
    return Result(tuple(failed), tuple(wrong), tuple(unshown))


def mismeasured(turn: Turn, findings: Iterable[Finding]) -> str:
    """Which figure is not what the mutant takes, and by how much; empty where all are."""
    for finding in findings:
        if finding.requirement in turn.takes and finding.verdict is Verdict.FAIL:
            one, takes = finding.measured[0], turn.takes[finding.requirement]
            if not takes <= one.value <= takes + (one.error or 0.0) + TIMER:
                return f"{finding.requirement}: {one.name} is {one.value:g} ± {one.error} s, and it takes {takes:g} s"
    return ""


async def settle(turn: Turn, play_turn: Callable[[Turn], Awaitable[Sequence[Told]]]) -> Result:
    """Play it until the machine let everything be shown, `TRIES` times at most."""
    mutant = mutants_of(turn.set_id)[turn.name]
    for _ in range(TRIES):
        result = compare(mutant, await play_turn(turn))
        if result.wrong or not result.unshown:
            break
    return result


def line(turn: Turn, result: Result, took: float) -> str:
    """What is printed of it."""
    parts = [f"{', '.join(result.failed)} failed"] if result.failed else []
    parts += result.wrong
    parts += [f"{row} was not shown in {TRIES} tries: the machine was busy" for row in result.unshown]
    return (
        f"{'ok ' if result.ok else 'NOT'} {turn.name} ({load_set(turn.set_id).name}): {'; '.join(parts)} ({took:.0f} s)"
    )


# Playing.


class Stand:
    """What all share: where traces go, the error of every measurement, the gate at which programs start."""

    def __init__(self, folder: Path, known: Calibration, stalls: StallMonitor) -> None:
        self.folder, self.known, self.stalls, self.gate = folder, known, stalls, StartGate()
        self._tries = 0

    async def play_turn(self, turn: Turn) -> list[Told]:
        """All its scenarios, each with a process of its own."""
        self._tries += 1
        folder = self.folder / f"{turn.name}-{self._tries}"
        (folder / "traces").mkdir(parents=True)
        async with Paths(folder.name) as paths, asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._play(turn, name, folder, paths)) for name in turn.scenarios]
        return [task.result() for task in tasks]

    async def _play(self, turn: Turn, name: str, folder: Path, paths: Paths) -> Told:
        suite, rows = load_suite(turn.set_id), load_set(turn.set_id).with_limits(dict(turn.limits))
        dialect, reference = suite.dialect, suite.dialect.reference
        spec = SubjectSpec(
            turn.name,
            command=(sys.executable, "-m", dialect.mutants, *turn.options, turn.name),
            level=reference.level,
            offers=reference.offers,
            entity_types=reference.entity_types,
            readings=reference.readings,
        )
        request = RunRequest(turn.set_id, spec)
        scenario = suite.by_name(name)
        header = header_of(scenario, request, rows, folder.name, self.known)
        limits = limits_of(rows)
        played: list[Played] = []
        props = Props(dialect, spec, folder, paths, self.gate, self.stalls, limits, request.seed)
        await play(scenario, header, props, played.append)
        findings = await asyncio.to_thread(judge_trace, played[0].trace, rows, dialect.judging)
        said: dict[str, list[Verdict]] = {}
        for finding in findings:
            said.setdefault(finding.requirement, []).append(finding.verdict)
        result = played[0].result
        verdicts = {row: worst(verdicts, rows.by_id[row].level).value for row, verdicts in said.items()}
        state, note = result.state, result.note
        if wrong := mismeasured(turn, findings):
            state, note = "wrong figure", wrong
        return Told(Cell(turn.set_id, turn.name, name), verdicts, state, note)


async def play_all(turns: Sequence[Turn]) -> bool:
    """Those that wait together, longest first; then the timed ones, one by one. True where all are as written."""
    good = True

    async def one(turn: Turn) -> None:
        nonlocal good
        since = time.monotonic()
        result = await settle(turn, stand.play_turn)
        good &= result.ok
        print(line(turn, result, time.monotonic() - since), flush=True)

    with tempfile.TemporaryDirectory(prefix="brokercert-mutants-") as folder:
        known = await calibrate()
        async with StallMonitor() as stalls:
            stand = Stand(Path(folder), known, stalls)
            async with asyncio.TaskGroup() as group:
                for turn in sorted((turn for turn in turns if not turn.alone), key=lambda turn: -turn.lasts):
                    group.create_task(one(turn))
            for turn in turns:
                if turn.alone:
                    await one(turn)
    return good


def main(names: Sequence[str]) -> int:
    known = {turn.name: turn for turn in PLAN}
    if "-h" in names or "--help" in names:
        print(__doc__)
        return 0
    for name in names:
        if name not in known:
            print(f"dev.py mutants {name}: expected one of {', '.join(known)}", file=sys.stderr)
            return 2
    turns = [known[name] for name in dict.fromkeys(names)] or list(PLAN)
    began = time.monotonic()
    print(f"{len(turns)} mutants as processes, in real time", flush=True)
    try:
        good = asyncio.run(play_all(turns))
    except KeyboardInterrupt:
        print("interrupted")
        return 130
    took = time.monotonic() - began
    print(f"{len(turns)} mutants in {took:.0f} s: {'all' if good else 'not all'} are as written of them")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
