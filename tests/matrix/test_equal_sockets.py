"""Equal sockets in recorded runs: each has a fault record of its own, and one cause struck them all the same."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.play.virtual import wall
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone, shape_learnt
from brokercert.judge import judge_trace
from brokercert.matrix.truth.reader import untrue
from brokercert.matrix.truth.spread import spread
from brokercert.reference.tradovate.session import Session
from brokercert.requirements import load_set
from brokercert.trace import Trace, trace_of
from brokercert.trace import records as r
from brokercert.verdict import Finding, Verdict
from msgspec.structs import replace
from shaped_clients import Equal

SET = "tradovate-stage2"
ROWS, SUITE = load_set(SET), load_suite(SET)


class _PatientSession(Session):
    """Of each three the `patient` first ones wait in vain for ever; the others notice a silence one after the other."""

    patient: ClassVar[int] = 1
    apart: ClassVar[float] = 4.0  # seconds: more than losses of one cause are apart
    made: ClassVar[list[int]]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.number = len(self.made)
        self.made.append(self.number)
        self.waited = 0.0

    def on_silence(self, now: float) -> None:
        step = float("inf") if self.number % 3 < self.patient else self.apart * (self.number % 3)
        if self.waited >= step:
            super().on_silence(now)
        self.waited += self.apart
        self._heard = now - self.config.silence_within + self.apart


class PatientEqual(Equal):
    """Three equal sockets, of which one does not notice a silence, and the others do after each other."""

    pause: ClassVar[float] = 0.0

    def __init__(self, env: Any, output: Any, **more: Any) -> None:
        super().__init__(env, output, **more)
        self.session_class = type("Patient", (_PatientSession,), {"made": []})


@cache
def played(scenario: str, client: type[Equal] = PatientEqual) -> Trace:
    def factory(env: Any, output: Any) -> Any:
        return client(env, output, wall=wall, seed=1)

    spec = SubjectSpec("equal", factory=factory, level="in process", offers=frozenset({"wire", "tokens"}))
    with tempfile.TemporaryDirectory() as folder:
        request = RunRequest(SET, spec, tier="virtual", out=Path(folder))
        shape = shape_learnt(request, ROWS, SUITE)
        return play_alone(SUITE.by_name(scenario), request, ROWS, "run", Path(folder), shape).trace


def judged(trace: Trace, row: str) -> list[Finding]:
    return [one for one in judge_trace(trace, ROWS, SUITE.dialect.judging) if one.requirement == row]


def both(scenario: str) -> list[Trace]:
    """The trace, and as a slower machine would have recorded it: no two records at one moment."""
    trace = played(scenario)
    later = spread(trace)
    assert later is not None
    return [trace, later]


@pytest.mark.parametrize("scenario", ["silent-application", "silent-dead"])
def test_of_equal_sockets_that_fell_silent_none_is_named(scenario: str) -> None:
    for trace in both(scenario):
        assert len([x for x in trace.records if isinstance(x, r.Fault) and x.name == scenario]) == 3
        (standing,) = (one for one in judged(trace, "HBT-050") if one.verdict is Verdict.FAIL)
        assert f"{scenario}: one of 3 equal sockets was not given up in" in standing.observed
        assert untrue(trace, [standing]) == []
        for lie in ("one of 4", "one of 9"):
            assert untrue(trace, [replace(standing, observed=standing.observed.replace("one of 3", lie))])


def test_they_are_one_loss_however_far_apart_they_are_given_up() -> None:
    for trace in both("silent-application"):
        asked = trace_of(replace(trace.header, exercises=("REC-010",)), trace.records)
        found = judged(asked, "REC-010")
        assert len(found) == 2 and all(one.verdict is Verdict.PASS for one in found), found
        assert untrue(asked, found) == []
