"""What a client told about itself, and what it was asked: its reports, its answers to commands, and the ledgers.

A part of the fold (`Conversation.told`): it pairs commands with their answers and decides nothing. What the client
sends is taken as it comes: a field that is missing or of another type is no error here, only less knowledge.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from brokercert.judge.misfits import misfit, unreadable
from brokercert.judge.moments import Noted
from brokercert.trace import records as r

WHISTLE = "whistle"  # the command that nobody can do: who does not say so is not believed about any other


@dataclass(slots=True, frozen=True)
class Report:
    """A report of the client's, `body` being its whole line."""

    t: int
    record: int
    body: dict[str, Any]


@dataclass(slots=True, frozen=True)
class Line:
    """A line of standard output, `length` being that of its text; `report` where it is one."""

    t: int
    record: int
    length: int
    report: Report | None = None

    @property
    def event(self) -> str:
        return str(self.body.get("event", ""))

    @property
    def body(self) -> dict[str, Any]:
        return self.report.body if self.report is not None else {}


@dataclass(slots=True, frozen=True)
class Misfit:
    """A report that is not as the protocol has it. `line` of its output, counted from 1; 0 where nobody knows."""

    record: int
    line: int
    event: str
    why: str

    @property
    def place(self) -> str:
        return f"line {self.line} of its output" if self.line else f"record {self.record}"


@dataclass(slots=True, frozen=True)
class Outcome:
    """How a request ended, as the client says. `status` 0: it was never answered."""

    t: int
    record: int
    status: int
    data: Any
    error: str
    ok: bool


@dataclass(slots=True, frozen=True)
class Snapshot:
    """The client's state as it told it on request. `asked` is when that was requested; `entities` is as it came."""

    t: int
    record: int
    asked: int
    asked_record: int
    entities: dict[str, Any]


@dataclass(slots=True, eq=False)
class Asked:
    """A command, and what came in answer. A request may have more than one outcome: a client may be wrong."""

    t: int
    record: int
    id: int
    command: str
    body: dict[str, Any]
    told: bool
    unsupported: Report | None = None
    snapshot: Snapshot | None = None
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome | None:
        """The first one: what the client's user would act on."""
        return self.outcomes[0] if self.outcomes else None


