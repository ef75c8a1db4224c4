"""The one builder of traces by hand: records alone. No broker and no client takes part.

Times are microseconds, as in the records. A dialect's builder says what its frames are; the rest stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

import msgspec
from brokercert.engine.play.scenario import load_dialect
from brokercert.judge import judge_trace
from brokercert.requirements import RequirementSet, load_set
from brokercert.trace import Body, Header, Trace, trace_of
from brokercert.trace import records as r
from brokercert.verdict import Finding, Level, Verdict, worst

S = 1_000_000
HEADERS = (("host", "x"),)


@cache
def rows_of(set_id: str) -> RequirementSet:
    return load_set(set_id)


def us(seconds: float) -> int:
    return round(seconds * S)


def header(set_id: str, **changed: Any) -> Header:
    """The header of a scenario `s` in virtual time, with the set's own limits; `changed` are other fields of it."""
    rows = rows_of(set_id)
    usual = Header(
        format=r.TRACE_FORMAT, tool="test", tier="virtual", clock="virtual", source="mock", set_id=set_id,
        set_version=rows.version, set_hash=rows.hash, scenario="s", exercises=(), path="direct", exclusive=False,
        seed=1, subject="test", level="wire", offers=("wire",), absent={}, readings={},
        limits={limit.name: limit.value for limit in rows.limits.values()},
    )  # fmt: skip
    return msgspec.structs.replace(usual, **changed)


def bench_of(set_id: str, records: Iterable[Body], row: str, row_level: Level = Level.MUST, **changed: Any) -> Any:
    """What the check of `row` is handed, of the dialect's own type; `changed` are fields of the header."""
    judging = load_dialect(set_id).judging
    trace = trace_of(header(set_id, **changed), list(records))
    return judging.bench(row, row_level, trace.header, judging.folded(trace))


def upgrade(t: int, conn: int, target: str = "/v1/websocket", status: int = 101, took: int = 0) -> list[Body]:
    """A connection, its upgrade request and the answer to it, `took` microseconds after it."""
    return [
        r.Accepted(t=t, conn=conn),
        r.Head(t=t, conn=conn, method="GET", target=target, headers=HEADERS, upgrade=True),
        r.UpgradeAnswer(t=t + took, conn=conn, status=status),
    ]


@dataclass
class Told:
    """A scenario as it is told. `told` is in no order: equal times keep the order in which they were told. What came
    after `ends` is not part of the trace.
    """

    set_id: ClassVar[str]
    usual: ClassVar[dict[str, Any]] = {}  # fields of the dialect's headers

    told: list[Body] = field(default_factory=list)
    ends: int = 0
    asked: int = 0  # commands so far

    # Telling.

    def text(self, t: int, conn: int, sender: r.Side, text: str) -> None:
        self.told.append(r.Frame(t=t, conn=conn, sender=sender, ordinal=0, opcode=1, text=text))

    def close(self, t: int, conn: int, sender: r.Side, code: int | None) -> None:
        """A close frame; `code` None: one without a code."""
        self.told.append(r.Frame(t=t, conn=conn, sender=sender, ordinal=0, opcode=8, text="", code=code))

    def end(self, t: int, conn: int, by: r.Side = "broker", how: str = "fin") -> None:
        """The end of TCP."""
        self.told.append(r.Ended(t=t, conn=conn, by=by, how=how))

    def report(self, t: int, event: str, **body: Any) -> None:
        self.told.append(r.SubjectReport(t=t, event=event, body={"event": event, **body}))

    def ask(self, t: int, command: str, **body: Any) -> int:
        """A command to the client; returns its id."""
        self.asked += 1
        self.told.append(r.Command(t=t, id=self.asked, command=command, body=body))
        return self.asked

    def snapshot(self, t: int, entities: dict[str, Any], took: int = 10_000) -> None:
        """Asked for, and told `took` microseconds later."""
        self.report(t + took, "snapshot", id=self.ask(t, "snapshot"), entities=entities)

    def ledger(self, t: int, name: str, state: Any) -> None:
        self.told.append(r.Ledger(t=t, name=name, state=state))

    def fault(self, t: int, name: str, conn: int = 0, detail: str = "") -> None:
        self.told.append(r.Fault(t=t, requested=t, name=name, conn=conn, detail=detail))

    def stop(self, t: int, how: str = "signal") -> None:
        """The client is asked to stop, and judged by what it does."""
        self.told.append(r.StopAsked(t=t, how=how, judged=True))

    def exit(self, t: int, code: int = 1, *, asked: bool = False) -> None:
        self.told.append(r.SubjectExited(t=t, code=code, asked=asked))

    def drop(self, unwanted: Callable[[Body], bool]) -> None:
        self.told = [record for record in self.told if not unwanted(record)]

    # Judging.

    def trace(self, **changed: Any) -> Trace:
        """The whole of it; `changed` are fields of the header."""
        records = sorted((x for x in self.told if x.t <= self.ends), key=lambda x: x.t)
        records.append(r.Finished(t=self.ends, state="completed"))
        return trace_of(header(self.set_id, **{**self.usual, **changed}), records)

    def findings(self, **changed: Any) -> list[Finding]:
        """What the checks say of it; `changed` are fields of the header."""
        return judge_trace(self.trace(**changed), rows_of(self.set_id), load_dialect(self.set_id).judging)

    def clauses(self, row: str, **changed: Any) -> dict[str, Verdict]:
        """Clause -> worst verdict of one row."""
        found: dict[str, list[Verdict]] = {}
        for finding in self.findings(**changed):
            if finding.requirement == row:
                found.setdefault(finding.clause, []).append(finding.verdict)
        return {clause: worst(verdicts) for clause, verdicts in found.items()}

    def fallen(self) -> dict[str, str]:
        """Row -> its worst verdict, where that is no praise."""
        said: dict[str, list[Verdict]] = {}
        for finding in self.findings():
            if finding.verdict in (Verdict.FAIL, Verdict.WARNING, Verdict.HARNESS_ERROR):
                said.setdefault(finding.requirement, []).append(finding.verdict)
        return {row: str(worst(verdicts)) for row, verdicts in said.items()}
