"""Verdicts and their algebra, and the run record: the one document that every report is rendered from.

The law: a verdict is decided from findings alone, worst first, and silence is never a pass.

    harness error > fail > blocked > untested > inconclusive > not observed > warning > pass   (> not applicable)

Of a SHOULD row a breach is a warning, and stands where *fail* does: no scenario that showed nothing hides one that
showed a breach.

*Certified* means that every applicable MUST row passed or has a warning only. Nothing here does I/O or reads a clock.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Sequence

import msgspec

BUFFERED = "your output is buffered"  # how a finding begins that a buffer of the client's made inconclusive
SIMULATED = "The broker was a simulated one; the live broker decides on its own."  # the first note of each run
RUN_FORMAT = 1  # of run.json; raised when a field changes its meaning


class Verdict(enum.StrEnum):
    """What is said of a finding, and, as the worst of its findings, of a row. Worst first."""

    HARNESS_ERROR = "harness error"
    FAIL = "fail"
    BLOCKED = "blocked"
    UNTESTED = "untested"
    INCONCLUSIVE = "inconclusive"
    NOT_OBSERVED = "not observed"
    WARNING = "warning"
    PASS = "pass"
    NOT_APPLICABLE = "not applicable"


class Level(enum.StrEnum):
    MUST = "MUST"
    SHOULD = "SHOULD"


BREACHES: dict[Level, Verdict] = {Level.MUST: Verdict.FAIL, Level.SHOULD: Verdict.WARNING}
SEVERITY: dict[Verdict, int] = {verdict: place for place, verdict in enumerate(Verdict)}


def severity(verdict: Verdict, level: Level = Level.MUST) -> tuple[int, int]:
    """The place of a verdict in the order of a row of this level, the least the worst: its breach is worse than all
    that says nothing of it.
    """
    return SEVERITY[Verdict.FAIL if verdict is BREACHES[level] else verdict], SEVERITY[verdict]


def worst(verdicts: Iterable[Verdict], level: Level = Level.MUST) -> Verdict:
    """The worst verdict of those given, for a row of this level; of none at all untested: nothing exercised it."""
    return min(verdicts, key=lambda verdict: severity(verdict, level), default=Verdict.UNTESTED)


class Form(enum.StrEnum):
    """What a finding rests on. It decides whether a standstill of the harness may have made it (`judge/standstill.py`).

    CONTENT: what a frame or an output holds, or that it came although its cause was held back, or came too early.
    ENDING: the client ended a connection, or itself.
    ABSENCE: something did not come, or had not come in time.
    AGAIN: something came at a time when it should not have: back, again, too often, two at once, late.
    TIME: a measured time, against its limit.
    EARLY: something came too early, by the clock.
    SHOWN: a pass by what came.
    WAITED: a pass by what came no sooner than it might.
    RESTRAINT: a pass by what did not come while it was looked for.
    """

    CONTENT = "content"
    ENDING = "ending"
    ABSENCE = "absence"
    AGAIN = "again"
    TIME = "time"
    EARLY = "early"
    SHOWN = "shown"
    WAITED = "waited"
    RESTRAINT = "restraint"


PASSES = (Form.SHOWN, Form.WAITED, Form.RESTRAINT)  # the forms of passes; all others are of breaches


class Outcome(enum.StrEnum):
    """What is said of a whole run."""

    CERTIFIED = "certified"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    HARNESS_ERROR = "harness error"
    INTERRUPTED = "interrupted"


class ExitCode(enum.IntEnum):
    """What the command line answers (pytest's own table stands in docs/exit-codes.md)."""

    CERTIFIED = 0
    FAILED = 1
    USAGE = 2
    HARNESS_ERROR = 3
    INCOMPLETE = 4
    INTERRUPTED = 130


EXIT_CODES: dict[Outcome, ExitCode] = {
    Outcome.CERTIFIED: ExitCode.CERTIFIED,
    Outcome.FAILED: ExitCode.FAILED,
    Outcome.INCOMPLETE: ExitCode.INCOMPLETE,
    Outcome.HARNESS_ERROR: ExitCode.HARNESS_ERROR,
    Outcome.INTERRUPTED: ExitCode.INTERRUPTED,
}


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=False):
    """Base of everything in run.json."""


