"""What every report asks of a run record: who decides, what comes first, which evidence belongs to which finding.

The law: nothing here changes a verdict. A row *fails the run* or *keeps it open* exactly as `brokercert.verdict`
decides the outcome, so that no report can be greener or redder than the run's exit code.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from brokercert.verdict import (
    BUFFERED,
    SEVERITY,
    Excerpt,
    Finding,
    Form,
    Level,
    Measured,
    Outcome,
    RowResult,
    RunRecord,
    ScenarioResult,
    Verdict,
    Waiver,
    WaiverState,
    fails,
    shows_fail,
    waiver_state,
)

from brokercert_reports.text import listing, measured_sentence, several

UNDECIDED = (
    Verdict.HARNESS_ERROR,
    Verdict.BLOCKED,
    Verdict.UNTESTED,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_OBSERVED,
)
MOST_CASES = 3  # findings of a row told in full, as many as have excerpts; the others are named
MOST_WORDS = 3  # kinds of ends of a client that are shown in full; the others are named
MOST_LINES = 20  # of a client's output: where a program says why it died, it says so in its last screen
TIMES = ("s", "ms")  # units of times: a count is never cut short by the end of a watch
QUIET = (Verdict.PASS, Verdict.NOT_APPLICABLE)  # findings that need no explanation

TITLES: dict[Outcome, str] = {
    Outcome.CERTIFIED: "Certified",
    Outcome.FAILED: "Failed",
    Outcome.INCOMPLETE: "Incomplete",
    Outcome.HARNESS_ERROR: "No verdict",
    Outcome.INTERRUPTED: "Interrupted",
}

MEANINGS: dict[Verdict, str] = {
    Verdict.HARNESS_ERROR: "our machinery broke; never blamed on the client",
    Verdict.FAIL: "the client did what it must not, or did not do what it must",
    Verdict.BLOCKED: "could not be asked, because an earlier requirement failed",
    Verdict.UNTESTED: "no scenario exercised it, or it was deselected",
    Verdict.INCONCLUSIVE: "the measurement lies within its own error of the limit",
    Verdict.NOT_OBSERVED: "the adapter or the source cannot show it, or the window was too short",
    Verdict.WARNING: "a recommendation was not followed",
    Verdict.PASS: "the requirement was met",
    Verdict.NOT_APPLICABLE: "the client lacks the feature, and declares so",
}

LEVELS: dict[str, str] = {
    "wire": "what the network shows, and nothing that the client says of itself",
    "reports": "what the network shows, and what the client reports as processed",
    "commands": "what the network shows, what the client reports, and what it answers when asked",
    "in process": "a Python object inside the harness's own process",
}


def outcome_title(run: RunRecord) -> str:
    """The verdict word, never without the part where only a part was judged."""
    title = TITLES[run.outcome]
    if run.outcome is Outcome.CERTIFIED and waivers_used(run):
        title += f" with {several(waivers_used(run), 'waiver')}"
    return f"{title} for part {run.part}" if run.part and run.outcome is Outcome.CERTIFIED else title


def client_words(run: RunRecord) -> str:
    """`client.mjs, version 1.2.0 (package.json), commit 3f2a...`: as far as it is known."""
    build = run.subject.build
    version = f", version {build.version}" if build.version else ""
    return f"{run.subject.name}{version}{f', commit {build.commit}' if build.commit else ''}"


def fails_run(row: RowResult, run: RunRecord) -> bool:
    """The row alone is enough to fail the run, and no waiver bears it."""
    return fails(row, strict=run.strict) and waiver_of(row, run) is None


def waiver_of(row: RowResult, run: RunRecord) -> Waiver | None:
    """The waiver that keeps the row's failure from failing the run; an expired one withholds the certificate then."""
    if not fails(row, strict=run.strict):
        return None
    return next((one for one in run.waivers if one.row == row.id), None)


def bearing(waiver: Waiver) -> str:
    """Why a failure does not fail the run."""
    return f"waived until {waiver.expiry} by {waiver.who}: {waiver.reason}"


def waiver_lines(run: RunRecord) -> tuple[str, ...]:
    """Each waiver of the run in a sentence, and what became of it."""
    return tuple(f"{one.row} {waiver_words(one, run)}" for one in run.waivers)


def waiver_words(one: Waiver, run: RunRecord) -> str:
    """What became of a waiver, until when it holds, and who gave it and why."""
    return f"({_state(one, run).value}), until {one.expiry}, by {one.who}: {one.reason}"


def _state(one: Waiver, run: RunRecord) -> WaiverState:
    return waiver_state(one, run.rows, strict=run.strict, on=run.waived_on)


