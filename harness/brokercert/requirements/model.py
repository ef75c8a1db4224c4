"""What a requirement set is: rows, the limits that they are judged by, areas, readings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from brokercert.verdict import Level, SetSource


class RequirementError(Exception):
    """A requirement set that cannot be: names file, row and field."""


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A number that rows are judged by. `unit` is `s`, `1` (a ratio, or a count whose `text` says of what), or
    what is counted. `origin`: who says the value; of a document only where it stands there. `older` is the value for
    traces that lack the limit: the one that the code had when they were recorded (None: `value`).
    """

    value: float
    unit: str
    origin: str
    text: str
    name: str = ""
    older: float | None = None


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question that the documents leave open, and the answer that is judged by."""

    id: str
    question: str
    answers: tuple[str, ...]
    default: str
    rows: tuple[str, ...]


class Area(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder's worth of rows. Its name is that of its files: data, checks, scenarios, mutants, tests. `rows` are the
    three capitals that the ids of its rows begin with.
    """

    rows: str
    title: str


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: str


class FieldReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A failure that somebody had and told of in public: `title` says it in our words, `kind` in two or three of them,
    `address` is where it was told. `row` catches it, and `mutant` is a client that has it. `failure` is its row in the
    protocol page's list of what goes wrong in real clients, where it stands there.
    """

    title: str
    kind: str
    address: str
    row: str
    mutant: str
    failure: int | None = None


class Sign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a client of another edition shows on the wire: an upgrade whose query has the key `query`, and has not
    `without`.
    """

    query: str
    without: str


class OtherEdition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another edition of the set's page, and the signs of a client that was written from it: any one of them."""

    edition: str
    signs: tuple[Sign, ...]


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row. `antecedent` is what must have happened before it can be judged, `demanded_by` the row that demands
    that (empty: none does, and silence is then *not observed*).

    A *stimulus* row is judged in the scenarios that exercise it. An *invariant* (never, each socket, every request)
    holds in every trace of a run: elsewhere it can only be broken, never passed. `everywhere` names those of its
    clauses that do (none: all do). `excused` is why a scenario that injects the breach does not count: name -> reason.
    """

    id: str
    title: str
    level: Level
    text: str
    source: str
    needs: tuple[str, ...]
    antecedent: str
    demanded_by: str
    limits: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    means: str = ""
    causes: tuple[str, ...] = ()
    mend: str = ""
    clock: Literal["any", "real"] = "any"  # real: only a program in real time can show it
    kind: Literal["stimulus", "invariant"] = "stimulus"
    everywhere: tuple[str, ...] = ()
    excused: dict[str, str] = {}
    area: str = ""  # the title of its area, which stands in the set's `areas`
    others: tuple[FieldReport, ...] = ()  # to whom it happened, as the set's field reports have it


class RequirementSet(msgspec.Struct, frozen=True):
    """A requirement set as loaded. `deviations`: limits that were overridden, with the set's own value.

    `antecedents` are the words by which its rows say what must have happened before. `placeholders` are those of a
    client's command line that its broker fills, beside the harness's own: `symbol` for BROKERCERT_SYMBOL.

    `id` is what traces and records have, and names one edition for ever. The first edition of a set has no edition in
    its id; each later one has, as in `NAME@2026`. `name` is what users ask for and are told.
    """

    id: str
    title: str
    dialect: str
    version: str
    marker: str
    text: str
    stability: str  # the row that forbids ending a healthy connection; empty where there is none
    frames: str  # the row that forbids frames which no WebSocket server may take; empty where there is none
    never_absent: tuple[str, ...]
    areas: Mapping[str, Area]
    capabilities: Mapping[str, str]
    rows: tuple[Requirement, ...]
    limits: Mapping[str, Limit]
    parts: Mapping[str, Part]
    readings: tuple[Reading, ...]
    hash: str
    by_id: Mapping[str, Requirement]
    antecedents: tuple[str, ...] = ()
    placeholders: tuple[str, ...] = ()
    field_reports: tuple[FieldReport, ...] = ()
    deviations: Mapping[str, float] = {}
    source: SetSource | None = None
    other_editions: tuple[OtherEdition, ...] = ()

    @property
    def name(self) -> str:
        """With its edition, where the set knows of another one."""
        if self.source is None or not self.other_editions:
            return self.id
        return f"{self.id.partition('@')[0]}@{self.source.edition}"

    def limit(self, name: str) -> float:
        return self.limits[name].value

    def part(self, name: str) -> tuple[str, ...]:
        """The ids of a named part. Raises `RequirementError` where there is no such part."""
        if name not in self.parts:
            known = ", ".join(self.parts) or "none"
            raise RequirementError(f"{self.name} has no part {name!r}; known: {known}")
        return tuple(row.id for row in self.rows if name in row.parts)

    def invariants(self, scenario: str) -> tuple[Requirement, ...]:
        """The rows that hold in every trace, so in one of that scenario, unless it excuses their breach."""
        return tuple(row for row in self.rows if row.kind == "invariant" and scenario not in row.excused)

    def demand_chain(self, row: str) -> tuple[str, ...]:
        """The rows that demand what `row` presupposes, first links first."""
        chain: list[str] = []
        current = self.by_id[row].demanded_by
        while current:
            chain.insert(0, current)
            current = self.by_id[current].demanded_by
        return tuple(chain)

    @property
    def first(self) -> str:
        """The row that every such chain begins with: that the client connects. Empty where there is no one such."""
        begins = {self.demand_chain(row.id)[0] for row in self.rows if row.demanded_by}
        return begins.pop() if len(begins) == 1 else ""

    def with_limits(self, values: Mapping[str, float]) -> RequirementSet:
        """The same set with other limits, each recorded as a deviation. Raises `RequirementError`."""
        for name, value in values.items():
            if name not in self.limits:
                raise RequirementError(
                    f"limits: {name!r} is no limit of {self.name}; known: {', '.join(sorted(self.limits))}"
                )
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
                raise RequirementError(f"limits.{name}: {value!r}; expected a positive number")
        changed = {
            name: msgspec.structs.replace(limit, value=float(values.get(name, limit.value)))
            for name, limit in self.limits.items()
        }
        deviations = {name: self.limits[name].value for name, v in values.items() if v != self.limits[name].value}
        return msgspec.structs.replace(self, limits=changed, deviations={**self.deviations, **deviations})
