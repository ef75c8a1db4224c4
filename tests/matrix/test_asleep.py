"""Real clients while the harness stands still at random: no correct one fails, and no wrong one passes.

STANDSTILLS=500 plays so many scenarios of each set and kind instead of a few, and SEED=7 draws others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from random import Random

import pytest
from asleep import Still, judged, played
from brokercert.engine.play.scenario import load_suite
from brokercert.matrix.subjects import REFERENCE, insiders, subject_named
from brokercert.trace import Trace
from brokercert.trace import records as r
from brokercert.verdict import Finding, Verdict, worst

SETS = ("tradovate-stage2", "arrow-orders")
PLAYS = int(os.environ.get("STANDSTILLS", "16"))
SEED = int(os.environ.get("SEED", "1"))
VOLUME = ("burst", "load", "large")  # scenarios of many messages: each costs as much as ten others
BREACHES = (Verdict.FAIL, Verdict.WARNING)
# Seconds from a record to a standstill: before what it tells, at it, in the same moment after it, and later.
BESIDE = (-1, -0.3, -0.001, 0, 0.000001, 0.01)
LENGTHS = ((0.26, 1), (1, 5.5), (4.9, 13), (10, 30))  # on both sides of every limit of the rule

pytestmark = [
    pytest.mark.timeout(120 if "STANDSTILLS" not in os.environ else 0),
    # asyncio (3.11) forgets a connection that it accepted in the turn in which the server closes: no doing of a client.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def scenarios(set_id: str) -> list[str]:
    return [one.name for one in load_suite(set_id).scenarios if not any(word in one.name for word in VOLUME)]


@cache
def calm(set_id: str, client: str, scenario: str) -> tuple[Trace, frozenset[tuple[str, Verdict]]]:
    """The trace without a standstill, and the verdicts in it."""
    trace = played(set_id, subject_named(set_id, client), scenario)
    return trace, frozenset((one.requirement, one.verdict) for one in judged(set_id, trace))


def drawn(rng: Random, trace: Trace) -> list[Still]:
    """One standstill or several, beside records of that trace; or many short ones in a row."""
    at = rng.choice(trace.records).t / 1e6
    if rng.random() < 0.2:
        length, awake = rng.uniform(0.26, 0.97), rng.uniform(0.02, 1)
        return [Still(at + n * (length + awake), length) for n in range(rng.randint(5, 30))]
    count = rng.choice((1, 1, 2, 3))
    moments = sorted(max(0.0, rng.choice(trace.records).t / 1e6 + rng.choice(BESIDE)) for _ in range(count))
    return [Still(moment, rng.uniform(*rng.choice(LENGTHS)), together=rng.random() < 0.3) for moment in moments]


def found(set_id: str, client: str, scenario: str, stills: list[Still]) -> list[Finding]:
    return judged(set_id, played(set_id, subject_named(set_id, client), scenario, stills))


@pytest.mark.parametrize("set_id", SETS)
def test_no_row_of_a_correct_client_falls(set_id: str) -> None:
    rng, names = Random(SEED), scenarios(set_id)
    for _ in range(PLAYS):
        name = rng.choice(names)
        trace, before = calm(set_id, REFERENCE, name)
        stills = drawn(rng, trace)
        new = [one for one in found(set_id, REFERENCE, name, stills) if one.verdict in BREACHES]
        assert [one for one in new if (one.requirement, one.verdict) not in before] == [], (name, stills)


def broken(set_id: str, rng: Random) -> Iterator[tuple[str, str, set[str]]]:
    """(mutant, scenario, the rows that it must fail and does in that one), without end."""
    mutants, listed, names = insiders(set_id), load_suite(set_id).listed(), set(scenarios(set_id))
    while True:
        client = rng.choice(sorted(mutants))
        shown = [name for row in sorted(mutants[client].fails) for name in listed.get(row, ()) if name in names]
        if shown:
            name = rng.choice(shown)
            said = calm(set_id, client, name)[1]
            rows = {row for row, verdict in said if verdict in BREACHES and row in mutants[client].fails}
            if rows:
                yield client, name, rows


@pytest.mark.parametrize("set_id", SETS)
def test_no_row_that_a_wrong_client_fails_is_passed(set_id: str) -> None:
    rng = Random(SEED)
    for (client, name, rows), _ in zip(broken(set_id, rng), range(PLAYS), strict=False):
        stills = drawn(rng, calm(set_id, client, name)[0])
        told = found(set_id, client, name, stills)
        for row in rows:
            said = [one.verdict for one in told if one.requirement == row]
            assert not said or worst(said) is not Verdict.PASS, (client, name, row, stills)


# What the plays above rest on.


def test_while_it_stands_still_the_harness_does_nothing_and_its_client_goes_on() -> None:
    trace = played(SETS[0], subject_named(SETS[0], REFERENCE), "steady", [Still(20, 12)])
    (stall,) = [x for x in trace.records if isinstance(x, r.Stall)]
    assert (stall.since, stall.t) == (20_000_000, 32_000_000)
    assert not [x for x in trace.records if stall.since < x.t < stall.t and not isinstance(x, r.Stall)]
    read = [x for x in trace.records if x.t == stall.t and isinstance(x, r.Frame) and x.sender == "client"]
    assert [x.code for x in read if x.opcode == 8] == [4000]  # its watchdog ran out
    assert len([x for x in read if x.text == "[]"]) >= 2  # and it had beaten until then


def test_a_client_that_stands_still_too_says_nothing_meanwhile() -> None:
    trace = played(SETS[0], subject_named(SETS[0], REFERENCE), "steady", [Still(20, 4, together=True)])
    (stall,) = [x for x in trace.records if isinstance(x, r.Stall)]
    assert not [x for x in trace.records if stall.since < x.t < stall.t and not isinstance(x, r.Stall)]
    assert not [x for x in trace.records if isinstance(x, r.Frame) and x.opcode == 8 and x.t < 40_000_000]


def test_without_the_rule_a_correct_client_would_fail() -> None:
    """So that the plays above can fail at all."""
    trace = played(SETS[0], subject_named(SETS[0], REFERENCE), "steady", [Still(20, 12)])
    (found_,) = [one for one in judged(SETS[0], trace) if one.requirement == "LOG-060" and one.stalled]
    assert found_.verdict is Verdict.INCONCLUSIVE and found_.form == "ending"
