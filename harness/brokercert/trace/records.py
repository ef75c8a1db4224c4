"""The kinds of record a trace is made of. The trace is the only evidence: what a check needs is in here.

A trace file is JSON lines: one `Header`, then records in the order in which they were told, each `{"kind": ..., "t":
microseconds since the scenario began, ...}`. What differs from run to run (ports, pids, paths, wall time) stands in the
header only, so that in virtual time the body of the same seed is the same, byte for byte.

Times are integers, in microseconds of the tier's clock (`real`: CLOCK_MONOTONIC; `virtual`: the loop's own). `conn`
numbers a broker's TCP connections from 1; 0 is none in particular. Secrets are labels (`«access-token#1»`) everywhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from brokercert.trace.clean import NOTHING, Clean, CleanBody
from brokercert.trace.shape import Shape

TRACE_FORMAT = 1
BEGAN = "began"  # in a header's `run`: time 0 of the trace, ISO-8601 in UTC with milliseconds
Side = Literal["client", "broker"]
Micros = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]  # three centuries either way, and exact in a double
State = Literal["completed", "harness error", "interrupted"]
Why = Literal["asked", "unasked", "left-over"]


class Record(
    msgspec.Struct,
    frozen=True,
    gc=False,
    kw_only=True,
    omit_defaults=True,
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """Base of the body's records. `gc=False`: a million of them must not stop the process in the collector.

    A field that is not known is an error: it would be left out of the judging without a word.
    """

    t: Micros


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows a run was asked for, and how its outcome is decided: without it a saved run has another verdict."""

    part: str = ""  # the whole set
    only: tuple[str, ...] = ()  # all of it
    strict: bool = False


class Header(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="header"):
    """The first line of a trace file."""

    format: int
    tool: str
    tier: Literal["real", "virtual"]
    clock: str
    source: Literal["mock", "recording"]
    set_id: str
    set_version: str
    set_hash: str
    scenario: str
    exercises: tuple[str, ...]
    path: str
    exclusive: bool
    seed: int
    subject: str
    level: str
    offers: tuple[str, ...]  # what the subject and its adapter offer, of the set's *needs*
    absent: dict[str, str]  # capabilities declared absent: name -> reason
    readings: dict[str, str]
    entity_types: tuple[str, ...] = ()  # that the subject declares it relies on; none: not declared
    limits: dict[str, float]
    settings: dict[str, Any] = {}  # the broker's, as far as they are not its defaults
    calibration: dict[str, float] = {}  # milliseconds
    run: dict[str, str] = {}  # what differs from run to run
    full_volume: bool = False  # in virtual time, with the volumes of real time
    play: int = 1  # which playing of the scenario this is: from 2 on it was played again
    lowered: bool = False  # with the client at a lower priority than the harness
    asked: Asked | None = None  # None: recorded before this was
    preflight: bool = False  # its run began with one; False: recorded before there was any, or played alone
    before_all: bool = False  # the preflight: where the client never comes in it, nothing else of the run was played
    shape: Shape | None = None  # the client's, healthy; None: recorded before there was one, or not known
    manifest: str = ""  # the SHA-256 of what its set held; empty: recorded before there was one, or of no suite
    challenge: str = ""  # the partner's text that the seed follows from; "": nobody gave one

    @property
    def is_second_look(self) -> bool:
        """Whether it is a preflight that follows one which told something: the client had come before."""
        return self.before_all and self.shape is not None

    @property
    def began(self) -> str:
        """Time 0 of the trace by the calendar; empty where it was recorded before this was."""
        return self.run.get(BEGAN, "")

    @property
    def full(self) -> bool:
        """Whether what was sent had the volume that the requirements mean."""
        return self.tier == "real" or self.full_volume


class Accepted(Record, frozen=True, kw_only=True, tag="accepted"):
    """A TCP connection was accepted."""

    conn: int


class Head(Record, frozen=True, kw_only=True, tag="head"):
    """A request head is complete."""

    conn: int
    method: Clean
    target: Clean
    headers: tuple[tuple[Clean, Clean], ...]
    upgrade: bool


