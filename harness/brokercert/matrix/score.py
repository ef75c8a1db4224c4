"""What the matrix had to show and what it showed: the differences, and the score.

The law: a row that a mutant must fail fails (a SHOULD row: is warned of) in some scenario, every knock-on that is
written down with a reason of its own occurs, and nothing else falls. A requirement's text decides what is written
down, never a run. Rows that no scenario played exercises are asked of nobody, nor are those that only a process of
its own can show. Mutants that show their defect as a process only are played as such (`dev.py mutants`), and are no
part of the score.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.defects import Score, matrix_hash
from brokercert.matrix.cells import FALLEN, Cell, Told
from brokercert.matrix.subjects import failures_of, formless, forms_in, forms_of, insiders, mutants_of, outside
from brokercert.requirements import load_set
from brokercert.verdict import Verdict


def fallen(told: Iterable[Told]) -> dict[str, dict[str, list[str]]]:
    """Subject -> row that failed or was warned of -> the scenarios in which."""
    result: dict[str, dict[str, list[str]]] = {}
    for one in told:
        rows = result.setdefault(one.cell.subject, {})
        for row, verdict in one.verdicts.items():
            if verdict in FALLEN:
                rows.setdefault(row, []).append(one.cell.scenario)
    return result


def differences(told: Sequence[Told], mutants: Mapping[str, Any], in_part: Container[str] = ()) -> list[str]:
    """Where the run is not as written; empty where all is. The reference client must fail nothing.

    `in_part` are those that did not play all their scenarios: what falls with their defect may not have been met.
    """
    wrong = [
        f"{_name(one.cell)}: {one.state}: {one.note}"
        for one in told
        if one.state != "completed" or Verdict.HARNESS_ERROR.value in one.verdicts.values()
    ]
    wrong += [f"{_name(one.cell)}: {said}" for one in told for said in one.untrue]
    played = {row for one in told for row in one.verdicts}
    played -= {row for set_id in {one.cell.set_id for one in told} for row in outside(set_id)}
    for name, rows in fallen(told).items():
        one = mutants.get(name)
        must = set(one.fails) & played if one else set()
        may = set(one.also) if one else set()
        wrong += [f"{name}: {row} must fail, and does not{_said(told, name, row)}" for row in sorted(must - set(rows))]
        may_not = name in in_part
        due = {row for row in may & played if one and one.knocks[row] != one.reason and not may_not}
        wrong += [f"{name}: {row} is to fall with it, and does not" for row in sorted(due - set(rows))]
        wrong += [
            f"{name}: {row} fails in {', '.join(rows[row])}, and nothing says why: {_mend(one)}"
            for row in sorted(set(rows) - must - may)
        ]
    return wrong


def _said(told: Sequence[Told], name: str, row: str) -> str:
    """What was said of the row instead, by scenario; no more than three, since a row may be exercised by a grid."""
    mine = [one for one in told if one.cell.subject == name and row in one.verdicts]
    said = [f"{one.verdicts[row]} in {one.cell.scenario}" for one in mine]
    more = f" and {len(said) - 3} more" if len(said) > 3 else ""
    return f": {', '.join(said[:3])}{more}"


def _mend(mutant: Any) -> str:
    """What to do about a row that fell without a word of it."""
    if mutant is None:
        return "mend the scenario or the check"
    return "mend the check, or write the row into the mutant's `fails` or `also`, if the row's text demands it"


def score_of(set_id: str, told: Sequence[Told]) -> Score:
    """A mutant is killed when at least one row that it must fail has failed."""
    mutants, forms = insiders(set_id), forms_of(set_id)
    seen = fallen(told)

    def caught(some: Mapping[str, Any]) -> int:
        return sum(bool(some[name].fails & set(seen.get(name, {}))) for name in some)

    return Score(
        set_id=set_id,
        hash=matrix_hash(load_suite(set_id)),
        mutants=len(mutants),
        killed=caught(mutants),
        forms=len(forms),
        forms_killed=caught(forms),
        scenarios=len({one.cell.scenario for one in told}),
        cells=len(told),
        outside=len(mutants_of(set_id)) - len(mutants),
    )


def _name(cell: Cell) -> str:
    return f"{cell.subject} in {cell.scenario}"


def page(set_ids: Sequence[str]) -> str:
    """docs/kill-matrix.md: every known defect, what it must fail, and why. Made of what is written, not of a run."""
    lines = [INTRODUCTION]
    for set_id in set_ids:
        named = load_set(set_id).name
        mutants = mutants_of(set_id)
        suite = load_suite(set_id)
        cells = sum(scenario.cell is not None for scenario in suite.scenarios)
        grid = f", and {cells} cells of its grid of faults and phases" if cells else ""
        lines += [
            f"## {named}",
            "",
            f"{len(mutants)} known defects; {len(suite.scenarios) - cells} scenarios{grid}.",
            "",
            "| mutant | its one defect | must fail | why | falls with it |",
            "| --- | --- | --- | --- | --- |",
        ]
        for name, one in sorted(mutants.items()):
            must = ", ".join(sorted(one.fails)) + (" (as a process)" if one.process else "")
            knocks: dict[str, list[str]] = {}
            for row, why in sorted(one.knocks.items()):
                knocks.setdefault("" if why == one.reason else f": {why}", []).append(row)
            may = "<br>".join(", ".join(rows) + why for why, rows in knocks.items())
            lines.append(f"| `{name}` | {_cell(one.text)} | {must} | {_cell(one.reason)} | {_cell(may)} |")
        lines += ["", *_forms(set_id, named), *_failures(set_id, named)]
    return "\n".join(lines)


def _forms(set_id: str, named: str) -> list[str]:
    """On which of its sockets a client has a defect: what forms there are, and what has none."""
    forms = forms_in(set_id)
    if forms is None:
        return []
    lines = [
        f"### Forms of mutants: {named}",
        "",
        f"Each mutant above also exists in the forms below: {len(forms_of(set_id))} clients in all, each called"
        " `MUTANT@FORM`. A form must fail the rows of its mutant. Those *as a process* have no forms here.",
        "",
        "| form | the defect shows | rows that it need not fail | why |",
        "| --- | --- | --- | --- |",
    ]
    for form in forms.all:
        spared = _by_reason(forms.rows.get(form.name, {}))
        lines += [f"| `{form.name}` | {_cell(form.says)} | {', '.join(rows)} | {_cell(why)} |" for why, rows in spared]
        lines += [] if spared else [f"| `{form.name}` | {_cell(form.says)} | none | |"]
    lines += ["", "These have no form, or not this one:", "", "| without it | why |", "| --- | --- |"]
    lines += [
        f"| {', '.join(f'`{name}`' for name in names)} | {_cell(why)} |"
        for why, names in _by_reason(_shortened(formless(set_id), {form.name for form in forms.all}))
    ]
    return [*lines, ""]


def _by_reason(reasons: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """Each reason with all that it is given for, in order."""
    found: dict[str, list[str]] = {}
    for name, why in sorted(reasons.items()):
        found.setdefault(why, []).append(name)
    return list(found.items())


def _shortened(reasons: Mapping[str, str], forms: set[str]) -> dict[str, str]:
    """A mutant that has no form at all is named once, without them."""
    short: dict[str, str] = {}
    for name, why in reasons.items():
        base = name.partition("@")[0]
        alike = all(reasons.get(f"{base}@{form}") == why for form in forms)
        short[base if alike else name] = why
    return short


def _failures(set_id: str, named: str) -> list[str]:
    """What goes wrong in real clients, and who has that defect."""
    rows = failures_of(set_id)
    if not rows:
        return []
    lines = [
        f"### Failures of real clients: {named}",
        "",
        "The rows of [TP §11](protocol/tradovate.md#11-what-goes-wrong-in-real-clients), and who has that defect.",
        "",
        "| row | what of it | mutants |",
        "| --- | --- | --- |",
    ]
    for one in rows:
        names = ", ".join(f"`{name}`" for name in one.mutants)
        lines.append(f"| {one.row} | {_cell(one.says)} | {names or _cell(f'none: {one.why_none}')} |")
    return [*lines, ""]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


INTRODUCTION = """# The kill matrix

