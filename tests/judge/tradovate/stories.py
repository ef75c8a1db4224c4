"""A client's snapshots beside the ledger of a trace made by hand: what several files here ask of it."""

from __future__ import annotations

import copy
import json
from typing import Any

from brokercert.judge.tradovate.model.compared import compare_at
from brokercert.trace import records as r
from brokercert.verdict import Finding
from traces import S, bench_of

LEDGER: dict[str, dict[str, dict[str, Any]]] = {
    "order": {
        "11": {
            "accountId": 1, "contractId": 5, "action": "Buy", "ordStatus": "Working", "orderQty": 2, "price": 4500.25,
        },
        "12": {"accountId": 1, "contractId": 5, "action": "Sell", "ordStatus": "Filled", "orderQty": 1, "price": 4501},
        "13": {"accountId": 2, "contractId": 5, "action": "Sell", "ordStatus": "Working", "orderQty": 1},
    },
    "fill": {"21": {"orderId": 12, "qty": 1, "price": 4501}},
    "position": {
        "31": {"accountId": 1, "contractId": 5, "netPos": -1, "netPrice": 4501.1},
        "32": {"accountId": 2, "contractId": 5, "netPos": 0, "netPrice": 0},
    },
    "cashBalance": {"41": {"accountId": 1, "amount": 50000.1}, "42": {"accountId": 2, "amount": 7}},
    "account": {"1": {}, "2": {}},
}  # fmt: skip
TYPES = ["account", "cashBalance", "position", "order", "orderVersion", "command", "fill"]


def right() -> dict[str, list[dict[str, Any]]]:
    """The client's entities, as the reference client tells them."""
    return {
        kind: [{"id": int(ident), **entity} for ident, entity in entities.items()] for kind, entities in LEDGER.items()
    }


class Story:
    """A trace in the making: one synced socket, the ledger at 10 s."""

    def __init__(self, types: Any = TYPES, **sync: Any) -> None:
        self.records: list[r.Body] = [r.Accepted(t=0, conn=1), r.UpgradeAnswer(t=0, conn=1, status=101)]
        self.frame("client", "authorize\n0\n\ntoken")
        self.frame("broker", 'a[{"s":200,"i":0}]')
        body = {"splitResponses": True, **({"entityTypes": types} if types is not None else {}), **sync}
        self.frame("client", f"user/syncrequest\n1\n\n{json.dumps(body)}")
        self.frame("broker", f"a[{json.dumps({'s': 200, 'i': 1, 'd': {'orders': [{'id': 13}]}})}]")
        self.ids = 0

    def frame(self, sender: r.Side, text: str, t: int = S, conn: int = 1) -> int:
        self.records.append(r.Frame(t=t, conn=conn, sender=sender, ordinal=1, opcode=1, text=text))
        return len(self.records)

    def event(self, kind: str, entity: dict[str, Any]) -> int:
        return self.frame(
            "broker",
            f"a[{json.dumps({'e': 'props', 'd': {'entityType': kind, 'eventType': 'Updated', 'entity': entity}})}]",
            9 * S,
        )

    def ledger(self, t: float = 10, name: str = "flow", state: Any = LEDGER) -> int:
        self.records.append(r.Ledger(t=round(t * S), name=name, state=copy.deepcopy(state)))
        return len(self.records)

    def ask(self, t: float, command: str = "snapshot") -> int:
        self.records.append(r.Command(t=round(t * S), id=self.ids, command=command, body={}))
        self.ids += 1
        return self.ids - 1

    def say(self, t: float, event: str, **body: Any) -> None:
        self.records.append(r.SubjectReport(t=round(t * S), event=event, body={"event": event, **body}))

    def shot(self, t: float, entities: Any) -> None:
        ident = self.ask(t)
        self.say(t + 0.01, "snapshot", id=ident, entities=entities)

    def findings(self, name: str = "flow", declared: tuple[str, ...] = ()) -> list[Finding]:
        changed = {"scenario": "flow", "level": "commands", "offers": (), "entity_types": declared}
        return list(compare_at(bench_of("tradovate-stage2", self.records, "EVT-050", **changed), name))


def judged(entities: Any, declared: tuple[str, ...] = (), **sync: Any) -> list[Finding]:
    """Of a client that tells these entities at once, when it must, and 2 s later still; `declared`: it relies on."""
    story = Story(**sync)
    story.ledger()
    for t in (10.1, 15.2, 17.3):
        story.shot(t, entities)
    return story.findings(declared=declared)


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]