class UpgradeAnswer(Record, frozen=True, kw_only=True, tag="upgrade-answer"):
    conn: int
    status: int


class RestRequest(Record, frozen=True, kw_only=True, tag="rest-request"):
    conn: int
    ordinal: int
    method: Clean
    target: Clean
    body: Clean = NOTHING


class RestAnswer(Record, frozen=True, kw_only=True, tag="rest-answer"):
    conn: int
    ordinal: int
    status: int
    body: Clean = NOTHING


class Frame(Record, frozen=True, kw_only=True, tag="frame"):
    """A complete message (opcode 1 or 2) or control frame (8, 9, 10).

    `text` holds a payload that is UTF-8, `base64` any other. A close frame's payload is given as `code` and `text`.
    """

    conn: int
    sender: Side
    ordinal: int
    opcode: int
    text: Clean | None = None
    base64: Clean | None = None
    code: int | None = None
    fragments: int = 1
    first_message: int = 0


class Raw(Record, frozen=True, kw_only=True, tag="raw"):
    """The broker wrote bytes that are no well-formed frame."""

    conn: int
    base64: Clean


class Violation(Record, frozen=True, kw_only=True, tag="violation"):
    """The client's bytes broke HTTP or WebSocket rules."""

    conn: int
    text: Clean


class Ended(Record, frozen=True, kw_only=True, tag="ended"):
    """One side ended the TCP connection."""

    conn: int
    by: Side
    how: Literal["fin", "rst"]


class RuleApplied(Record, frozen=True, kw_only=True, tag="rule"):
    name: str
    conn: int = 0
    detail: Clean = NOTHING


class RuleUnused(Record, frozen=True, kw_only=True, tag="rule-unused"):
    name: str


class Withheld(Record, frozen=True, kw_only=True, tag="withheld"):
    what: str
    conn: int


class Released(Record, frozen=True, kw_only=True, tag="released"):
    what: str
    conn: int


class Fault(Record, frozen=True, kw_only=True, tag="fault"):
    """`t` is when it took effect (was acknowledged), `requested` when it was asked for."""

    requested: Micros
    name: str
    conn: int = 0
    detail: Clean = NOTHING


class Load(Record, frozen=True, kw_only=True, tag="load"):
    """A stream of events falls short of its rate, since this machine cannot make it.

    `asked` and `reached` are events a second since the stream began, to each socket. Up to `t` so many were `sent`, and
    so many `dropped`.
    """

    asked: float
    reached: float
    sent: int
    dropped: int


class Ledger(Record, frozen=True, kw_only=True, tag="ledger"):
    name: str
    state: CleanBody


class Window(Record, frozen=True, kw_only=True, tag="window"):
    """A scenario vouches that from `since` to `t` nothing of its doing disturbed what `name` is about."""

    name: str
    since: Micros


class Step(Record, frozen=True, kw_only=True, tag="step"):
    """Annotation: what the scenario does next. Never evidence by itself."""

    text: str


class Expecting(Record, frozen=True, kw_only=True, tag="expecting"):
    """From here on the scenario waits for `what` until `until` at the latest."""

    what: str
    until: Micros


class Left(Record, frozen=True, kw_only=True, tag="left"):
    """The scenario goes no further, since `text`. `row` is the one that asks for what did not come, where one does."""

    text: str
    row: str = ""


class Afresh(Record, frozen=True, kw_only=True, tag="afresh"):
    """The scenario begins anew with another start of the client, which did not come to where the scenario is met. What
    came until here is judged by what the client did wrong in it alone.
    """

    text: str


class SubjectStarted(Record, frozen=True, kw_only=True, tag="subject-started"):
    """The client is about to be started. `start` counts from 1: a scenario may end it, and start it anew."""

    start: int = 1


class SubjectOutput(Record, frozen=True, kw_only=True, tag="output"):
    """A line of standard output or error. `cut` tells that the line was longer."""

    stream: Literal["out", "err"]
    text: Clean
    cut: bool = False


class SubjectReport(Record, frozen=True, kw_only=True, tag="report"):
    """A JSON line of the process protocol (level *reports*)."""

    event: Clean
    body: CleanBody


