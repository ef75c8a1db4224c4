"""Which scenarios are played again: those that a standstill of the harness touched, or in which it broke.

The law: at most twice, at most for as long as the first round took in sum, and only for rows that were asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from brokercert.engine.play.play import Played
from brokercert.engine.play.scenario import Scenario
from brokercert.engine.run.judgements import Judgements
from brokercert.judge.plays import MOST, is_touched
from brokercert.judge.standstill import made_by_clients
from brokercert.trace import records as r
from brokercert.verdict import ScenarioResult

ROUNDS = range(2, MOST + 1)  # the numbers of the playings after the first
SPARE = 5.0  # seconds beyond what the first round took: starts are staggered, and a scenario is never as long twice
BROKE = "harness error"
AFTER_A_BREAK = 2  # the last playing of a scenario in which the harness broke: it is played once more


@dataclass(frozen=True, slots=True)
class Again:
    """A scenario to be played again. `lasts`: about how long, in seconds. `lowered`: the next client gets a lower
    priority than the harness, since clients made the standstill.
    """

    scenario: Scenario
    play: int
    lasts: float
    lowered: bool


def touched(
    scenarios: Sequence[Scenario], played: Sequence[Played], judged: Judgements, asked: Collection[str], play: int
) -> list[Again]:
    """What is to be played for the `play`-th time. It judges: call it in a thread."""
    result: list[Again] = []
    by_name: dict[str, list[Played]] = {}
    for one in played:
        by_name.setdefault(one.result.name, []).append(one)
    for scenario in scenarios:
        plays = by_name.get(scenario.name, [])
        if len(plays) != play - 1:
            continue  # it was not touched the last time, or never played
        last = plays[-1]
        broke = last.result.state == BROKE
        stalls = [x for x in last.trace.records if isinstance(x, r.Stall)]
        if not may_follow(last.result) or not (broke or stalls):
            continue
        if any(is_touched(one) and one.requirement in asked for one in judged.together(plays)):
            lowered = any(made_by_clients(stall) for stall in stalls)
            lasts = scenario.lasts if broke else _lasts(scenario, last.result.duration, stalls)
            result.append(Again(scenario, play, lasts, lowered))
    return result


def may_follow(last: ScenarioResult) -> bool:
    """Whether a playing may come after this one, if it was touched and there is time."""
    return last.play < (AFTER_A_BREAK if last.state == BROKE else MOST)


def _lasts(scenario: Scenario, took: float, stalls: Sequence[r.Stall]) -> float:
    """About how long it takes when nothing stands still, in seconds: a wait ends when it is due, work ends later."""
    stood = sum((stall.t - stall.since) / 1e6 for stall in stalls)
    return min(took, max(scenario.lasts, took - stood))