def waived(run: RunRecord) -> tuple[str, ...]:
    """The rows whose failure a waiver bears that holds on the day of the run."""
    return tuple(one.row for one in run.waivers if _state(one, run) is WaiverState.USED)


def waivers_used(run: RunRecord) -> int:
    """How many failures are waived in this run."""
    return len(waived(run))


def verdict_words(row: RowResult) -> str:
    """`harness error, and fail in login, outage`: a verdict that outranks a fail does not hide it."""
    if row.verdict is Verdict.FAIL or not shows_fail(row):
        return row.verdict.value + tries_told(row)
    where = dict.fromkeys(finding.scenario for finding in row.findings if finding.verdict is Verdict.FAIL)
    return f"{row.verdict}, and fail in {listing(where, 3) or 'another run'}{tries_told(row)}"


def tries_told(row: RowResult) -> str:
    """`, in 2 of 4 runs`: in how many runs of a repeated one its verdict is that; empty where there was one run."""
    return f", in {row.tries.count(row.verdict)} of {len(row.tries)} runs" if row.tries else ""


def repeated_told(run: RunRecord) -> str:
    """Of a repeated run, how its rows came out, and which came out otherwise from run to run."""
    changing = [f"{row.id} ({row.verdict}{tries_told(row)})" for row in run.rows if len(set(row.tries)) > 1]
    told = f"The run was repeated: {run.repeats} runs, and of each row the worst verdict counts."
    if not changing:
        return f"{told} All of them said the same of every row."
    return f"{told} Not the same in each: {listing(changing, 12)}."


def keeps_open(row: RowResult) -> bool:
    """The row alone is enough to withhold the certificate, though nothing is held against the client."""
    return row.in_part and row.level is Level.MUST and row.verdict in UNDECIDED


def counts(rows: Iterable[RowResult]) -> dict[Verdict, int]:
    """How many rows have which verdict, worst first, without the verdicts that none has."""
    verdicts = [row.verdict for row in rows]
    return {verdict: verdicts.count(verdict) for verdict in Verdict if verdict in verdicts}


def shares(rows: Iterable[RowResult]) -> dict[Verdict, int]:
    """The same in reading order: what passed, then what did not, worst first, then what does not apply."""
    counted = counts(rows)
    order = (Verdict.PASS, *(verdict for verdict in Verdict if verdict not in QUIET), Verdict.NOT_APPLICABLE)
    return {verdict: counted[verdict] for verdict in order if verdict in counted}


def judged(run: RunRecord) -> tuple[RowResult, ...]:
    """The rows that are being certified."""
    return tuple(row for row in run.rows if row.in_part)


def unasked(row: RowResult, run: RunRecord) -> bool:
    """It is untested because `--only` asked for others: nothing is amiss with it."""
    return row.verdict is Verdict.UNTESTED and bool(run.selected) and row.id not in run.selected


def decides(row: RowResult, run: RunRecord) -> str:
    """`against`: the row alone fails the run; `open`: it alone withholds the certificate; `nothing`."""
    if fails_run(row, run):
        return "against"
    return "open" if keeps_open(row) else "nothing"


def tone(row: RowResult, run: RunRecord) -> str:
    """The class of colours in which a row stands: grey for what was not asked for and for what decides nothing here,
    since it is not part of what is certified; else that of its verdict.
    """
    if unasked(row, run):
        return "unasked"
    return row.verdict.value.replace(" ", "-") if row.in_part else "outside"


def legend(run: RunRecord) -> dict[Verdict, str]:
    """The colours of each verdict that there is: grey where every row that has it is."""
    tones = {verdict: {tone(row, run) for row in run.rows if row.verdict is verdict} for verdict in Verdict}
    grey = {"unasked", "outside"}
    return {v: "unasked" if of <= grey else v.value.replace(" ", "-") for v, of in tones.items() if of}


PLAINLY: dict[Verdict, str] = {
    Verdict.HARNESS_ERROR: "Our own machinery broke here, so that nothing is said of the client.",
    Verdict.INCONCLUSIVE: "What was seen decides neither for the client nor against it.",
    Verdict.NOT_OBSERVED: "It could not be seen, and nothing is held against the client.",
}


def plainly(row: RowResult) -> str:
    """What a finding means, for whoever knows no protocol: of a breach the set's own words, of all else that there is
    none.
    """
    if shows_fail(row) or row.verdict is Verdict.WARNING:
        return row.means
    return PLAINLY.get(row.verdict, "")


def areas(rows: Iterable[RowResult]) -> dict[str, list[RowResult]]:
    """Rows by area, in the order of the set."""
    grouped: dict[str, list[RowResult]] = {}
    for row in rows:
        grouped.setdefault(row.area, []).append(row)
    return grouped