class BrokenReport(Record, frozen=True, kw_only=True, tag="broken-report"):
    """A line of standard output that was to be a report, and cannot be read. `line` counts from 1."""

    line: int
    text: Clean
    why: Clean


class Command(Record, frozen=True, kw_only=True, tag="command"):
    """A command was given to the subject. `body` is the whole line; `told` says whether there was a way to say it."""

    id: int
    command: str
    body: CleanBody
    told: bool = True


class StopAsked(Record, frozen=True, kw_only=True, tag="stop-asked"):
    """The harness asked the subject to stop. `how`: signal, command, in process."""

    how: str
    judged: bool = True  # False: only to end the scenario


class SubjectExited(Record, frozen=True, kw_only=True, tag="exited"):
    """`code`: exit status, or minus the signal that ended it. `asked`: the harness had asked for it."""

    code: int
    asked: bool


class EndedByUs(Record, frozen=True, kw_only=True, tag="ended-by-us"):
    """From here on the harness ends the subject. Told before the effect: whatever follows is the harness's own doing.

    `why`: what went on although it had been asked to stop (`asked`); it cannot be asked, or was not (`unasked`); its
    program had left, and `processes` of its processes went on (`left-over`).
    """

    why: Why
    processes: int = 0  # 0: its program itself


class Resources(Record, frozen=True, kw_only=True, tag="resources"):
    """What the subject's process and its children held: the point in the scenario, and the sums over all of them.
    `memory` is resident, in bytes; `cpu` the microseconds of CPU that those which still run have used, 0: not measured.
    """

    name: str
    processes: int
    descriptors: int
    threads: int
    memory: int
    cpu: int = 0


class OutputDropped(Record, frozen=True, kw_only=True, tag="output-dropped"):
    """Output beyond the bound was read and thrown away."""

    lines: int
    bytes: int


class Canary(Record, frozen=True, kw_only=True, tag="canary"):
    """An echo process that ran beside a timed client, asked again and again: what the machine itself made of it.

    `samples` are pairs of microseconds: when it was asked, and how long its answer took. `others` is what programs that
    are neither the harness's nor the client's used meanwhile, in cores.
    """

    samples: tuple[tuple[int, int], ...]
    others: float = 0.0


class Stall(Record, frozen=True, kw_only=True, tag="stall"):
    """The harness's loop stood still from `since` to `t`: it read, wrote and timed nothing.

    Seconds, each over that time: `cpu` is what the harness's process computed, `waited` how long its loop was ready and
    got no core, `suspended` how long the whole machine slept (which the clock of `t` does not count), `client_cpu` what
    this scenario's client and its children computed, `clients_cpu` what all clients of the run did. `client_bytes` is
    what this scenario's client sent meanwhile, `client_connections` how many connections of it were taken. `load` is
    the machine's load average. A figure that the system does not tell is 0, and so is one of a trace from before it was
    recorded.
    """

    since: Micros
    cpu: float = 0.0
    waited: float = 0.0
    suspended: float = 0.0
    client_cpu: float = 0.0
    clients_cpu: float = 0.0
    client_bytes: int = 0
    client_connections: int = 0
    load: float = 0.0


class Finished(Record, frozen=True, kw_only=True, tag="finished"):
    """The scenario's end. `state`: completed, harness error, interrupted."""

    state: State
    note: Clean = NOTHING
    lag: int = 0  # worst lateness of the harness's own loop meanwhile, microseconds


Body = (
    Accepted
    | Head
    | UpgradeAnswer
    | RestRequest
    | RestAnswer
    | Frame
    | Raw
    | Violation
    | Ended
    | RuleApplied
    | RuleUnused
    | Load
    | Withheld
    | Released
    | Fault
    | Ledger
    | Window
    | Step
    | Expecting
    | Left
    | Afresh
    | SubjectStarted
    | SubjectOutput
    | SubjectReport
    | BrokenReport
    | Command
    | StopAsked
    | SubjectExited
    | EndedByUs
    | OutputDropped
    | Canary
    | Resources
    | Stall
    | Finished
)
