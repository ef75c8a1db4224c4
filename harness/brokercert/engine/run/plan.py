"""What is played for a request, and what is not, and why; the same for a run that is to come and for a saved one.

The law: a plan follows from the suite and from what a trace's header says of its run, so that of a saved run too it can
be told which scenarios its rows were owed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from brokercert.engine.errors import UsageError
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.grid import sampled
from brokercert.engine.play.scenario import Scenario, Suite
from brokercert.judge import not_reached
from brokercert.near import hint
from brokercert.requirements import RequirementSet
from brokercert.verdict import Finding, ScenarioResult, Verdict

OVERHEAD = 6.0  # seconds: calibration, staggered starts, judging, reports
CELL = 0.05  # seconds that a cell of the grid takes in virtual time: 126 of them took 6.5 s on two busy cores
INTERRUPTED = "the run was interrupted"
NEVER_CAME = "no upgrade request came from the client in the preflight, so that nothing else was played"


@dataclass(frozen=True)
class Wanted:
    """What a plan follows from. `only` restricts what `part` asks for; `scenarios` is for the harness's own tests."""

    offers: frozenset[str]  # the client's
    tier: str
    seed: int
    part: str = ""
    only: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    preflight: bool = True  # the run begins with one; saved ones of before there was any did not


@dataclass(frozen=True)
class Plan:
    """Which scenarios are played, and how long that should take. Seconds.

    `starting` is what one start of the client takes, where it is known: each scenario begins with one. For `held` of it
    others wait for its place at the gate.
    """

    exclusive: tuple[Scenario, ...]
    waiting: tuple[Scenario, ...]
    skipped: tuple[tuple[Scenario, str], ...]  # with the reason
    jobs: int
    left: tuple[Scenario, ...] = ()  # cells of the grid that the seed did not choose; a preflight that was not yet
    afterwards: bool = False  # and they are played in virtual time then
    starting: float = 0.0
    held: float = 0.0
    preflight: Scenario | None = None  # played first and alone: without a client that comes, nothing else is

    @property
    def played(self) -> tuple[Scenario, ...]:
        return (*((self.preflight,) if self.preflight else ()), *self.exclusive, *self.waiting)

    @property
    def names(self) -> list[str]:
        """All that is to be played, the cells in virtual time too."""
        return [s.name for s in (*self.played, *(self.left if self.afterwards else ()))]

    @property
    def predicted(self) -> float:
        before = self._takes(self.preflight) if self.preflight else 0.0
        alone = before + sum(self._takes(s) for s in self.exclusive)
        alone += CELL * len(self.left) if self.afterwards else 0.0
        if not self.waiting:
            return alone + OVERHEAD
        each = [self._takes(s) for s in self.waiting]
        ends = [place // StartGate.AT_ONCE * self.held + takes for place, takes in enumerate(each)]
        return max(max(ends), sum(each) / self.jobs) + alone + OVERHEAD

    def starting_in(self, seconds: float, gate: StartGate) -> Plan:
        """The same, of a client that needs so many seconds to start."""
        return replace(self, starting=seconds, held=min(seconds, gate.patience(0.0)))

    def _takes(self, scenario: Scenario) -> float:
        return self.starting + scenario.lasts


def plan_of(wanted: Wanted, rows: RequirementSet, suite: Suite, jobs: int = 1) -> Plan:
    """The scenarios that are called for. Raises `UsageError` for ids or names that do not exist."""
    known_rows(wanted.only, rows)
    _known_scenarios(wanted.scenarios, rows, suite)
    real = wanted.tier == "real" and not wanted.scenarios
    preflight = suite.preflight if real or _asks_for(suite.preflight, wanted) else None
    called = [s for s in _called_for(wanted, rows, suite) if s is not preflight]
    skipped = tuple((s, reason) for s in called if (reason := _why_not(s, wanted.offers)))
    playable = [s for s in called if not _why_not(s, wanted.offers)]
    left = _not_chosen(playable, wanted.seed) if real else []
    played = [s for s in playable if s not in left]
    if preflight is not None and not wanted.preflight:
        left, preflight = [*left, preflight], None
    waiting = sorted((s for s in played if not s.exclusive), key=lambda s: -s.lasts)
    exclusive = tuple(s for s in played if s.exclusive)
    return Plan(exclusive, tuple(waiting), skipped, jobs, tuple(left), preflight=preflight)


def _asks_for(preflight: Scenario | None, wanted: Wanted) -> bool:
    """Whether a run in real time of named scenarios names the preflight too."""
    return wanted.tier == "real" and preflight is not None and preflight.name in wanted.scenarios


def _known_scenarios(names: Sequence[str], rows: RequirementSet, suite: Suite) -> None:
    """Raises `UsageError` where one does not exist."""
    known = {s.name for s in suite.scenarios}
    strangers = [name for name in names if name not in known]
    if strangers:
        raise UsageError(f"no scenario {strangers[0]!r} in {rows.name}; known: {', '.join(sorted(known))}")


def _called_for(wanted: Wanted, rows: RequirementSet, suite: Suite) -> list[Scenario]:
    """The scenarios that the rows which are asked for need."""
    asked = set(wanted.only or of_part(rows, wanted.part))
    chosen = [s for s in suite.scenarios if asked & set(s.exercises)]
    return [s for s in chosen if s.name in wanted.scenarios] if wanted.scenarios else chosen


def _why_not(scenario: Scenario, offers: Collection[str]) -> str:
    """Why the client cannot be asked to play it; empty where it can."""
    lacking = [need for need in scenario.needs if need not in offers]
    return f"the client does not offer: {', '.join(lacking)}" if lacking else ""


def _not_chosen(playable: Sequence[Scenario], seed: int) -> list[Scenario]:
    """The cells of the grid that a run in real time leaves out."""
    cells = [s for s in playable if s.cell]
    chosen = sampled(cells, seed)
    return [s for s in cells if s not in chosen]


def of_part(rows: RequirementSet, part: str) -> tuple[str, ...]:
    """The rows of a part, in the set's order; of the empty part: all."""
    return rows.part(part) if part else tuple(row.id for row in rows.rows)


def known_rows(only: Iterable[str], rows: RequirementSet) -> None:
    """Raises `UsageError` where a row that is asked for does not exist."""
    unknown = [row for row in only if row not in rows.by_id]
    if unknown:
        meant = hint(unknown[0], rows.by_id) or "; `brokercert list` shows them"
        raise UsageError(f"--only {unknown[0]}: no such requirement in {rows.name}{meant}")


def unplayed(plan: Plan, done: Collection[str], why: str) -> tuple[ScenarioResult, ...]:
    """What is not `done` of a plan: `why`, for what should have been."""
    result = [_not_run(s, "not run", why) for s in plan.played if s.name not in done]
    result += [_not_run(s, "not chosen", _why_left(s)) for s in plan.left if s.name not in done]
    return (*result, *(_not_run(s, "not applicable", reason) for s, reason in plan.skipped if s.name not in done))


def _why_left(scenario: Scenario) -> str:
    return "its run began without one" if scenario.before_all else "the seed chose other cells"


def blocked(
    rows: RequirementSet,
    suite: Suite,
    unplayed: Iterable[ScenarioResult],
    offers: Collection[str],
    absent: Mapping[str, str],
) -> list[Finding]:
    """The scenarios that were not played since the client never came: their rows are blocked by the one that asks for
    its connection, but for what it does not offer.
    """
    names = [one.name for one in unplayed if one.state == "not run"]
    return not_reached(rows, {name: suite.by_name(name).exercises for name in names}, offers, absent)


def _not_run(scenario: Scenario, state: str, note: str) -> ScenarioResult:
    return ScenarioResult(
        name=scenario.name,
        title=scenario.title,
        path=scenario.path,
        exclusive=scenario.exclusive,
        state=state,
        note=note,
        fault=scenario.cell.fault if scenario.cell else "",
        phase=scenario.cell.phase if scenario.cell else "",
    )


def left_out(suite: Suite) -> tuple[ScenarioResult, ...]:
    """The cells of the suite's grid that nothing can play, each with its reason."""
    return tuple(
        ScenarioResult(
            name=f"{cell.fault}, {cell.phase}",
            title="",
            path="",
            exclusive=False,
            state="left out",
            note=cell.left_out,
            fault=cell.fault,
            phase=cell.phase,
        )
        for cell in suite.left_out
    )


def listed(
    suite: Suite, unplayed: Iterable[ScenarioResult], scenarios: Collection[str] = ()
) -> dict[str, tuple[str, ...]]:
    """Requirement -> the scenarios that it is owed: all that exercise it, but for cells that were not chosen."""
    without = {result.name for result in unplayed if result.state == "not chosen"}
    return {
        row: tuple(n for n in names if n not in without and (not scenarios or n in scenarios))
        for row, names in suite.listed().items()
    }


def not_offered(
    rows: RequirementSet,
    suite: Suite,
    unplayed: Iterable[ScenarioResult],
    offers: Collection[str],
    absent: Mapping[str, str],
) -> list[Finding]:
    """Scenarios that need what the client does not offer: not applicable where it says so, else not observed."""
    findings = []
    for result in unplayed:
        if result.state != "not applicable":
            continue
        scenario = suite.by_name(result.name)
        lacking = [need for need in scenario.needs if need not in offers]
        reason = next((f"{need}: {absent[need]}" for need in lacking if need in absent), "")
        for row in scenario.exercises:
            # A variant that needs more than its row does counts only where the client offers it.
            if not set(lacking) & set(rows.by_id[row].needs):
                verdict, text = Verdict.NOT_APPLICABLE, f"variant {scenario.name}: {result.note}"
            elif reason:
                verdict, text = Verdict.NOT_APPLICABLE, reason
            else:
                verdict, text = Verdict.NOT_OBSERVED, result.note
            findings.append(Finding(requirement=row, scenario=scenario.name, verdict=verdict, observed=text))
    return findings
