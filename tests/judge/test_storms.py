"""A storm of connections is folded in one pass: what is told of one of them costs no look at all the others."""

from __future__ import annotations

from collections.abc import ValuesView
from typing import Any

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.judge.sockets import Socket
from brokercert.trace import Body
from brokercert.trace import records as r

MANY = 500
OFTEN = 3  # looks at all connections that a whole trace may cost: at a stop, at our own end of the client


class Watched(dict[int, Socket]):
    """Counts how often somebody looks at all connections."""

    looks = 0

    def values(self) -> ValuesView[int, Socket]:  # type: ignore[override]
        self.looks += 1
        return super().values()  # type: ignore[return-value]

    def items(self) -> Any:
        self.looks += 1
        return super().items()


def storm() -> list[Body]:
    """Connections that are each closed as soon as they are accepted, and once more by the client."""
    told: list[Body] = [r.SubjectStarted(t=0)]
    for conn in range(1, MANY + 1):
        t = conn * 1000
        told += [
            r.Accepted(t=t, conn=conn),
            r.RuleApplied(t=t, name="close-at-accept", conn=conn),
            r.Fault(t=t, requested=t, name="closed-at-accept", conn=conn),
            r.Withheld(t=t, what="o", conn=conn),
            r.Ended(t=t, conn=conn, by="broker", how="fin"),
            r.Ended(t=t, conn=conn, by="client", how="fin"),
        ]
    return [*told, r.EndedByUs(t=t, why="unasked"), r.SubjectExited(t=t, code=-9, asked=False)]


@pytest.mark.parametrize("set_id", ["tradovate-stage2", "arrow-orders"])
def test_a_storm_is_folded_without_a_look_at_all_connections_for_each(set_id: str) -> None:
    talk = load_suite(set_id).dialect.judging.fold()
    talk.connections = Watched()
    for record in storm():
        talk.feed(record)
    assert len(talk.connections) == MANY
    assert talk.connections.looks <= OFTEN
    assert all(c.disturbed is not None and c.loss is not None for c in dict.values(talk.connections))