A certificate is worth what its checks can catch. So every check is tried on *mutants*: each is the reference client
with one small, named defect. Every mutant plays every scenario of its set, in virtual time; what it must fail was
written down from the requirement's text before the first run. The matrix is as written when

* every row that a mutant must fail fails in some scenario (a SHOULD row: is warned of);
* every row that falls with it, and is written down with a reason of its own, falls;
* nothing else falls, with any mutant; and with the reference client nothing at all.

Most defects are those of a socket, and so each such mutant exists in forms as well: with its defect on one of three
sockets only, or from its second or third socket on. A form must fail what its mutant must. No form is written by hand:
a new mutant has its forms at once, and a table says where one makes no sense.

Anything else is a bug: of a check, of a mutant, of a scenario, or of what is written here. A row that falls with a
defect for the very reason that stands under *why* may fall or not: that depends on what else its scenarios need.

The grid (every fault in every phase of a connection's life) is played in full by the reference client and by mutants
that must fail REC-110 or REC-115. Every other mutant plays a sample, drawn by the seed, in which each fault and each
phase stands at least once. What only a process in real time can show (REC-100, EVT-150, and where a client blocks) is
no part of the matrix: these mutants, marked *as a process*, are played by `python3 dev.py mutants` in real time, and so
are others of both sets, so that it is not the virtual time alone that is proved.

    brokercert matrix                       what each mutant, in each form, must fail, and a share of all other cells
    brokercert matrix --keep                the same, and the score is kept for every report
    brokercert matrix --all                 everything, in about an hour
    brokercert matrix --mutant NAME         one mutant through everything, and what its forms must fail
    brokercert matrix --cluster tcp://...   on the workers of a Dask scheduler
    python3 dev.py generate                 this page, made anew; nothing is played

The exit status is 0 where all is as written, and 3 where something is not. The reference client plays every scenario
each time. A mutant plays the scenarios of its rows until each row has failed. The share of the other cells is another
one each time: a number draws it, which is printed, and `--draw` takes it again.

A report tells the score, "this suite catches N of N known defects", only where it was measured on the very sources
that made the report: suite, checks, limits, mock broker, engine, mutants (`harness/brokercert/data/scores.json` holds
their hash); else it says that it was not. Those *as a process* are told apart in it.
"""