class Measured(Record, frozen=True, kw_only=True):
    """A number with all that is needed to doubt it."""

    name: str  # what was measured: "accept to complete upgrade"
    value: float
    unit: str  # "s", "ms", "1" (a count)
    limit: float | None = None  # in the same unit
    error: float = 0.0  # +- this much, in the same unit
    clock: str = "monotonic"  # "monotonic" (real) or "virtual"
    side: str = "harness"  # whose clock stamped it


class Drawn(Record, frozen=True, kw_only=True):
    """Figures of one kind that a report draws; they decide nothing. With `counts`: how many lie between each two of
    `values`, which rise. Else `values` are the figures in their order, and `rungs` what each should be, as far as that
    is known. `limits`: what they are held to, in words and in their unit.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    counts: tuple[int, ...] = ()
    rungs: tuple[float, ...] = ()
    limits: tuple[tuple[str, float], ...] = ()


class Finding(Record, frozen=True, kw_only=True):
    """What one check says of one requirement in one scenario."""

    requirement: str
    scenario: str
    verdict: Verdict
    observed: str  # one sentence: what happened
    expected: str = ""  # one sentence: what would have been right
    clause: str = ""  # which part of the row, where it has several
    evidence: tuple[int, ...] = ()  # record numbers in that scenario's trace (the header is record 0)
    measured: tuple[Measured, ...] = ()
    blocked_by: str = ""  # the row whose failure made this one unjudgeable
    about: tuple[str, str] | None = None  # type and id of the entity that differs: excerpts show it in full
    form: Form | None = None  # None: it is neither a breach nor a pass
    stalled: tuple[float, float] | None = None  # s: the standstill of the harness that may have made it, from and to
    play: int = 1  # the playing of the scenario that it is of
    spare: float = 0.0  # s: of a pass by restraint, how much longer than it must something was looked for
    drawn: tuple[Drawn, ...] = ()


class ExcerptLine(Record, frozen=True, kw_only=True):
    """One record of a trace, as a reader sees it."""

    record: int  # its number in the trace
    at: float  # seconds since the scenario began
    conn: int  # 0: no connection in particular
    who: str  # "client", "broker", "harness", "subject"
    text: str
    marked: bool = False  # it is itself evidence, not only near it


class Excerpt(Record, frozen=True, kw_only=True):
    """The records around a finding's evidence."""

    scenario: str
    lines: tuple[ExcerptLine, ...]
    play: int = 1
    omitted: int = 0  # marked records left out because there were too many


class Happened(Record, frozen=True, kw_only=True):
    """A failure of somebody else's, which this row finds: what it was, and where it was told of in public."""

    title: str
    address: str


class RowResult(Record, frozen=True, kw_only=True):
    """A requirement and what was found of it."""

    id: str
    area: str
    title: str
    level: Level
    text: str
    source: str
    needs: tuple[str, ...]
    in_part: bool  # belongs to what is being certified
    verdict: Verdict
    reason: str  # one sentence: why this verdict
    scenarios: tuple[str, ...] = ()  # the ones listed for it
    findings: tuple[Finding, ...] = ()
    excerpts: tuple[Excerpt, ...] = ()
    means: str = ""
    causes: tuple[str, ...] = ()
    mend: str = ""
    others: tuple[Happened, ...] = ()
    reproduce: str = ""  # one command
    tries: tuple[Verdict, ...] = ()  # of a repeated run: what each of its runs said, and the worst of them counts


class Waiver(Record, frozen=True, kw_only=True):
    """A failure that somebody decided to bear, until a day."""

    row: str
    reason: str
    who: str
    expiry: str  # the last day on which it holds, ISO-8601


class WaiverState(enum.StrEnum):
    """What became of a waiver in a run. Of *used* and *open* ones none withholds the certificate by itself."""

    USED = "used"  # the row failed, and is waived
    OPEN = "open"  # the row has no verdict, or was not asked for
    PASSES = "passes"  # there is nothing to waive any more
    EXPIRED = "expired"
    NOTHING = "matches nothing"  # there is no such row


