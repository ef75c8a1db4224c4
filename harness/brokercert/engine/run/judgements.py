"""The findings of every playing, each judged once, and what the playings of a scenario say together."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from brokercert.engine.play.play import Played
from brokercert.judge import Judging, judge_trace
from brokercert.judge.plays import combined
from brokercert.judge.standstill import made_by_client
from brokercert.requirements import RequirementSet
from brokercert.trace import Trace
from brokercert.trace import records as r
from brokercert.verdict import Finding, ScenarioResult, Verdict

TOLD = 2.5  # seconds of a standstill that a report tells of: half of what makes a client notice
MOST_NAMED = 8  # names in a note; run.json has all of them


class Judgements:
    """Judges what is played, and keeps what it found."""

    def __init__(self, rows: RequirementSet, judging: Judging) -> None:
        self._rows = rows
        self._judging = judging
        self._known: dict[tuple[str, int], list[Finding]] = {}

    def of(self, played: Played) -> list[Finding]:
        """The findings of one playing."""
        key = (played.result.name, played.result.play)
        if key not in self._known:
            self._known[key] = findings_of(played.trace, self._rows, self._judging)
        return self._known[key]

    def together(self, played: Iterable[Played]) -> list[Finding]:
        """Of all playings given, scenario by scenario in the order of their names."""
        return together((one.result, self.of(one)) for one in played)


def findings_of(trace: Trace, rows: RequirementSet, judging: Judging) -> list[Finding]:
    """What one trace supports. A check that raises is our bug: a harness error of this scenario, and of no other."""
    try:
        return judge_trace(trace, rows, judging)
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"judging it broke: {type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        return [
            Finding(
                requirement=row,
                scenario=trace.header.scenario,
                verdict=Verdict.HARNESS_ERROR,
                observed=what,
                play=trace.header.play,
            )
            for row in trace.header.exercises
            if row in rows.by_id
        ]


def together(judged: Iterable[tuple[ScenarioResult, Sequence[Finding]]]) -> list[Finding]:
    """The findings that count, of each playing and its findings, scenario by scenario in the order of their names."""
    plays: dict[str, dict[int, Sequence[Finding]]] = {}
    cut: dict[str, set[int]] = {}
    for one, findings in judged:
        plays.setdefault(one.name, {})[one.play] = findings
        cut.setdefault(one.name, set()).update({one.play} if one.state == "interrupted" else ())
    return [finding for name in sorted(plays) for finding in combined(plays[name], cut[name])]


def stall_notes(seen: Iterable[tuple[str, int, Sequence[r.Stall]]]) -> Iterator[str]:
    """What a report says of standstills, and of what was played again. `seen`: (scenario, playing, its standstills)."""
    seen = list(seen)
    worst: dict[str, float] = {}  # by scenario, of all its playings
    for name, _, stalls in seen:
        worst[name] = max([worst.get(name, 0.0), *map(_length, stalls)])
    long = [length for length in worst.values() if length > TOLD]
    if long:
        yield (
            f"The harness stood still while {_several(len(long), 'scenario')} ran, for up to {max(long):.1f} s at once."
            " What a standstill may have made is inconclusive, not failed."
        )
    made = sorted({name for name, _, stalls in seen if any(_length(x) > TOLD and made_by_client(x) for x in stalls)})
    if made:
        yield f"The client itself used the harness's core or flooded it meanwhile, in {named(made)}."
    again = sorted({name for name, play, _ in seen if play > 1})
    if again:
        yield (
            f"{_several(len(again), 'scenario')} played again, since the harness had stood still or had broken in"
            f" {'it' if len(again) == 1 else 'them'}: {named(again)}."
        )


def named(names: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(names[:MOST_NAMED])}{more}"


def _length(stall: r.Stall) -> float:
    return (stall.t - stall.since) / 1e6 + stall.suspended


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