def problems(run: RunRecord) -> tuple[RowResult, ...]:
    """The rows with something to explain, worst first and what decides before what does not.

    Blocked and untested rows are none: the failure that blocks them is, and nobody can mend a row that was not asked.
    """
    told = [row for row in run.rows if row.verdict not in (*QUIET, Verdict.BLOCKED, Verdict.UNTESTED)]
    return tuple(sorted(told, key=lambda row: (not row.in_part, _urgency(row, run))))


def _urgency(row: RowResult, run: RunRecord) -> tuple[int, int]:
    return (0 if fails_run(row, run) or keeps_open(row) else 1, SEVERITY[row.verdict])


def blocked_by(run: RunRecord) -> dict[str, tuple[str, ...]]:
    """The ids of the rows that each row blocks."""
    grouped: dict[str, list[str]] = {}
    for row in run.rows:
        if row.verdict is Verdict.BLOCKED:
            for blocker in dict.fromkeys(f.blocked_by for f in row.findings if f.blocked_by):
                grouped.setdefault(blocker, []).append(row.id)
    return {blocker: tuple(ids) for blocker, ids in grouped.items()}


@dataclass(frozen=True)
class Case:
    """A finding with what supports it."""

    finding: Finding
    excerpt: Excerpt | None
    scenario: ScenarioResult | None

    @property
    def trace(self) -> str:
        return self.scenario.trace if self.scenario else ""

    @property
    def ended_badly(self) -> bool:
        return self.scenario is not None and ended_badly(self.scenario)


ASKED = "(asked to stop)"
# Of the request to stop itself: a client without a handler dies so, and that is no crash.
STOPPED = tuple(f"signal {number} {ASKED}" for number in (1, 2, 15))
BACKGROUND = "that it had left running"


def ended_badly(scenario: ScenarioResult) -> bool:
    """The client ended by itself, or by a signal that nobody had sent, or did not end when it was asked."""
    if scenario.exit in STOPPED:
        return False
    return "not asked" in scenario.exit or scenario.exit.startswith(("signal", "still running"))


def _weight(scenario: ScenarioResult) -> int:
    """How much its end asks to be looked at, the least first: an end with an error that nobody asked for, any other
    that nobody asked for, one by a signal, one that did not come when it was asked for.
    """
    unasked = "not asked" in scenario.exit
    if unasked and not scenario.exit.startswith("exit 0"):
        return 0
    if unasked:
        return 1
    return 3 if scenario.exit.startswith("still running") or "still there" in scenario.exit else 2


def cases(row: RowResult, run: RunRecord) -> tuple[Case, ...]:
    """The row's findings that need explaining, fails first, each with its own excerpt; of a row without such, all.

    Excerpts stand in the record in the order of the findings, but not every finding has one.
    """
    by_name = {(scenario.name, scenario.play): scenario for scenario in run.scenarios}
    told = [f for f in row.findings if f.verdict not in QUIET] or list(row.findings)
    told.sort(key=lambda finding: finding.verdict is not Verdict.FAIL)
    pool = list(row.excerpts)
    result = []
    for finding in told:
        mine = next((e for e in pool if _shows(e, finding)), None)
        if mine is not None:
            pool.remove(mine)
        result.append(Case(finding, mine, by_name.get((finding.scenario, finding.play))))
    return tuple(result)


def passes_shown(run: RunRecord) -> dict[str, Case]:
    """Of each row that passed, by its id, the pass whose records the report has."""
    found = {row.id: cases(row, run) for row in run.rows if row.verdict is Verdict.PASS and row.excerpts}
    return {ident: case for ident, told in found.items() for case in told if case.excerpt is not None}


def _shows(excerpt: Excerpt, finding: Finding) -> bool:
    if (excerpt.scenario, excerpt.play) != (finding.scenario, finding.play):
        return False
    marked = {line.record for line in excerpt.lines if line.marked}
    return bool(marked) and marked <= set(finding.evidence)


@dataclass(frozen=True)
class Budget:
    """All measurements of one thing against one limit; `worst` is the one nearest to or furthest beyond it."""

    row: RowResult
    worst: Measured
    verdict: Verdict
    scenario: str
    samples: int
    survived: bool = False  # the worst is a least: nothing had ended that time


def budgets(run: RunRecord) -> tuple[Budget, ...]:
    """Every measurement that has a limit. The worst is that of the worst finding, then the one nearest to the limit:
    the largest, or the smallest where the name says "at least".
    """
    grouped: dict[tuple[str, str, str, float], list[tuple[Finding, Measured]]] = {}
    by_id = {row.id: row for row in run.rows}
    for row in run.rows:
        for finding in row.findings:
            for one in finding.measured:
                if one.limit is not None:
                    grouped.setdefault((row.id, one.name, one.unit, one.limit), []).append((finding, one))
    result = []
    for (row_id, _, _, _), taken in grouped.items():
        finding, one = min(taken, key=lambda pair: (SEVERITY[pair[0].verdict], _spare(pair[1])))
        ended = survived(finding, one)
        result.append(Budget(by_id[row_id], one, finding.verdict, finding.scenario, len(taken), ended))
    return tuple(result)


