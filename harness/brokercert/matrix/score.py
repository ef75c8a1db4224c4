"""What the matrix had to show and what it showed: the differences, and the score.

The law: a row that a mutant must fail fails (a SHOULD row: is warned of) in some scenario, every knock-on that is
written down with a reason of its own occurs, and nothing else falls. A requirement's text decides what is written
down, never a run. Rows that no scenario played exercises are asked of nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from brokercert.engine.scenario import load_dialect, load_suite
from brokercert.matrix.cells import Cell, Told
from brokercert.matrix.subjects import mutants_of
from brokercert.verdict import Verdict

FALLEN = {Verdict.FAIL.value, Verdict.WARNING.value}


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of the whole matrix says; kept with the hash of what it was made of. `killed` of `mutants`."""

    set_id: str
    hash: str
    mutants: int
    killed: int
    scenarios: int
    cells: int


def matrix_hash(set_id: str) -> str:
    """Of all that decides a cell: the sources of suite, checks, mutants and their original."""
    dialect = load_dialect(set_id)
    digest = hashlib.sha256()
    scenarios = {scenario.play.__module__.rpartition(".")[0] for scenario in load_suite(set_id).scenarios}
    client = dialect.reference.factory()
    packages = {*scenarios, dialect.judging.package, dialect.mutants, str(getattr(client, "__module__", ""))}
    for package in sorted(packages - {""}):
        module = import_module(package)
        file = Path(str(module.__file__))
        for path in sorted(file.parent.glob("*.py")):
            digest.update(f"{package}/{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def fallen(told: Iterable[Told]) -> dict[str, dict[str, list[str]]]:
    """Subject -> row that failed or was warned of -> the scenarios in which."""
    result: dict[str, dict[str, list[str]]] = {}
    for one in told:
        rows = result.setdefault(one.cell.subject, {})
        for row, verdict in one.verdicts.items():
            if verdict in FALLEN:
                rows.setdefault(row, []).append(one.cell.scenario)
    return result


def differences(told: Sequence[Told], mutants: Mapping[str, Any]) -> list[str]:
    """Where the run is not as written; empty where all is. The reference client must fail nothing."""
    wrong = [
        f"{_name(one.cell)}: {one.state}: {one.note}"
        for one in told
        if one.state != "completed" or Verdict.HARNESS_ERROR.value in one.verdicts.values()
    ]
    played = {row for one in told for row in one.verdicts}
    for name, rows in fallen(told).items():
        one = mutants.get(name)
        must = set(one.fails) & played if one else set()
        may = set(one.also) if one else set()
        wrong += [f"{name}: {row} must fail, and does not" for row in sorted(must - set(rows))]
        due = {row for row in may & played if one and one.knocks[row] != one.reason}
        wrong += [f"{name}: {row} is to fall with it, and does not" for row in sorted(due - set(rows))]
        wrong += [
            f"{name}: {row} fails in {', '.join(rows[row])}, and nothing says why"
            for row in sorted(set(rows) - must - may)
        ]
    return wrong


def score_of(set_id: str, told: Sequence[Told]) -> Score:
    """A mutant is killed when at least one row that it must fail has failed."""
    mutants = mutants_of(set_id)
    seen = fallen(told)
    return Score(
        set_id=set_id,
        hash=matrix_hash(set_id),
        mutants=len(mutants),
        killed=sum(bool(mutants[name].fails & set(seen.get(name, {}))) for name in mutants),
        scenarios=len({one.cell.scenario for one in told}),
        cells=len(told),
    )


def _name(cell: Cell) -> str:
    return f"{cell.subject} in {cell.scenario}"


def table(set_id: str, told: Sequence[Told], score: Score) -> str:
    """The page of one set, in Markdown: what each mutant fails, where, and why."""
    mutants = mutants_of(set_id)
    seen = fallen(told)
    lines = [
        f"## {set_id}",
        "",
        f"This suite catches {score.killed} of {score.mutants} known defects; each was tried in all of its"
        f" {score.scenarios} scenarios.",
        "",
        "| mutant | its one defect | fails | falls with it | why |",
        "|---|---|---|---|---|",
    ]
    for name in sorted(mutants):
        one = mutants[name]
        rows = seen.get(name, {})
        must = "<br>".join(f"{row} ({_where(rows.get(row, []))})" for row in sorted(one.fails))
        may = "<br>".join(f"{row} ({_where(rows.get(row, []))}): {why}" for row, why in sorted(one.knocks.items()))
        lines.append(f"| `{name}` | {one.text} | {must} | {may} | {one.reason} |")
    return "\n".join(lines) + "\n"


def _where(scenarios: Sequence[str], most: int = 3) -> str:
    if len(scenarios) <= most:
        return ", ".join(scenarios)
    return f"{', '.join(scenarios[: most - 1])} and {len(scenarios) - most + 1} more"
