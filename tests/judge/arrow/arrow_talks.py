"""Conversations of the Arrow dialect made by hand: records alone, no broker and no client."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

from brokercert.engine.play.scenario import load_dialect
from brokercert.judge import judge_trace
from brokercert.requirements import load_set
from brokercert.trace import Body, trace_of
from brokercert.trace import records as r
from brokercert.verdict import Finding, worst
from traces import header

SET = "arrow-orders"
ROWS = load_set(SET)
S = 1_000_000
BOTH = "session=«session#1»&token=«token#1»"
VALID: dict[str, Any] = {
    "updateType": "ORDER_STATUS", "orderId": "1", "orderStatus": "OPEN", "tradingSymbol": "X", "exchange": "NSE",
    "orderType": "LIMIT", "transactionType": "BUY", "quantity": 10, "filledQuantity": 4, "pendingQuantity": 6,
    "price": 1.5, "averagePrice": 1.25,
}  # fmt: skip


@dataclass
class Talk:
    """Times are seconds. `told` is in no order; equal times keep the order in which they were told."""

    set_id: ClassVar[str] = SET
    query: ClassVar[str] = BOTH
    until: float
    told: list[Body] = field(default_factory=lambda: [r.SubjectStarted(t=0)])
    settings: dict[str, Any] = field(default_factory=dict)
    asked: int = 0

    def asks(self, at: float, conn: int, query: str | None = None, status: int = 101) -> None:
        """A connection, its upgrade request and the answer; one that is refused ends at once."""
        t, query = us(at), self.query if query is None else query
        self.told += [
            r.Accepted(t=t, conn=conn),
            r.Head(t=t, conn=conn, method="GET", target=f"/?{query}", headers=(), upgrade=True),
            r.UpgradeAnswer(t=t, conn=conn, status=status),
        ]
        if status != 101:
            self.ends(at, conn)

    def ends(self, at: float, conn: int, by: str = "broker") -> None:
        self.told.append(r.Ended(t=us(at), conn=conn, by=by, how="fin"))  # type: ignore[arg-type]

    def closes(self, at: float, conn: int, by: str = "broker", code: int = 1012) -> None:
        """A close frame, and the end of TCP."""
        self.told.append(
            r.Frame(t=us(at), conn=conn, sender=by, ordinal=0, opcode=8, text="", code=code)  # type: ignore[arg-type]
        )
        self.ends(at, conn, by)

    def says(self, conn: int, text: str, *at: float, by: str = "client") -> None:
        for one in at:
            frame = r.Frame(t=us(one), conn=conn, sender=by, ordinal=0, opcode=1, text=text)  # type: ignore[arg-type]
            self.told.append(frame)

    def pongs(self, conn: int, *at: float) -> None:
        self.says(conn, "PONG", *at)

    def report(self, at: float, event: str, **body: Any) -> None:
        self.told.append(r.SubjectReport(t=us(at), event=event, body={"event": event, **body}))

    def raised(self, name: str, *at: float, **body: Any) -> None:
        for one in at:
            self.report(one, "raised", name=name, **body)

    def fault(self, at: float, name: str, conn: int = 0) -> None:
        self.told.append(r.Fault(t=us(at), requested=us(at), name=name, conn=conn))

    def stop(self, at: float) -> None:
        self.told.append(r.StopAsked(t=us(at), how="command", judged=True))

    def update(self, at: float, *, conn: int = 1, **changed: Any) -> dict[str, Any]:
        """A valid update, but for what is changed."""
        body = VALID | {"timestamp": f"t{at}"} | changed
        self.says(conn, json.dumps({k: v for k, v in body.items() if v is not None}), at, by="broker")
        return body

    def done(self, at: float, body: dict[str, Any], event: str = "processed", **more: Any) -> None:
        """The client's report about an update."""
        self.report(at, event, orderId=body["orderId"], timestamp=body["timestamp"], **more)

    def ledger(self, at: float, name: str, **state: Any) -> None:
        self.told.append(r.Ledger(t=us(at), name=name, state=state))

    def snapshot(self, at: float, orders: Any) -> None:
        """Asked for at that second, told at once."""
        self.asked += 1
        self.told.append(r.Command(t=us(at), id=self.asked, command="snapshot", body={}))
        self.report(at + 0.01, "snapshot", id=self.asked, entities={"order": orders})

    def clauses(self, row: str, **changed: Any) -> dict[str, str]:
        """Clause -> verdict of one row."""
        found: dict[str, list[Any]] = {}
        for finding in self.findings(row, **changed):
            found.setdefault(finding.clause, []).append(finding.verdict)
        return {clause: str(worst(verdicts)) for clause, verdicts in found.items()}

    def findings(self, row: str, **changed: Any) -> list[Finding]:
        """Of one row, of a client that offers all that there is."""
        rows, judging = load_set(self.set_id), load_dialect(self.set_id).judging
        offers = tuple({"wire", *(need for one in rows.rows for need in one.needs)})
        usual = {
            "exercises": (row,),
            "exclusive": True,
            "level": "commands",
            "offers": offers,
            "settings": self.settings,
        }
        records = sorted((x for x in self.told if x.t <= us(self.until)), key=lambda x: x.t)
        records.append(r.Finished(t=us(self.until), state="completed"))
        trace = trace_of(header(self.set_id, **{**usual, **changed}), records)
        return [one for one in judge_trace(trace, rows, judging) if one.requirement == row]

    def verdict(self, row: str, **changed: Any) -> str:
        order = ("fail", "blocked", "untested", "inconclusive", "not observed", "warning", "pass")
        return min(self.clauses(row, **changed).values(), key=order.index)


class Talk3(Talk):
    """By the third edition of the page."""

    set_id = "arrow-orders@2026"
    query = "appID=app&token=«token#1»"


def us(at: float) -> int:
    return round(at * S)