def _spare(one: Measured) -> float:
    return one.value if is_floor(one) else -one.value


def is_floor(one: Measured) -> bool:
    """Its limit is the least that is right, not the most. The record has no field for it: the name says so."""
    return "at least" in one.name


def survived(finding: Finding, one: Measured) -> bool:
    """The time ran to the end of what was watched, since what would have ended it never came: its value is a least.

    The record says so by the finding's form. A record of before there were forms does not say it.
    """
    return finding.form is Form.ABSENCE and one.unit in TIMES


def measures(finding: Finding) -> tuple[str, ...]:
    """What was measured for a finding, a sentence each. No report tells a measurement without its finding."""
    return tuple(measured_sentence(one, survived(finding, one)) for one in finding.measured)


def wall_time(run: RunRecord) -> str:
    """The wall time as its sum. Empty for traces that were judged without a run.

    The rest is what is left of the rounded numbers, so that the sum is right as it is printed.
    """
    timing = run.timing
    parts = (timing.longest_waiting, timing.exclusive, timing.virtual, timing.again)
    rest = round(timing.total, 1) - sum(round(part, 1) for part in parts)
    if not timing.total:
        return ""
    return (
        f"longest waiting {timing.longest_waiting:.1f} s + exclusive {timing.exclusive:.1f} s"
        + (f" + in virtual time {timing.virtual:.1f} s" if timing.virtual else "")
        + (f" + played again {timing.again:.1f} s" if timing.again >= 0.05 else "")
        + f" + rest {max(0.0, rest):.1f} s = {timing.total:.1f} s"
    )


@dataclass(frozen=True)
class LastWords:
    """What the client printed last, where that may explain something. `others`: scenarios that ended in the same way,
    with the same last line.
    """

    title: str
    scenario: ScenarioResult
    lines: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """`In login, and likewise in outage and 3 more,`: where it ended so."""
        also = f", and likewise in {listing(self.others, 2)}" if self.others else ""
        return f"In {self.scenario.name}{also}"


def last_words(run: RunRecord) -> tuple[LastWords, ...]:
    """Of a failed client that got nowhere (nothing of it passed, and rows could not be asked), the scenario in which it
    said most. Else of every end that nobody asked for, whatever the rows say, what came before it, the worst first;
    then of clients that did not end when they were asked. Ends of one kind are told once.
    """
    nowhere = _got_nowhere(run)
    if nowhere is not None:
        return (nowhere,)
    kinds: dict[tuple[str, str], list[ScenarioResult]] = {}
    for scenario in sorted(filter(ended_badly, run.scenarios), key=_weight):
        kinds.setdefault((scenario.exit, scenario.output[-1] if scenario.output else ""), []).append(scenario)
    return tuple(
        LastWords(_title_of(first), first, first.output[-MOST_LINES:], tuple(other.name for other in others))
        for first, *others in kinds.values()
    )


def _title_of(scenario: ScenarioResult) -> str:
    if BACKGROUND in scenario.exit:
        return "The client's program left, and what it had started went on: keep it in the foreground"
    return "The client ended, and nobody had asked it to" if _weight(scenario) < 2 else "The client did not end well"


def _got_nowhere(run: RunRecord) -> LastWords | None:
    """One whose output is buffered got somewhere, and nobody knows where; so did one of which some finding is praise,
    though its row was not asked for.
    """
    found = {finding.verdict for row in run.rows for finding in row.findings}
    known = not any(text.lower().startswith(BUFFERED) for text in run.telling)
    failed = any(map(shows_fail, run.rows))
    if not known or not failed or not run.scenarios or found & {Verdict.PASS, Verdict.WARNING}:
        return None
    if not found & {Verdict.BLOCKED, Verdict.NOT_OBSERVED}:
        return None
    said = max(run.scenarios, key=lambda scenario: len(scenario.output))
    return LastWords("The client got nowhere", said, said.output[-MOST_LINES:])


def evidence_place(case: Case) -> str:
    """`traces/login.jsonl, records 12, 15`: enough to open it by hand."""
    if not case.trace:
        return ""
    return case.trace + records_text(case.finding.evidence)


def records_text(evidence: Sequence[int], most: int = 6) -> str:
    if not evidence:
        return ""
    shown = ", ".join(map(str, evidence[:most])) + (f" and {len(evidence) - most} more" if len(evidence) > most else "")
    return f", record{'s' if len(evidence) > 1 else ''} {shown}"
