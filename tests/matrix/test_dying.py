"""A client that died by itself at what it met is praised for no restraint, however it died, at once or later.

The law, exact: whatever praise of restraint such a client gets, one that lived would get for as long a watch. So its
trace is cut at its death and judged again as that of a client that lived: each praise must be there too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.client.inprocess import CRASHED
from brokercert.engine.client.subject import Subject, SubjectSpec
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.play.virtual import wall
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.judge import judge_trace
from brokercert.judge.watching import Cause, Ending, ending_of
from brokercert.matrix.cells import MEMORY
from brokercert.matrix.subjects import subject_named
from brokercert.mutants.tradovate.dying import STIMULI, WAYS, dying
from brokercert.requirements import load_set
from brokercert.trace import Trace, trace_of
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form, Verdict

SET = "tradovate-stage2"
ROWS = load_set(SET)
# An end explains no praise, but leaving is what these rows let a client do: with a reason, row by row.
MAY_LEAVE = {
    "CON-030": "it may leave on its own where a certificate is bad",
}

NOT_DECISIVE = {
    "refused-token": "leaving is right then",
    "error-answer": "its scenario is over within a second",
}


def cases() -> list[tuple[str, str, str]]:
    """Each stimulus in its first scenario by every way to die, in the others by one way in turn."""
    found = []
    for name, stimulus in STIMULI.items():
        for place, scenario in enumerate(stimulus.scenarios):
            ways = list(WAYS) if place == 0 else [list(WAYS)[place % len(WAYS)]]
            found += [(name, scenario, way) for way in ways]
    return found


@cache
def played(stimulus: str, scenario: str, way: str) -> Trace:
    made: Callable[..., Any] = dying(STIMULI[stimulus], WAYS[way])

    def factory(env: Mapping[str, str], output: Callable[[str], None]) -> Subject:
        subject: Subject = made(env, output, wall=wall, seed=1)
        return subject

    usual = subject_named(SET, "reference")
    spec = SubjectSpec(
        f"dies-of-{stimulus}",
        factory=factory,
        level=usual.level,
        offers=usual.offers,
        entity_types=usual.entity_types,
        readings=usual.readings,
    )
    request = RunRequest(SET, spec, seed=1, tier="virtual")
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        return play_alone(load_suite(SET).by_name(scenario), request, ROWS, "dying", Path(folder)).trace


def judged(trace: Trace) -> list[Finding]:
    return judge_trace(trace, ROWS, load_suite(SET).dialect.judging)


def ending_in(trace: Trace) -> Ending | None:
    return ending_of(load_suite(SET).dialect.judging.folded(trace))


def lived(trace: Trace, death: Ending) -> Trace:
    """The same up to the client's death, as if it had lived and the scenario had ended there."""
    own = (r.SubjectExited, r.Ended, r.Frame)  # what the death itself did to its sockets bears its very time
    before = [
        x
        for number, x in enumerate(trace.records, 1)
        if number < death.record and not (x.t == death.t and isinstance(x, own))
    ]
    return trace_of(trace.header, [*before, r.Finished(t=death.t, state="completed")])


def praises(found: list[Finding], death: Ending) -> set[tuple[str, str]]:
    """The rows, with their clauses, that are praised for what did not come, by what was before that death: a next start
    of the client has its own.
    """
    praised = (f for f in found if f.verdict is Verdict.PASS and f.form is Form.RESTRAINT)
    return {(f.requirement, f.clause) for f in praised if min(f.evidence, default=0) < death.record}


@pytest.mark.parametrize(("stimulus", "scenario", "way"), cases())
def test_who_died_is_praised_for_nothing_that_a_living_one_would_not_be(stimulus: str, scenario: str, way: str) -> None:
    trace = played(stimulus, scenario, way)
    death = ending_in(trace)
    code, delay = WAYS[way].code, WAYS[way].delay
    assert delay or death is not None, "it never met it"
    if death is None or death.cause is not Cause.ITSELF:
        return  # the scenario was over before it died, or a refused login explains it
    assert death.code == (CRASHED if code is None else code)
    found = judged(trace)
    due = praises(judged(lived(trace, death)), death)
    extra = {one for one in praises(found, death) - due if one[0] not in MAY_LEAVE}
    assert not extra, [f"{f.requirement}: {f.observed}" for f in found if (f.requirement, f.clause) in extra]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stimulus", [name for name in STIMULI if name not in NOT_DECISIVE])
def test_who_died_is_not_certified(stimulus: str, way: str) -> None:
    """In the scenario that is about what it died of, some row is no pass."""
    trace = played(stimulus, STIMULI[stimulus].scenarios[0], way)
    exercised = [f for f in judged(trace) if f.requirement in trace.header.exercises]
    assert any(f.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE) for f in exercised)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("scenario", STIMULI["refused-token"].scenarios)
def test_who_leaves_for_a_refused_login_keeps_its_praise(scenario: str, way: str) -> None:
    trace = played("refused-token", scenario, way)
    ending = ending_in(trace)
    assert ending is not None and ending.cause is Cause.REFUSED
    said = {f.requirement: f.verdict for f in judged(trace)}
    assert said["LOG-040"] is Verdict.PASS


def test_the_words_about_a_death_are_in_the_finding() -> None:
    (found,) = (
        f for f in judged(played("captcha", "sync-captcha", "exits")) if f.requirement == "RLP-040" and not f.clause
    )
    assert found.verdict is Verdict.NOT_OBSERVED
    assert "the client exited with status 3 at" in found.observed and "asked by nobody" in found.observed


def test_an_upgrade_answered_with_429_must_be_survived() -> None:
    for way in WAYS:
        said = {f.requirement: f.verdict for f in judged(played("upgrade-429", "upgrade-429", way))}
        assert said["CON-045"] is Verdict.FAIL, way
