"""Verdicts and their algebra, and the run record: the one document that every report is rendered from.

The law: a verdict is decided from findings alone, worst first, and silence is never a pass.

    harness error > fail > blocked > untested > inconclusive > not observed > warning > pass   (> not applicable)

Of a SHOULD row a breach is a warning, and stands where *fail* does: no scenario that showed nothing hides one that
showed a breach.

*Certified* means that every applicable MUST row passed or has a warning only. Nothing here does I/O or reads a clock.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence

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


class SubjectInfo(Record, frozen=True, kw_only=True):
    name: str
    command: tuple[str, ...]  # secrets labelled
    level: str  # "wire", "reports", "commands", "in process"
    absent: tuple[Absent, ...] = ()
    readings: dict[str, str] = {}
    entity_types: tuple[str, ...] = ()  # that it declares it relies on; none: not declared


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
    vouched: bool = True  # that the traces are those of the run; False: judged without its run.json
    faults: tuple[str, ...] = ()  # the axes of the suite's grid, in its own order; empty where it has none
    phases: tuple[str, ...] = ()
    set_name: str = ""  # as it is asked for, with its edition where the set knows of several; "": its id
    source: SetSource | None = None  # None: the set names none, or the record is older than this
    other_edition: str = ""  # the sentence on a client that shows the signs of another edition

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
) -> Outcome:
    """The run's outcome over the rows that are being certified (`in_part`).

    Only MUST rows decide, unless `strict`: then a warning on any row fails, be it that row's verdict or hidden by a
    scenario in which the row showed nothing. A harness error outranks a failure here
    as it does in a row: a run whose own machinery broke certifies nothing and convicts nobody. `missing`: scenarios
    that were called for and of which there is no trace; whatever they would have shown, nothing is certified. Nor is
    anything where it is not `vouched` that the traces are those of the run, all of them and as they were written.
    """
    if interrupted:
        return Outcome.INTERRUPTED
    judged = [row for row in rows if row.in_part]
    must = [row.verdict for row in judged if row.level is Level.MUST]
    if strict and any(map(shows_warning, judged)):
        must.append(Verdict.FAIL)
    if not any(v is not Verdict.NOT_APPLICABLE for v in must):
        return Outcome.INCOMPLETE  # nothing was asked of the client: no certificate by default
    match worst(must):
        case Verdict.HARNESS_ERROR:
            return Outcome.HARNESS_ERROR
        case Verdict.FAIL:
            return Outcome.FAILED
        case Verdict.WARNING | Verdict.PASS | Verdict.NOT_APPLICABLE:
            return Outcome.INCOMPLETE if missing or not vouched else Outcome.CERTIFIED
        case _:
            return Outcome.INCOMPLETE


def shows_fail(row: RowResult) -> bool:
    """Whether some scenario failed it, whatever broke in others: a broken scenario has findings of its own breaking
    only, so that a fail comes from one that was played.
    """
    return any(finding.verdict is Verdict.FAIL for finding in row.findings)


def shows_warning(row: RowResult) -> bool:
    """Whether it is warned of, or was in some scenario, whatever was not shown in others. Never where it was not asked
    for, or does not apply.
    """
    if row.verdict in (Verdict.UNTESTED, Verdict.NOT_APPLICABLE):
        return False
    return row.verdict is Verdict.WARNING or any(finding.verdict is Verdict.WARNING for finding in row.findings)


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
) -> str:
    """One sentence for the cover and the last line of the console, which begins with the client's name: a verdict says
    whom it is of. `missing`, `vouched`: as in `outcome_of`.

    Fails are named in it whatever the outcome: nothing that breaks or is cut short hides them.
    """
    return f"{' '.join(subject.split())}: {_sentence(outcome, rows, set_id, part, missing, vouched)}"


def _sentence(
    outcome: Outcome, rows: Sequence[RowResult], set_id: str, part: str, missing: Sequence[str], vouched: bool
) -> str:
    judged = [row for row in rows if row.in_part and row.verdict is not Verdict.NOT_APPLICABLE]
    must = [row for row in judged if row.level is Level.MUST]
    count = {v: sum(row.verdict is v for row in must) for v in Verdict}
    where = f"part {part}" if part else set_id
    shown = ", ".join(row.id for row in must if shows_fail(row))
    match outcome:
        case Outcome.CERTIFIED if part:
            return f"certified for part {part} ({len(judged)} of {len(rows)} rows), not a certificate of the set"
        case Outcome.CERTIFIED:
            return f"certified for {set_id} ({len(judged)} of {len(rows)} rows applicable)"
        case Outcome.FAILED:
            failed = [row.id for row in judged if row.verdict is Verdict.FAIL]
            warned = [row.id for row in judged if shows_warning(row)]
            if not failed:
                return f"failed for {where} under --strict: warnings on {', '.join(warned)}"
            return f"failed for {where}: {', '.join(failed)}"
        case Outcome.INCOMPLETE:
            open_ones = ", ".join(
                f"{count[v]} {v}"
                for v in (Verdict.BLOCKED, Verdict.UNTESTED, Verdict.INCONCLUSIVE, Verdict.NOT_OBSERVED)
                if count[v]
            )
            why = [f"of {len(must)} MUST rows {open_ones}"] if open_ones else []
            if missing:
                more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
                why.append(f"no trace of {', '.join(missing[:NAMED])}{more}")
            if not why and not vouched:
                why.append("nothing vouches for the traces, since no run.json of their run is beside them")
            return f"incomplete for {where}: {'; '.join(why) or f'of {len(must)} MUST rows none was applicable'}"
        case Outcome.HARNESS_ERROR:
            fails = f"; scenarios that did not break show fails of {shown}" if shown else ""
            return f"no verdict for {where}: the harness itself broke ({count[Verdict.HARNESS_ERROR]} rows){fails}"
        case Outcome.INTERRUPTED:
            fails = f"; it shows fails of {shown}" if shown else ""
            return f"interrupted: what was recorded up to then is judged, {where} is not certified{fails}"


def encode_run(run: RunRecord) -> bytes:
    """run.json: indented, keys in the order of the structs."""
    return msgspec.json.format(msgspec.json.encode(run), indent=1) + b"\n"


def decode_run(data: bytes) -> RunRecord:
    """The inverse of `encode_run`. Raises `msgspec.ValidationError`, naming the field, on anything else."""
    return msgspec.json.decode(data, type=RunRecord)
