"""The records that a card of the page shows: of each scenario once, bounded, and told once where others read the same.

The law: what is left out is counted. Nothing is merged but what reads the same, and the page says what may differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from brokercert.verdict import ExcerptLine, RowResult, RunRecord, ScenarioResult

from brokercert_reports.view import MOST_CASES, Case, cases

MOST_ROWS = 60  # records of one scenario that a card shows: two screens, and a page and a half of paper
ON_PAGE = 2000  # records that all cards show together, about 3 MB: where there are many cards, each shows fewer
FEWEST = 6  # records of one scenario, however many cards there are
Content = tuple[tuple[int, str, str, bool], ...]


@dataclass(frozen=True)
class Evidence:
    """What a card shows of one scenario. `case` is the place of its first finding in the card, from 0 on.

    `unshown` counts the records of evidence that stand in the trace alone. `same` is an earlier one of the page whose
    records read the same: connection, who and what. Numbers and times may differ.
    """

    row: str
    case: int
    name: str
    scenario: ScenarioResult | None
    lines: tuple[ExcerptLine, ...]
    unshown: int
    same: Evidence | None = None

    @property
    def id(self) -> str:
        return f"evidence-{self.row}-{self.case + 1}"

    @property
    def proxied(self) -> bool:
        return self.scenario is not None and self.scenario.path == "proxied"

    @property
    def content(self) -> Content:
        return tuple((line.conn, line.who, line.text, line.marked) for line in self.lines)


def evidence_of(rows: Iterable[RowResult], run: RunRecord) -> dict[str, dict[int, Evidence]]:
    """Of each row, in the order of the page, what its card shows, by the case under which it stands: one a scenario
    that has an excerpt.
    """
    first: dict[Content, Evidence] = {}
    found = {}
    grouped = [(row, _by_scenario(cases(row, run)[:MOST_CASES])) for row in rows]
    count = sum(len(scenarios) for _, scenarios in grouped)
    most = max(FEWEST, min(MOST_ROWS, ON_PAGE // max(1, count)))
    for row, scenarios in grouped:
        mine = {}
        for told in scenarios:
            one = _joined(row, told, most)
            earlier = first.setdefault(one.content, one)
            mine[one.case] = one if earlier is one else replace(one, same=earlier)
        found[row.id] = mine
    return found


def _by_scenario(told: Sequence[Case]) -> list[list[tuple[int, Case]]]:
    grouped: dict[tuple[str, int], list[tuple[int, Case]]] = {}
    for place, case in enumerate(told):
        if case.excerpt is not None:
            grouped.setdefault((case.finding.scenario, case.finding.play), []).append((place, case))
    return list(grouped.values())


def _joined(row: RowResult, told: Sequence[tuple[int, Case]], most: int) -> Evidence:
    """The excerpts of one scenario as one: each record once, marked where any of them marks it."""
    place, first = told[0]
    lines: dict[int, ExcerptLine] = {}
    for _, case in told:
        for line in case.excerpt.lines if case.excerpt else ():
            known = lines.get(line.record)
            if known is None or (line.marked and not known.marked):
                lines[line.record] = line
    shown = nearest([lines[number] for number in sorted(lines)], most)
    evidence = {number for _, case in told for number in case.finding.evidence if number > 0}  # 0 is the header
    unshown = evidence - {line.record for line in shown if line.marked}
    return Evidence(row.id, place, first.finding.scenario, first.scenario, shown, len(unshown))


def nearest(lines: Sequence[ExcerptLine], most: int) -> tuple[ExcerptLine, ...]:
    """At most that many: the marked ones, the earliest and the latest of them, and then those nearest to them."""
    marked = [place for place, line in enumerate(lines) if line.marked]
    if len(marked) > most:
        last = most // 3
        marked = [*marked[: most - last], *marked[-last:]]
    distance = {place: min((abs(place - one) for one in marked), default=place) for place in range(len(lines))}
    kept = sorted(sorted(distance, key=lambda place: (distance[place], place))[:most])
    return tuple(lines[place] for place in kept)