def waiver_state(waiver: Waiver, rows: Sequence[RowResult], *, strict: bool, on: str) -> WaiverState:
    """`on` is the day of the run, ISO-8601."""
    row = next((row for row in rows if row.id == waiver.row), None)
    if row is None:
        return WaiverState.NOTHING
    if waiver.expiry < on:
        return WaiverState.EXPIRED
    if not row.in_part:
        return WaiverState.OPEN
    if fails(row, strict=strict):
        return WaiverState.USED
    over = (Verdict.PASS, Verdict.WARNING, Verdict.NOT_APPLICABLE)
    return WaiverState.PASSES if row.verdict in over else WaiverState.OPEN


def fails(row: RowResult, *, strict: bool) -> bool:
    """Whether it alone is enough to fail the run, waived or not."""
    if not row.in_part:
        return False
    return (row.level is Level.MUST and row.verdict is Verdict.FAIL) or (strict and shows_warning(row))


# The states of a scenario that was not played: it has no trace.
UNPLAYED = ("not chosen", "left out", "not applicable", "not run")


class ScenarioResult(Record, frozen=True, kw_only=True):
    """One scenario as it was played."""

    name: str
    title: str
    path: str  # "direct" or "proxied"
    exclusive: bool
    state: str  # "completed", "harness error", "interrupted", "not run", "not applicable", "not chosen", "left out"
    note: str = ""
    trace: str = ""  # file, relative to the run's folder
    sha256: str = ""  # of that file
    duration: float = 0.0  # seconds
    lag_ms: float = 0.0  # worst lateness of the harness's own loop while it ran
    exit: str = ""  # how the subject ended: "exit 0 (asked to stop)", "signal 15", ...
    output: tuple[str, ...] = ()  # the subject's last lines, secrets labelled
    fault: str = ""  # its place in the suite's grid of faults and phases, where it has one
    phase: str = ""
    tier: str = ""  # "real" or "virtual", where it was played
    play: int = 1  # which playing of it: from 2 on it was played again
    began: str = ""  # time 0 of its trace, ISO-8601 in UTC with milliseconds; "": recorded before this was


class LimitUsed(Record, frozen=True, kw_only=True):
    name: str
    value: float
    unit: str
    origin: str
    text: str
    default: float | None = None  # where the run deviates: the value of the set


class Absent(Record, frozen=True, kw_only=True):
    """A capability that the subject declares it lacks."""

    name: str
    reason: str


class Build(Record, frozen=True, kw_only=True):
    """Which build of the subject was played, as far as it was said or found. No trace says it."""

    version: str = ""  # as its user said, or as a manifest beside it has it
    commit: str = ""  # of git, with whether files differ from it
    files: dict[str, str] = {}  # of those that its command names: name, without folders -> SHA-256


class SubjectInfo(Record, frozen=True, kw_only=True):
    name: str
    command: tuple[str, ...]  # secrets labelled
    level: str  # "wire", "reports", "commands", "in process"
    absent: tuple[Absent, ...] = ()
    readings: dict[str, str] = {}
    entity_types: tuple[str, ...] = ()  # that it declares it relies on; none: not declared
    build: Build = Build()


class Calibration(Record, frozen=True, kw_only=True):
    """The harness's own round trip and loop lag, measured in the same run. Milliseconds."""

    round_trip_p50: float
    round_trip_p99: float
    round_trip_max: float
    lag_p99: float
    lag_max: float
    samples: int


class Timing(Record, frozen=True, kw_only=True):
    """The wall time as a sum. Seconds."""

    predicted: float
    longest_waiting: float
    exclusive: float
    rest: float
    total: float
    virtual: float = 0.0  # what was played in virtual time besides, by the real clock
    again: float = 0.0  # what was played again, since the harness had stood still or broken


class Start(Record, frozen=True, kw_only=True):
    """What the client's first start cost, before all scenarios. Seconds from its start."""

    tries: int  # more than 1: the harness stood still in those before
    connected: float | None  # to its first TCP connection; None: it never came
    upgraded: float | None  # to its first upgrade request
    cpu: float | None = None  # seconds of CPU that its processes had used by then; None: not measured


