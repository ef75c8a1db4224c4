"""What pytest's process and the engine's say to each other: a JSON line each.

The law: everything that an item shows is decided by the engine's side, so that pytest's side needs nothing but to
repeat it.

    to the engine     a `Request`, then `stop` for each Ctrl-C; the end of the pipe means that pytest is gone
    from the engine   any number of {"progress": text}; then one of {"plan": Plan}, {"judged": Judged}, {"usage": text},
                      {"interrupted": true}: ended before there was anything to judge
"""

from __future__ import annotations

from typing import Literal, TypedDict

CERTIFICATE = "certificate"
NO_SCENARIO = "no-scenario"  # the name of the one item of a row that nothing exercises
STOP = b"stop"


class Options(TypedDict):
    """The options of the command line as they were given; None and empty: not given."""

    set_id: str  # as it was named
    by_marker: bool  # by `-m`, so that no edition could be said
    config: str | None
    command: str | None
    part: str | None
    only: list[str]
    out: str | None
    waivers: str | None
    strict: bool
    reference: bool  # brokercert's own client, and no other
    else_reference: bool  # that one where no other is named: a setting of the project


class Request(TypedDict):
    """What the engine's process is asked for."""

    task: Literal["plan", "run"]
    options: Options
    root: str  # pytest's root folder: where a brokercert.toml is looked for
    rows: list[str]  # of a run: the rows whose items are left
    environ: dict[str, str]  # pytest's environment: the client's too
    parent: int  # pytest's process


class Plan(TypedDict):
    """The rows that are asked for, each with the names of its items, in their order."""

    set_id: str
    named: str  # the set as it is asked for, with its edition where it has several
    marker: str  # pytest's, of the set
    whom: str  # the client's name
    part: str  # empty: the whole set
    rows: dict[str, list[str]]


class Told(TypedDict):
    """What one item says. An *error* says nothing of the client; a *skip* is what it declares it lacks."""

    kind: Literal["pass", "fail", "error", "skip"]
    message: str
    properties: list[tuple[str, str]]  # of JUnit's test case


class Judged(TypedDict):
    """A run. `status` is what `brokercert certify` would exit with; `items` by requirement and scenario."""

    outcome: str
    sentence: str
    status: int
    reports: dict[str, str]  # kind -> path
    items: dict[str, dict[str, Told]]
    certificate: Told
