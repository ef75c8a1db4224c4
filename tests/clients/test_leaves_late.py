"""A client that leaves its socket when its penalty is long over: the ticket is no cause any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.virtual import wall
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.judge import judge_trace
from brokercert.matrix.truth.reader import untrue
from brokercert.reference.tradovate import ReferenceClient
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import Happening
from brokercert.trace import trace_of
from inside import ROWS, SET, SUITE
from msgspec.structs import replace
from shaped_clients import WaitsOffline


class _LeavingSession(Session):
    """Leaves half a second after its sync request was answered, once."""

    left: ClassVar[list[float]]

    def tick(self, now: float) -> None:
        if now >= self.leaves:
            self.left.append(now)
            self.happen(Happening.TIMED_OUT, "enough", now)
        super().tick(now)

    def due(self) -> float:
        return min(super().due(), self.leaves)

    @property
    def leaves(self) -> float:
        return float("inf") if self.live_since is None or self.left else self.live_since + 0.5


class Leaves(ReferenceClient):
    def __init__(self, env: Any, output: Any, **more: Any) -> None:
        super().__init__(env, output, **more)
        self.session_class = type("Once", (_LeavingSession,), {"left": []})


@pytest.mark.parametrize(("client", "verdict"), [(Leaves, "fail"), (ReferenceClient, None), (WaitsOffline, None)])
def test_who_leaves_when_its_retry_was_answered_left_a_healthy_server(
    client: type[ReferenceClient], verdict: str | None, tmp_path: Path
) -> None:
    """The ticket is over within the minute in which a client with a healthy server stays."""

    def factory(env: Any, output: Any) -> Any:
        return client(env, output, wall=wall, seed=1)

    spec = SubjectSpec("leaves", factory=factory, level="in process", offers=frozenset({"wire", "tokens"}))
    request = RunRequest(SET, spec, tier="virtual", out=tmp_path)
    trace = play_alone(SUITE.by_name("sync-ticket"), request, ROWS, "run", tmp_path).trace
    trace = trace_of(replace(trace.header, exercises=("LOG-060",)), trace.records)
    said = [one for one in judge_trace(trace, ROWS, SUITE.dialect.judging) if one.requirement == "LOG-060"]
    assert any(one.verdict == "fail" for one in said) is (verdict == "fail"), said
    assert untrue(trace, said) == []
