"""Which rows can be asked of a client as it is declared, and which more each line of brokercert.toml would add.

The law: it follows from the suite and from what the client offers, as the plan of a run does; no start is needed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from brokercert.engine.ask.fields import LEVELS
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.scenario import Suite
from brokercert.requirements import RequirementSet

GIVEN = ("wire", "process")  # every program offers these: no line adds them
DECIDED = ("stop", *(name for names in LEVELS.values() for name in names))  # lines of their own add these


@dataclass(frozen=True, slots=True)
class Line:
    """A line of brokercert.toml, what it says of the client, and the rows that can be asked then and not now. It is
    written as it is to stand there, in place of the line of that name if there is one.
    """

    table: str
    text: str
    means: str
    rows: tuple[str, ...]


def askable(rows: RequirementSet, suite: Suite, offers: Collection[str]) -> tuple[str, ...]:
    """The rows that some scenario asks of a client that offers this, in the set's order."""
    played = {row for one in suite.scenarios if set(one.needs) <= set(offers) for row in one.exercises}
    return tuple(row.id for row in rows.rows if row.id in played and set(row.needs) <= set(offers))


def lines(rows: RequirementSet, suite: Suite, spec: SubjectSpec) -> tuple[Line, ...]:
    """The lines that would add a row, the one that adds most first. What is declared absent is not offered again."""
    now = set(askable(rows, suite, spec.offers))
    found = []
    for table, text, means, offers in _candidates(rows, spec):
        more = tuple(row for row in askable(rows, suite, offers) if row not in now)
        if more:
            found.append(Line(table, text, means, more))
    return tuple(sorted(found, key=lambda line: -len(line.rows)))


def _candidates(rows: RequirementSet, spec: SubjectSpec) -> Iterator[tuple[str, str, str, frozenset[str]]]:
    levels = list(LEVELS)
    at = levels.index(spec.level) if spec.level in levels else len(levels)
    for level in levels[at + 1 :]:
        if set(LEVELS[level]).isdisjoint(spec.absent):  # a level that says both is refused
            told = [rows.capabilities[name] for name in LEVELS[level] if name in rows.capabilities]
            yield "subject", f'level = "{level}"', " ".join(told), spec.offers | set(LEVELS[level])
    if "stop" not in (*spec.offers, *spec.absent):
        yield "subject", 'stop = "signal"', rows.capabilities.get("stop", ""), spec.offers | {"stop"}
    listed = sorted(spec.offers - {*GIVEN, *DECIDED})
    for name, means in rows.capabilities.items():
        if name not in (*GIVEN, *DECIDED, *spec.absent) and name not in spec.offers:
            yield "capabilities", f"offers = {json.dumps([*listed, name])}", means, spec.offers | {name}
