"""A builder of run records: the real requirement set, with what a test wants to be found of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from brokercert.requirements import load_set
from brokercert.verdict import (
    RUN_FORMAT,
    SIMULATED,
    Absent,
    Calibration,
    Excerpt,
    ExcerptLine,
    Finding,
    Happened,
    Level,
    LimitUsed,
    Measured,
    RowResult,
    RunRecord,
    ScenarioResult,
    SubjectInfo,
    Timing,
    Verdict,
    outcome_of,
    sentence_of,
    worst,
)

SET = load_set("tradovate-stage2")
CORE = SET.part("core")
SCENARIOS = ("login", "steady", "outage")
Findings = Mapping[str, tuple[Finding, ...]]


def finding(row: str, verdict: Verdict, observed: str = "", scenario: str = "login", **more: Any) -> Finding:
    return Finding(
        requirement=row, scenario=scenario, verdict=verdict, observed=observed or f"{row} was {verdict}", **more
    )


def excerpt(scenario: str, *marked: int, text: str = 'a[{"e":"props","d":{"entityType":"order"}}]') -> Excerpt:
    """Three records around each marked one, with a hole between distant ones."""
    near = sorted({n + k for n in marked for k in (-1, 0, 1)})
    lines = tuple(
        ExcerptLine(record=n, at=n / 4, conn=1, who="client" if n % 2 else "broker", text=text, marked=n in marked)
        for n in near
    )
    return Excerpt(scenario=scenario, lines=lines)


def scenario(name: str, **more: Any) -> ScenarioResult:
    values: dict[str, Any] = {
        "name": name,
        "title": f"What {name} shows",
        "path": "direct",
        "exclusive": False,
        "state": "completed",
        "trace": f"traces/{name}.jsonl",
        "sha256": "5f" * 32,
        "duration": 21.5,
        "lag_ms": 1.84,
        "exit": "exit 0 (asked to stop)",
        "output": ("connecting", "authorized", "bye"),
    }
    return ScenarioResult(**(values | more))


def build_run(
    found: Findings | None = None,
    *,
    part: str = "core",
    strict: bool = False,
    interrupted: bool = False,
    excerpts: Mapping[str, tuple[Excerpt, ...]] | None = None,
    default: Verdict = Verdict.PASS,
    **more: Any,
) -> RunRecord:
    """A run of the real set. Rows of the part get `found`, or one finding of `default`; all others are untested.

    Outcome and sentence are decided by `brokercert.verdict`, as in a real run.
    """
    asked = set(SET.part(part)) if part else set(CORE)
    rows = []
    for row in SET.rows:
        listed = SCENARIOS[:1] if row.id in asked else ()
        findings = tuple((found or {}).get(row.id, ()))
        if not findings and listed:
            findings = (finding(row.id, default, evidence=(12, 15)),)
        rows.append(
            RowResult(
                id=row.id,
                area=row.area,
                title=row.title,
                level=Level(row.level),
                text=row.text,
                source=row.source,
                needs=row.needs,
                in_part=row.id in asked if part else True,
                verdict=worst(f.verdict for f in findings),
                reason=findings[0].observed if findings else "no scenario of this suite exercises it yet",
                scenarios=listed,
                findings=findings,
                excerpts=tuple((excerpts or {}).get(row.id, ())),
                means=row.means,
                causes=row.causes,
                mend=row.mend,
                others=tuple(Happened(title=one.title, address=one.address) for one in row.others),
                reproduce=f"brokercert certify --only {row.id} -- node client.mjs",
            )
        )
    outcome = outcome_of(rows, strict=strict, interrupted=interrupted)
    values: dict[str, Any] = {
        "format": RUN_FORMAT,
        "run_id": "20261124-141500-7f3a",
        "started": "2026-11-24T14:15:00Z",
        "tool": "brokercert 0.1.0",
        "tier": "real",
        "set_id": SET.id,
        "set_title": SET.title,
        "set_version": SET.version,
        "set_hash": SET.hash,
        "part": part,
        "strict": strict,
        "selected": (),
        "seed": 1,
        "subject": SubjectInfo(
            name="node client.mjs",
            command=("node", "examples/node/client.mjs"),
            level="wire",
            absent=(Absent(name="tls", reason="the client speaks plain WebSocket only"),),
            readings={"sync-filter": "partner", "token-life": "80"},
        ),
        "toxiproxy": "embedded",
        "limits": tuple(
            LimitUsed(name=x.name, value=x.value, unit=x.unit, origin=x.origin, text=x.text)
            for x in SET.limits.values()
        ),
        "calibration": Calibration(
            round_trip_p50=0.21, round_trip_p99=0.8, round_trip_max=2.4, lag_p99=0.6, lag_max=3.1, samples=500
        ),
        "timing": Timing(predicted=104.0, longest_waiting=92.1, exclusive=9.3, rest=4.2, total=105.6),
        "environment": {"system": "Linux 6.1 x86_64", "cpus": "2", "python": "CPython 3.11.7", "websockets": "15.0.1"},
        "scenarios": tuple(scenario(name) for name in SCENARIOS),
        "rows": tuple(rows),
        "outcome": outcome,
        "sentence": sentence_of(outcome, rows, subject="node client.mjs", set_id=SET.id, part=part),
        "reproduce": "brokercert certify --part core -- node client.mjs",
        "notes": (SIMULATED,),
    }
    return RunRecord(**(values | more))


def failing_findings() -> tuple[Findings, dict[str, tuple[Excerpt, ...]]]:
    """A client with one failure of each kind of evidence, and one row of every other verdict."""
    gap = Measured(name="longest gap between heartbeats", value=41.27, unit="s", limit=33.0, error=0.0014)
    late = Measured(name="TCP accept to complete upgrade", value=0.312, unit="s", limit=5.0, error=0.0014)
    count = Measured(name="attempts in 5 s", value=11, unit="1", limit=8)
    auth = Measured(name="`o` to authorize, plus answer to first request", value=1.999, unit="s", limit=2, error=0.3)
    found: dict[str, tuple[Finding, ...]] = {
        "LOG-010": (finding("LOG-010", Verdict.PASS, "the upgrade was complete after 312 ms", measured=(late,)),),
        "LOG-025": (
            finding(
                "LOG-025",
                Verdict.WARNING,
                "authorize was sent 1.2 s before `o`",
                expected="authorize after `o`",
                evidence=(7,),
            ),
        ),
        "LOG-030": (
            finding(
                "LOG-030", Verdict.INCONCLUSIVE, "login took 1.999 s, within 300 ms of the limit", measured=(auth,)
            ),
        ),
        "HBT-010": (
            finding(
                "HBT-010",
                Verdict.FAIL,
                "no heartbeat for 41.3 s after record 24, though the connection was healthy",
                scenario="steady",
                expected="a heartbeat `[]` at least every 33 s",
                evidence=(24, 61),
                measured=(gap,),
            ),
            finding("HBT-010", Verdict.PASS, "gaps of at most 2.6 s", evidence=(9,)),
        ),
        "EVT-020": (finding("EVT-020", Verdict.FAIL, "it never synced", expected="one `user/syncrequest` a socket"),),
        "EVT-030": (finding("EVT-030", Verdict.BLOCKED, "could not be asked: EVT-020 failed", blocked_by="EVT-020"),),
        "RLP-010": (finding("RLP-010", Verdict.BLOCKED, "could not be asked: EVT-020 failed", blocked_by="EVT-020"),),
        "RLP-020": (finding("RLP-020", Verdict.BLOCKED, "could not be asked: EVT-020 failed", blocked_by="EVT-020"),),
        "REC-030": (
            finding(
                "REC-030",
                Verdict.FAIL,
                "11 attempts within 5 s of an outage",
                scenario="outage",
                expected="at most 8 attempts in any 5 s",
                clause="attempts in 5 s",
                evidence=(33,),
                measured=(count,),
            ),
        ),
        "MSG-020": (finding("MSG-020", Verdict.NOT_OBSERVED, "the window was 12 s, and 20 s are needed"),),
        "OFF-010": (finding("OFF-010", Verdict.NOT_APPLICABLE, "stop: it is a library without an end"),),
    }
    excerpts: dict[str, tuple[Excerpt, ...]] = {
        "LOG-025": (excerpt("login", 7),),
        "HBT-010": (excerpt("steady", 24, 61, text="[]"),),
        "REC-030": (excerpt("outage", 33, text="upgrade request: GET /v1/websocket"),),
    }
    return found, excerpts


@pytest.fixture
def build() -> Callable[..., RunRecord]:
    return build_run


@pytest.fixture
def failed() -> RunRecord:
    found, excerpts = failing_findings()
    return build_run(found, excerpts=excerpts)


@pytest.fixture
def certified() -> RunRecord:
    return build_run()


HOSTILE = (
    "<script>alert(1)</script>",
    "]]><failure/>",
    "</style><img src=x onerror=alert(1)>",
    'a" onmouseover="alert(1)',
    "{{ 7 * 7 }}{% raw %}",
    "nul \x00 bell \x07 escape \x1b[31mred\x1b[0m \x9b31m",
    "lone \ud800 surrogate \udfff",
    "\u202egnp.exe\u2066 \ufeff \uffff",
    "| pipe `tick` [link](javascript:alert(1)) <b>",
    "[bold]markup[/bold] [[ATTACHMENT|/etc/passwd]]",
)


def hostile_run(payload: str) -> RunRecord:
    """A failing run in which every text that comes from outside is the payload."""
    found, excerpts = failing_findings()
    run = build_run(found, excerpts=excerpts)
    foul = tuple(
        msgspec.structs.replace(
            row,
            reason=payload,
            findings=tuple(
                msgspec.structs.replace(f, observed=payload, expected=payload, clause=payload) for f in row.findings
            ),
            excerpts=tuple(
                msgspec.structs.replace(
                    e, lines=tuple(msgspec.structs.replace(x, text=payload, who=payload) for x in e.lines)
                )
                for e in row.excerpts
            ),
            reproduce=payload,
        )
        for row in run.rows
    )
    return msgspec.structs.replace(
        run,
        rows=foul,
        subject=msgspec.structs.replace(
            run.subject, name=payload, command=(payload, payload), readings={payload: payload}, entity_types=(payload,)
        ),
        environment={payload: payload},
        scenarios=tuple(
            scenario(name, note=payload, exit=f"exit 1 (not asked) {payload}", output=(payload, payload))
            for name in SCENARIOS
        ),
        reproduce=payload,
        run_id=payload,
        notes=(payload,),
        telling=(payload,),
    )


@pytest.fixture(params=HOSTILE)
def hostile(request: pytest.FixtureRequest) -> tuple[str, RunRecord]:
    return request.param, hostile_run(request.param)