class SetSource(Record, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The page that a set was made from. `page` is how rows cite it. `edition` is our name of it, since pages carry
    none: the year. `read_on` is the day on which its sentences were listed, YYYY-MM-DD; `sentences` the SHA-256 of that
    list (`brokercert.sources`).
    """

    page: str
    title: str
    address: str
    edition: str
    read_on: str
    sentences: str


class RunRecord(Record, frozen=True, kw_only=True):
    """run.json."""

    format: int
    run_id: str
    started: str  # ISO-8601 UTC
    tool: str  # "brokercert 0.1.0"
    tier: str  # "real" or "virtual"
    set_id: str
    set_title: str
    set_version: str
    set_hash: str
    part: str  # "" for the whole set
    strict: bool
    selected: tuple[str, ...]  # ids asked for, or empty for all
    seed: int
    subject: SubjectInfo
    toxiproxy: str  # "embedded", "toxiproxy-server at http://...", "not used"
    limits: tuple[LimitUsed, ...]
    calibration: Calibration | None
    timing: Timing
    environment: dict[str, str]
    scenarios: tuple[ScenarioResult, ...]
    rows: tuple[RowResult, ...]
    outcome: Outcome
    sentence: str  # "client.mjs: certified for part core (31 of 77 rows), not a certificate of the set"
    reproduce: str
    notes: tuple[str, ...] = ()
    telling: tuple[str, ...] = ()  # what is wrong with how the client reports; no failure, and told first
    start: Start | None = None  # None: no preflight was played
    shape: str = ""  # what the client opens by itself, and whether that changes; "": its scenarios were judged without
    missing: tuple[str, ...] = ()  # scenarios that were called for and of which there is no trace
    vouched: bool = True  # that the traces are those of the run, and all of them
    doubt: str = ""  # why that is not vouched for; empty: it is, or there was no run.json beside the traces
    manifest: str = ""  # the SHA-256 of what the set held (`engine/run/manifest.py`); empty: of before there was one
    chain: str = ""  # of the traces (`brokercert.seal`); empty: of before, or without traces
    waivers: tuple[Waiver, ...] = ()  # as they stood when the run began
    waived_on: str = ""  # the day by which they are held, ISO-8601; "": there was no file of them
    ended_early: str = ""  # why the rest was not played, where its first failure ended it; "": nothing of that kind
    repeats: int = 1  # how many runs it is the worst of
    faults: tuple[str, ...] = ()  # the axes of the suite's grid, in its own order; empty where it has none
    phases: tuple[str, ...] = ()
    set_name: str = ""  # as it is asked for, with its edition where the set knows of several; "": its id
    source: SetSource | None = None  # None: the set names none, or the record is older than this
    other_edition: str = ""  # the sentence on a client that shows the signs of another edition
    challenge: str = ""  # the partner's text that the seed follows from; "": nobody gave one
    judge: str = ""  # of the sources that judged it (`engine/run/defects.py`); "": of before that was told
    seal: str = ""  # of all the rest of the file (`brokercert.seal`); empty: of before there was one

    @property
    def named(self) -> str:
        """The set as whoever reads a report asks for it."""
        return self.set_name or self.set_id


def outcome_of(
    rows: Sequence[RowResult],
    *,
    strict: bool = False,
    interrupted: bool = False,
    missing: Sequence[str] = (),
    vouched: bool = True,
    waivers: Sequence[Waiver] = (),
    waived_on: str = "",
) -> Outcome:
    """The run's outcome over the rows that are being certified (`in_part`).

    Only MUST rows decide, unless `strict`: then a warning on any row fails, be it that row's verdict or hidden by a
    scenario in which the row showed nothing. A harness error outranks a failure here
    as it does in a row: a run whose own machinery broke certifies nothing and convicts nobody. `missing`: scenarios
    that were called for and of which there is no trace; whatever they would have shown, nothing is certified. Nor is
    anything where it is not `vouched` that the traces are those of the run, all of them and as they were written.

    A failure with a waiver that holds on the day `waived_on` does not fail the run. A waiver that is no longer needed,
    has expired or matches nothing withholds the certificate; an expired one does not convict by itself either.
    """
    if interrupted:
        return Outcome.INTERRUPTED
    judged = [row for row in rows if row.in_part]
    states = {one.row: waiver_state(one, rows, strict=strict, on=waived_on) for one in waivers}
    borne = {row for row, state in states.items() if state in (WaiverState.USED, WaiverState.EXPIRED)}
    must = [row.verdict for row in judged if row.level is Level.MUST and not _is_borne(row, borne)]
    if strict and any(shows_warning(row) and row.id not in borne for row in judged):
        must.append(Verdict.FAIL)
    asked = [row for row in judged if row.level is Level.MUST and row.verdict is not Verdict.NOT_APPLICABLE]
    if not asked:
        return Outcome.INCOMPLETE  # nothing was asked of the client: no certificate by default
    must = must or [Verdict.PASS]
    stale = any(state not in (WaiverState.USED, WaiverState.OPEN) for state in states.values())
    match worst(must):
        case Verdict.HARNESS_ERROR:
            return Outcome.HARNESS_ERROR
        case Verdict.FAIL:
            return Outcome.FAILED
        case Verdict.WARNING | Verdict.PASS | Verdict.NOT_APPLICABLE:
            return Outcome.INCOMPLETE if missing or stale or not vouched else Outcome.CERTIFIED
        case _:
            return Outcome.INCOMPLETE


def _is_borne(row: RowResult, borne: Collection[str]) -> bool:
    """A failure alone is borne: a row that broke, or was not shown, keeps its verdict."""
    return row.id in borne and row.verdict is Verdict.FAIL


def shows_fail(row: RowResult) -> bool:
    """Whether some scenario failed it, in any run of a repeated one, whatever broke in others: a broken scenario has
    findings of its own breaking only, so that a fail comes from one that was played.
    """
    return Verdict.FAIL in row.tries or any(finding.verdict is Verdict.FAIL for finding in row.findings)


def shows_warning(row: RowResult) -> bool:
    """Whether it is warned of, or was in some scenario, whatever was not shown in others. Never where it was not asked
    for, or does not apply.
    """
    if row.verdict in (Verdict.UNTESTED, Verdict.NOT_APPLICABLE):
        return False
    return row.verdict is Verdict.WARNING or any(finding.verdict is Verdict.WARNING for finding in row.findings)


NO_RECORD = "nothing vouches for the traces, since no run.json of their run is beside them"
NAMED = 3  # missing scenarios named in the sentence; the rows name them all


def sentence_of(
    outcome: Outcome,
    rows: Sequence[RowResult],
    *,
    subject: str,
    set_id: str,
    part: str,
    missing: Sequence[str] = (),
    vouched: bool = True,
    doubt: str = "",
    strict: bool = False,
    waivers: Sequence[Waiver] = (),
    waived_on: str = "",
    repeats: int = 1,
) -> str:
    """One sentence for the cover and the last line of the console, which begins with the client's name: a verdict says
    whom it is of. `missing`, `vouched`: as in `outcome_of`. `doubt` is why it is not vouched (default: `NO_RECORD`).

    Fails are named in it whatever the outcome: nothing that breaks or is cut short hides them.
    """
    doubt = "" if vouched else doubt or NO_RECORD
    states = [(one, waiver_state(one, rows, strict=strict, on=waived_on)) for one in waivers]
    said = _sentence(outcome, rows, set_id, part, missing, doubt, states)
    worst_of = f"; the worst of {repeats} runs counts" if repeats > 1 else ""
    return f"{' '.join(subject.split())}: {said}{worst_of}"


def concluded(run: RunRecord, *, interrupted: bool = False) -> RunRecord:
    """The record with the outcome and the sentence that follow from the rest of it."""
    outcome = outcome_of(
        run.rows,
        strict=run.strict,
        interrupted=interrupted,
        missing=run.missing,
        vouched=run.vouched,
        waivers=run.waivers,
        waived_on=run.waived_on,
    )
    sentence = sentence_of(
        outcome,
        run.rows,
        subject=run.subject.name,
        set_id=run.named,
        part=run.part,
        missing=run.missing,
        vouched=run.vouched,
        doubt=run.doubt,
        strict=run.strict,
        waivers=run.waivers,
        waived_on=run.waived_on,
        repeats=run.repeats,
    )
    return msgspec.structs.replace(run, outcome=outcome, sentence=sentence)


def waivers_told(states: Sequence[tuple[Waiver, WaiverState]]) -> str:
    """What is wrong with them, for a sentence; empty where nothing is."""
    words = {
        WaiverState.PASSES: "the waiver of {row} is not needed, since the row does not fail",
        WaiverState.EXPIRED: "the waiver of {row} expired on {expiry}",
        WaiverState.NOTHING: "the waiver of {row} matches no row of this set",
    }
    return "; ".join(words[state].format(row=one.row, expiry=one.expiry) for one, state in states if state in words)


def _sentence(
    outcome: Outcome,
    rows: Sequence[RowResult],
    set_id: str,
    part: str,
    missing: Sequence[str],
    doubt: str,
    states: Sequence[tuple[Waiver, WaiverState]],
) -> str:
    judged = [row for row in rows if row.in_part and row.verdict is not Verdict.NOT_APPLICABLE]
    must = [row for row in judged if row.level is Level.MUST]
    count = {v: sum(row.verdict is v for row in must) for v in Verdict}
    where = f"part {part}" if part else set_id
    shown = ", ".join(row.id for row in must if shows_fail(row))
    used = list(dict.fromkeys(one.row for one, state in states if state is WaiverState.USED))
    match outcome:
        case Outcome.CERTIFIED if part:
            return (
                f"certified{_with(used)} for part {part} ({len(judged)} of {len(rows)} rows{_named(used)}), not a "
                "certificate of the set"
            )
        case Outcome.CERTIFIED:
            return f"certified{_with(used)} for {set_id} ({len(judged)} of {len(rows)} rows applicable{_named(used)})"
        case Outcome.FAILED:
            borne = {one.row for one, state in states if state in (WaiverState.USED, WaiverState.EXPIRED)}
            failed = [row.id for row in judged if row.verdict is Verdict.FAIL and row.id not in borne]
            warned = [row.id for row in judged if shows_warning(row) and row.id not in borne]
            more = f"; waived: {', '.join(used)}" if used else ""
            if not failed:
                return f"failed for {where} under --strict: warnings on {', '.join(warned)}{more}"
            return f"failed for {where}: {', '.join(failed)}{more}"
        case Outcome.INCOMPLETE:
            open_ones = ", ".join(
                f"{count[v]} {v}"
                for v in (Verdict.BLOCKED, Verdict.UNTESTED, Verdict.INCONCLUSIVE, Verdict.NOT_OBSERVED)
                if count[v]
            )
            why = [f"of {len(must)} MUST rows {open_ones}"] if open_ones else []
            why += [told] if (told := waivers_told(states)) else []
            if missing:
                more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
                why.append(f"no trace of {', '.join(missing[:NAMED])}{more}")
            if not why and doubt:
                why.append(doubt)
            why = why or [f"of {len(must)} MUST rows none was applicable"]
            failing = [row.id for row in must if row.verdict is Verdict.FAIL and row.id not in used]
            why += [f"fails of {', '.join(failing)}"] if failing else []
            why += [f"waived: {', '.join(used)}"] if used else []
            return f"incomplete for {where}: {'; '.join(why)}"
        case Outcome.HARNESS_ERROR:
            fails = f"; scenarios that did not break show fails of {shown}" if shown else ""
            return f"no verdict for {where}: the harness itself broke ({count[Verdict.HARNESS_ERROR]} rows){fails}"
        case Outcome.INTERRUPTED:
            fails = f"; it shows fails of {shown}" if shown else ""
            return f"interrupted: what was recorded up to then is judged, {where} is not certified{fails}"


def _with(used: Sequence[str]) -> str:
    return f" with {len(used)} waiver{'' if len(used) == 1 else 's'}" if used else ""


def _named(used: Sequence[str]) -> str:
    return f"; waived: {', '.join(used)}" if used else ""


def encode_run(run: RunRecord) -> bytes:
    """run.json: indented, keys in the order of the structs."""
    return written(run)


def written(document: object) -> bytes:
    """JSON as every document of ours is written: indented, and the same each time."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def decode_run(data: bytes) -> RunRecord:
    """The inverse of `encode_run`. Raises `msgspec.ValidationError`, naming the field, on anything else."""
    return msgspec.json.decode(data, type=RunRecord)
