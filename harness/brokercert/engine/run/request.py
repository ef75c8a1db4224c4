"""What is asked of a run, and what is fixed once it begins: its rows, its suite, its name, and each trace's header."""

from __future__ import annotations

import datetime
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from brokercert.engine.ask.options import Again
from brokercert.engine.ask.waivers import Waivers
from brokercert.engine.client.environment import tool
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.machine.priority import niceness
from brokercert.engine.play.scenario import Scenario, Suite, load_suite
from brokercert.engine.run.manifest import name_for
from brokercert.engine.run.plan import Wanted
from brokercert.requirements import RequirementSet, load_set
from brokercert.trace import Header, Shape
from brokercert.trace.records import TRACE_FORMAT, Asked
from brokercert.verdict import Calibration


@dataclass(frozen=True)
class RunRequest:
    """What is asked of a run."""

    set_id: str
    subject: SubjectSpec
    part: str = ""
    only: tuple[str, ...] = ()
    strict: bool = False
    jobs: int = 40
    seed: int = 1
    challenge: str = ""  # the partner's text that the seed follows from
    out: Path = Path("out")
    out_told: str = "the folder of runs"  # who says so, for an error
    tier: Literal["real", "virtual"] = "real"
    full_volume: bool = False  # in virtual time too: as many events, and as large snapshots, as in real time
    limits: Mapping[str, float] = field(default_factory=dict)
    scenarios: tuple[str, ...] = ()  # restrict to these by name: for the harness's own tests
    fail_fast: bool = False  # it ends at the first row that fails
    waivers: Waivers = field(default_factory=Waivers)
    again: Again = field(default_factory=Again)  # how to ask for the same once more, to be told in the report

    @property
    def wanted(self) -> Wanted:
        """What its plan follows from."""
        return Wanted(
            offers=self.subject.offers,
            tier=self.tier,
            seed=self.seed,
            part=self.part,
            only=self.only,
            scenarios=self.scenarios,
        )

    @property
    def places(self) -> int:
        """How many clients may run at once."""
        return max(1, min(self.jobs, self.subject.instances))

    @property
    def asked(self) -> Asked:
        """Which rows, and how the outcome is decided."""
        return Asked(part=self.part, only=self.only, strict=self.strict)


@dataclass(frozen=True)
class Begun:
    """A run that has begun."""

    request: RunRequest
    rows: RequirementSet  # with the limits of the request
    suite: Suite
    run_id: str
    started: str  # ISO-8601, UTC

    @property
    def folder(self) -> Path:
        """Where its traces and its record stand."""
        return self.request.out / self.run_id

    def header(self, scenario: Scenario, known: Calibration | None = None) -> Header:
        """The header of one scenario's trace."""
        return header_of(scenario, self.request, self.rows, self.run_id, known)


def begin(request: RunRequest) -> Begun:
    """Give a run its name. Raises `UsageError` or `RequirementError` where what is asked for does not exist."""
    now = datetime.datetime.now(datetime.UTC)
    return Begun(
        request=request,
        rows=load_set(request.set_id).with_limits(dict(request.limits)),
        suite=load_suite(request.set_id),
        run_id=run_id_at(now),
        started=moment(now),
    )


def moment(now: datetime.datetime) -> str:
    """A moment as records say it, to the second."""
    return now.isoformat(timespec="seconds").replace("+00:00", "Z")


def run_id_at(now: datetime.datetime) -> str:
    """Sortable, and different for two runs of one second."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


def began_of(run_id: str) -> str:
    """The moment that `run_id_at` made a run's id of, as records say it. Empty where it made none of it."""
    try:
        return moment(datetime.datetime.strptime(run_id[:-5], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC))
    except ValueError:
        return ""


def header_of(
    scenario: Scenario,
    request: RunRequest,
    rows: RequirementSet,
    run_id: str,
    known: Calibration | None,
    shape: Shape | None = None,
) -> Header:
    """The header of one scenario's trace. `shape` is the client's healthy one."""
    spec = request.subject
    return Header(
        format=TRACE_FORMAT,
        tool=tool(),
        tier=request.tier,
        clock="monotonic" if request.tier == "real" else "virtual",
        source="mock",
        set_id=rows.id,
        set_version=rows.version,
        set_hash=rows.hash,
        scenario=scenario.name,
        exercises=scenario.exercises,
        path=scenario.path,
        exclusive=scenario.exclusive,
        seed=request.seed,
        subject=spec.name,
        level=spec.level,
        offers=tuple(sorted(spec.offers)),
        absent=dict(spec.absent),
        readings=dict(spec.readings),
        entity_types=spec.entity_types,
        limits=limits_of(rows),
        settings=scenario.settings_at(request.tier == "real" or request.full_volume, spec.readings),
        calibration=_error_of(known),
        run={"run_id": run_id, "pid": str(os.getpid()), "niceness": str(niceness())},
        full_volume=request.full_volume,
        asked=request.asked,
        before_all=scenario.before_all,
        shape=None if scenario.before_all else shape_for(scenario, shape),
        manifest=name_for(scenario, rows.id),
        challenge=request.challenge,
    )


def shape_for(scenario: Scenario, shape: Shape | None) -> Shape | None:
    """What is known of the client's shape in that scenario: nothing where its variables ask for another one."""
    return None if scenario.env else shape


def _error_of(known: Calibration | None) -> dict[str, float]:
    """What the harness itself adds to a measured time, in milliseconds; empty where nothing was measured."""
    if known is None:
        return {}
    return {
        "round_trip_p99": known.round_trip_p99,
        "round_trip_max": known.round_trip_max,
        "lag_p99": known.lag_p99,
        "lag_max": known.lag_max,
    }


def limits_of(rows: RequirementSet) -> dict[str, float]:
    """The limits in force, by name."""
    return {limit.name: limit.value for limit in rows.limits.values()}
