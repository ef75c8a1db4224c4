"""Sockets that sync, events and reports, told by hand: what several files here ask checks about."""

from __future__ import annotations

import json
from typing import Any

from brokercert.judge.tradovate.bench import Bench
from brokercert.trace import records as r
from brokercert.verdict import Finding, Verdict
from traces import S, bench_of


class Sockets:
    """Sockets that sync, events, reports: a second apart."""

    def __init__(self) -> None:
        self.records: list[r.Body] = []
        self.conn = 0

    @property
    def t(self) -> int:
        return len(self.records) * S

    def frame(self, sender: r.Side, text: str) -> None:
        self.records.append(r.Frame(t=self.t, conn=self.conn, sender=sender, ordinal=1, opcode=1, text=text))

    def sync(self, *, answered: bool = True, **body: Any) -> None:
        """A new socket, from the upgrade to its sync answer."""
        self.conn += 1
        self.records += [
            r.Accepted(t=self.t, conn=self.conn),
            r.UpgradeAnswer(t=self.t + S, conn=self.conn, status=101),
        ]
        self.frame("client", "authorize\n0\n\ntoken")
        self.frame("broker", 'a[{"s":200,"i":0}]')
        self.frame("client", f"user/syncrequest\n1\n\n{json.dumps(body)}")
        if answered:
            self.frame("broker", 'a[{"s":200,"i":1,"d":{}}]')

    def event(self, kind: str, change: str, ident: int, **more: Any) -> None:
        data = {"entityType": kind, "eventType": change, "entity": {"id": ident, **more}}
        self.frame("broker", f"a[{json.dumps({'e': 'props', 'd': data})}]")

    def lose(self) -> None:
        self.records.append(r.Ended(t=self.t, conn=self.conn, by="broker", how="fin"))

    def processed(self, **body: Any) -> None:
        self.records.append(r.SubjectReport(t=self.t, event="processed", body={"event": "processed", **body}))

    def bench(self, *declared: str, readings: dict[str, str] | None = None) -> Bench:
        changed = {"level": "commands", "offers": (), "readings": readings or {}, "entity_types": declared}
        found: Bench = bench_of("tradovate-stage2", self.records, "X", **changed)
        return found


def verdicts(findings: Any) -> list[Verdict]:
    return [finding.verdict for finding in findings]


def only(findings: Any) -> Finding:
    (found,) = findings
    assert isinstance(found, Finding)
    return found