class Told:
    """Everything of that kind in one scenario."""

    def __init__(self) -> None:
        self.commands: dict[int, Asked] = {}
        self.connecting: list[Report] = []
        self.processed: list[Report] = []
        self.errors: list[Report] = []  # failures told to the user
        self.empty_errors: list[Report] = []  # those with an empty text: nobody is told by them
        self.snapshots: list[Snapshot] = []
        self.others: list[Report] = []  # answers to nothing that was asked, and events that nobody knows
        self.broken: list[Noted[r.BrokenReport]] = []
        self.lines: list[Line] = []  # all that it printed, be it after the observation's end
        self.late: list[Report] = []  # the reports among them that came after that end
        self.last_words = ""  # the last line of its output that is no report
        self.misfits: list[Misfit] = []
        self._names: dict[int, str] = {}  # of the commands
        self._printed = 0  # lines of standard output ...
        self._counted = True  # ... of which every one was kept so far
        self.ledgers: dict[str, Noted[dict[str, Any]]] = {}  # by the name of the point of comparison

    @property
    def honest(self) -> bool | None:
        """Whether it said *unsupported* of what nobody can do; None where it was not asked."""
        whistle = next((asked for asked in self.commands.values() if asked.command == WHISTLE), None)
        return None if whistle is None else whistle.unsupported is not None

    def requests(self) -> list[Asked]:
        """The requests that it was asked to send, in order."""
        return [asked for asked in self.commands.values() if asked.command == "request"]

    def on_command(self, number: int, record: r.Command) -> None:
        self._names[record.id] = record.command
        self.commands[record.id] = Asked(record.t, number, record.id, record.command, record.body, record.told)

    def on_start(self) -> None:
        """The lines of a new start are counted from 1."""
        self._printed, self._counted = 0, True

    def on_line(self, number: int, record: r.SubjectOutput | r.SubjectReport | r.BrokenReport, over: bool) -> None:
        """A line of output, whatever it says; `over`: after the observation's end."""
        if isinstance(record, r.SubjectOutput) and record.text.strip() and not over:
            self.last_words = record.text.strip()
        if isinstance(record, r.SubjectOutput) and record.stream != "out":
            return
        self._printed += 1
        if isinstance(record, r.SubjectReport):
            self._on_report_line(Report(record.t, number, record.body), over)
            return
        self.lines.append(Line(record.t, number, len(record.text) + 1))
        if isinstance(record, r.BrokenReport):
            self._printed, self._counted = record.line, True

    def _on_report_line(self, report: Report, over: bool) -> None:
        self.lines.append(Line(report.t, report.record, 0, report))
        if over:
            self.late.append(report)

    def on_dropped(self, record: r.OutputDropped) -> None:
        self._counted = self._counted and not record.lines

    def late_answers(self, event: str, *idents: int) -> list[Report]:
        """The reports of that kind that came after the observation's end; where ids are given, with one of these."""
        return [x for x in self.late if x.body.get("event") == event and (not idents or x.body.get("id") in idents)]

    def on_report(self, number: int, record: r.SubjectReport) -> None:
        report = Report(record.t, number, record.body)
        why = misfit(record.body, self._names)
        if why:
            self.misfits.append(Misfit(number, self._printed if self._counted else 0, record.event, why))
        match record.event:
            case "connecting":
                self.connecting.append(report)
            case "processed":
                self.processed.append(report)
            case "error":
                (self.errors if _has_words(report) else self.empty_errors).append(report)
            case event:
                self._answer(event, self._asked_by(report), report)

    def _asked_by(self, report: Report) -> Asked | None:
        """The command with the report's id."""
        ident = report.body.get("id")
        return self.commands.get(ident) if type(ident) is int else None  # true is no id, though Python takes it for 1

    def _answer(self, event: str, asked: Asked | None, report: Report) -> None:
        """An answer to that command, or to nothing that was asked."""
        if asked is not None and event == "unsupported":
            asked.unsupported = asked.unsupported or report
        elif asked is not None and (event, asked.command) == ("snapshot", "snapshot"):
            self._snapshot(asked, report)
        elif asked is not None and (event, asked.command) == ("outcome", "request"):
            asked.outcomes.append(outcome_of(report))
        else:
            self.others.append(report)

    def _snapshot(self, asked: Asked, report: Report) -> None:
        if asked.snapshot is not None or unreadable(report.body):
            self.others.append(report)
            return
        asked.snapshot = Snapshot(report.t, report.record, asked.t, asked.record, report.body["entities"])
        self.snapshots.append(asked.snapshot)


def _has_words(report: Report) -> bool:
    """Whether any text in it says something: one in a wrong field is the adapter's fault, and was told all the same."""
    texts = (value for name, value in report.body.items() if name != "event" and isinstance(value, str))
    return any(text.strip() for text in texts)


def told_in(records: Iterable[r.Body]) -> Told:
    """All of it in one scenario's records, whatever the dialect."""
    told = Told()
    for number, record in enumerate(records, 1):
        if isinstance(record, r.SubjectStarted):
            told.on_start()
        elif isinstance(record, r.Command):
            told.on_command(number, record)
        elif isinstance(record, r.OutputDropped):
            told.on_dropped(record)
        elif isinstance(record, r.SubjectOutput | r.SubjectReport | r.BrokenReport):
            told.on_line(number, record, False)
            if isinstance(record, r.SubjectReport):
                told.on_report(number, record)
    return told


def outcome_of(report: Report) -> Outcome:
    """How a request ended, by a report of it."""
    body = report.body
    status, error, said = body.get("status"), body.get("error"), body.get("ok")
    status = status if type(status) is int else 0
    text = "" if error is None else str(error)
    return Outcome(
        report.t, report.record, status, body.get("data"), text, said if isinstance(said, bool) else not text
    )
