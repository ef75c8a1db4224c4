"""The grid of a run: every fault in every phase, what became of the client there, and the trace that shows it."""

from __future__ import annotations

from dataclasses import dataclass

from brokercert.verdict import UNPLAYED, RunRecord, ScenarioResult, Verdict, worst


@dataclass(frozen=True)
class GridCell:
    """`scenario` is None where the suite has no such cell; `verdict` is None where it was not played."""

    fault: str
    phase: str
    scenario: ScenarioResult | None
    verdict: Verdict | None

    @property
    def word(self) -> str:
        """What stands in the cell."""
        if self.verdict is not None:
            return str(self.verdict)
        return self.scenario.state if self.scenario else "none"

    @property
    def note(self) -> str:
        """The tier in which it was played, or why it was not."""
        if self.scenario is None:
            return ""
        return f"in {self.scenario.tier} time" if self.verdict is not None else self.scenario.note


@dataclass(frozen=True)
class Grid:
    phases: tuple[str, ...]
    rows: tuple[tuple[str, tuple[GridCell, ...]], ...]  # a fault, and its cells in the order of the phases

    @property
    def sentence(self) -> str:
        """How many of its cells were played, in which time, and how many were not passed."""
        cells = [cell for _, row in self.rows for cell in row]
        played = [cell for cell in cells if cell.verdict is not None]
        real = sum(cell.scenario.tier == "real" for cell in played if cell.scenario)
        bad = sum(cell.verdict is not Verdict.PASS for cell in played)
        left = sum(cell.word == "left out" for cell in cells)
        return (
            f"{len(played)} of {len(cells) - left} cells were played, {real} in real time and {len(played) - real} in"
            f" virtual time; {f'{bad} of them did not pass' if bad else 'all of them passed'}. {left} are left out."
        )

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why cells are left out, each reason once."""
        cells = [cell for _, row in self.rows for cell in row if cell.word == "left out"]
        return tuple(dict.fromkeys(cell.note for cell in cells))


def grid_of(run: RunRecord) -> Grid | None:
    """The grid, or None where the suite has none."""
    if not run.faults:
        return None
    verdicts: dict[str, list[Verdict]] = {}
    for row in run.rows:
        for finding in row.findings:
            verdicts.setdefault(finding.scenario, []).append(finding.verdict)
    at = {(s.fault, s.phase): s for s in run.scenarios if s.fault}
    rows = []
    for fault in run.faults:
        cells = []
        for phase in run.phases:
            scenario = at.get((fault, phase))
            played = scenario is not None and scenario.state not in UNPLAYED
            verdict = worst(verdicts.get(scenario.name, [])) if scenario is not None and played else None
            cells.append(GridCell(fault, phase, scenario, verdict))
        rows.append((fault, tuple(cells)))
    return Grid(run.phases, tuple(rows))
