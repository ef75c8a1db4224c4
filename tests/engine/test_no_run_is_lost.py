"""Whatever breaks in one scenario of a run, or where its result is told: all others are judged and reported."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.ask.config import Config
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.errors import UsageError
from brokercert.engine.play.paths import Paths
from brokercert.engine.play.play import Played
from brokercert.engine.play.scenario import Scenario, load_suite
from brokercert.engine.run import crew, judgements
from brokercert.engine.run.offline import judge_traces
from brokercert.engine.run.run import Quiet, RunRequest, certify
from brokercert.engine.run.virtual_run import certify_virtual, play_alone
from brokercert.requirements import load_set
from brokercert.toxiproxy.driver import ProxyHandle, ToxiproxyError
from brokercert.trace import Trace
from brokercert.verdict import Outcome, Verdict, encode_run

SET = "tradovate-stage2"
ROWS, SUITE = load_set(SET), load_suite(SET)
REFERENCE = SUITE.dialect.reference
INSIDE = SubjectSpec(
    "reference", factory=REFERENCE.factory(), level="in process", offers=REFERENCE.offers - {"process"}
)
REQUEST = RunRequest(SET, INSIDE, tier="virtual")


def test_a_proxy_that_cannot_be_removed_costs_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--only CON-050 --only LOG-070` with a Toxiproxy that answers no DELETE."""
    real = ProxyHandle.destroy

    async def destroy(self: ProxyHandle) -> None:
        await real(self)
        await asyncio.sleep(10)
        raise ToxiproxyError("no answer in 10 s")

    monkeypatch.setattr(ProxyHandle, "destroy", destroy)
    record = certify_virtual(
        RunRequest(SET, INSIDE, tier="virtual", only=("CON-050", "LOG-070"), out=tmp_path), Quiet()
    )
    verdicts = {row.id: row.verdict for row in record.rows if row.id in ("CON-050", "LOG-070")}
    assert verdicts == {"CON-050": Verdict.PASS, "LOG-070": Verdict.PASS}
    notes = [one.note for one in record.scenarios if one.path == "proxied" and one.state == "completed"]
    assert notes and all("no answer in 10 s" in note for note in notes)


class Unwilling(Quiet):
    """A progress that breaks, as one that prints to a closed stream does."""

    def ended(self, name: str, state: str) -> None:
        raise BrokenPipeError


REAL = RunRequest(SET, Config().subject(ROWS, reference=True), only=("LOG-010", "LOG-025", "CON-010", "EVT-030"))


def real_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: Callable[[Scenario], None], progress: Quiet | None = None
) -> Any:
    """A run in real time whose scenarios are played in virtual time; `act` may raise before."""

    async def played(scenario: Scenario, header: Any, props: Any, done: Callable[[Played], None]) -> None:
        await asyncio.sleep(0.01)
        act(scenario)
        done(await asyncio.to_thread(play_alone, scenario, REQUEST, ROWS, "in its place", tmp_path))

    monkeypatch.setattr(crew, "play", played)
    request = RunRequest(SET, REAL.subject, only=REAL.only, out=tmp_path)
    return asyncio.run(certify(request, progress or Quiet()))


@pytest.mark.parametrize("which", ["first", "all"])
def test_a_scenario_that_raises_cancels_no_other(which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []

    def act(scenario: Scenario) -> None:
        names.append(scenario.name)
        if which == "all" or scenario.name == next(name for name in names if name != "preflight"):
            raise ExceptionGroup("as of a task group", [KeyError("x")])

    def act_after(scenario: Scenario) -> None:
        if scenario.before_all and which == "first":
            names.append(scenario.name)
        else:
            act(scenario)

    record = real_run(tmp_path, monkeypatch, act_after)
    states = {one.name: one.state for one in record.scenarios if one.name in names}
    broken = [name for name, state in states.items() if state == "harness error"]
    first = next(name for name in names if name != "preflight")
    assert len(states) > 2 and broken == (list(states) if which == "all" else [first])
    assert record.outcome is Outcome.HARNESS_ERROR
    assert any("brokercert judge" in note and broken[0] in note for note in record.notes), "what to do about it"
    assert encode_run(record)


def test_presenting_what_ended_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = real_run(tmp_path, monkeypatch, lambda scenario: None, Unwilling())
    assert {one.state for one in record.scenarios if one.trace} == {"completed"}


def test_a_command_that_went_away_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one thing that every other scenario would end with, too."""

    def act(scenario: Scenario) -> None:
        raise UsageError("the client's command does not exist")

    with pytest.raises(UsageError, match="does not exist"):
        real_run(tmp_path, monkeypatch, act)
    assert os.listdir(tmp_path) == []


def test_a_toxiproxy_that_cannot_be_ended_costs_no_verdict(tmp_path: Path) -> None:
    class Unending:
        description = "real"

        async def close(self) -> None:
            raise ProcessLookupError("it went away")

    async def leave() -> str:
        async with Paths("run") as paths:
            paths._chosen = Unending()  # type: ignore[assignment]
        return paths.description

    assert "it could not be ended: ProcessLookupError" in asyncio.run(leave())


def test_a_check_that_breaks_is_a_harness_error_of_that_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = judgements.judge_trace

    def judge_trace(trace: Trace, *rest: Any) -> Any:
        if trace.header.scenario == first:
            raise IndexError("a bug of a check")
        return real(trace, *rest)

    request = RunRequest(SET, INSIDE, tier="virtual", only=("LOG-030", "LOG-070"), out=tmp_path)
    first = next(s.name for s in SUITE.scenarios if "LOG-070" in s.exercises)
    monkeypatch.setattr(judgements, "judge_trace", judge_trace)
    record = certify_virtual(request, Quiet())
    rows = {row.id: row for row in record.rows}
    assert rows["LOG-070"].verdict is Verdict.HARNESS_ERROR and "a bug of a check" in rows["LOG-070"].reason
    assert any(one.verdict is Verdict.PASS for one in rows["LOG-030"].findings), "what the other scenarios showed"
    again = judge_traces([tmp_path / record.run_id])
    assert [row.verdict for row in again.rows] == [row.verdict for row in record.rows]
